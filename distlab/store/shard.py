"""The bytes of a shard: Parquet, sealed so that a changed bit is noticed whatever columns are read.

    pages | seal | footer | length of the footer | "PAR1"

Parquet's own page checksums are there as well, for other readers, but they leave out what says how
to read a page: one bit in a page's header or in the footer can shorten a list or rename a column.
The seal closes that. It lies where Parquet readers never look, between the pages and the footer:

    CRC-32 of each column chunk | how many | CRC-32 of the seal so far and all behind it | mark

Integers are of 32 bits, little-endian. Shards of format 1 have neither seal nor page checksums.
"""

import contextlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.errors import brief
from distlab.store.formats import FORMATS, format_of
from distlab.store.origin import Origin, origin_of
from distlab.store.sample_schema import FORMAT

_MARK = b"dlabseal"
_SEAL = struct.Struct("<II8s")
_END = struct.Struct("<I4s")
_PARQUET = b"PAR1"
# A third fewer bytes than with a dictionary.
_MARGINS = "margins.list.element"
# Bytes read at first from a shard's end (ours): footer and seal of a usual one are there.
_TAIL = 16_384

_Bytes = npt.NDArray[np.uint8]


class Damage(ValueError):
    """A shard's bytes are not what was written; the message says in what."""


class Newer(ValueError):
    """A shard is of a format that only a later distlab reads; the message says which."""


def encode(table: pa.Table) -> pa.Buffer:
    """A table of schema ``SAMPLES`` as the bytes of a shard."""
    plain = _parquet(table)
    metadata = pq.read_metadata(pa.BufferReader(plain))
    footer = plain.size - _END.size - metadata.serialized_size
    sums = [zlib.crc32(plain[begin:end]) for begin, end, _ in _chunks(metadata)]
    crcs, behind = struct.pack(f"<{len(sums)}I", *sums), plain[footer:]
    seal = _SEAL.pack(len(sums), _seal_sum(crcs, behind), _MARK)
    return pa.py_buffer(b"".join((plain[:footer], crcs, seal, behind)))


def _parquet(table: pa.Table) -> pa.Buffer:
    """Parquet with page checksums; margins, which seldom repeat, byte by byte."""
    leaves = [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in table.schema
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        write_page_checksum=True,
        # The stubs know neither as a list.
        use_dictionary=[leaf for leaf in leaves if leaf != _MARGINS],  # type: ignore[arg-type]
        use_byte_stream_split=[leaf for leaf in leaves if leaf == _MARGINS],  # type: ignore[arg-type]
    )
    return sink.getvalue()


def decode(file: pa.NativeFile, columns: Sequence[str]) -> pa.Table:
    """Columns of a shard as today's format has them; of the others nothing is read.

    Args:
        file: The shard, open for random access.
        columns: Names in ``SAMPLES``.

    Raises:
        Damage: It is not as it was written.
        Newer: A later distlab wrote it.
        OSError: It cannot be read.
    """
    shard = _ShardBytes.open(file)
    kept = FORMATS[shard.format]
    names = kept.stored(columns)
    shard.fetch(names)
    table = _parsed(shard.source(), names, sealed=bool(shard.sums))
    for name in names:
        if table.column(name).null_count and not kept.schema.field(name).nullable:
            raise Damage(f"its column `{name}` lacks values")
    return kept.upgrade(table, columns)


def origin_and_rows(file: pa.NativeFile) -> tuple[Origin | None, int]:
    """What drew a shard, where it says so, and how many samples it holds, by its footer.

    Raises:
        Damage: Its footer is not as it was written.
        Newer: A later distlab wrote it.
        OSError: It cannot be read.
    """
    shard = _ShardBytes.open(file)
    assert shard.metadata is not None, "open() has parsed the footer"
    return shard.origin, shard.metadata.num_rows


def sealed(file: pa.NativeFile) -> bool:
    """Whether a shard has checksums: without, a changed bit in it may go unnoticed.

    Raises:
        Damage: Its footer is not as it was written.
        Newer: A later distlab wrote it.
        OSError: It cannot be read.
    """
    return bool(_ShardBytes.open(file).sums)


def _chunks(metadata: pq.FileMetaData) -> Iterator[tuple[int, int, str]]:
    """Begin and end of each column chunk, headers included, and the column that it is of."""
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            begin = chunk.data_page_offset
            if chunk.dictionary_page_offset is not None:
                begin = min(begin, chunk.dictionary_page_offset)
            yield begin, begin + chunk.total_compressed_size, chunk.path_in_schema.partition(".")[0]


def _seal_sum(crcs: bytes, behind: bytes | pa.Buffer) -> int:
    count = struct.pack("<I", len(crcs) // 4)
    return zlib.crc32(behind, zlib.crc32(_MARK, zlib.crc32(count, zlib.crc32(crcs))))


@dataclass(slots=True)
class _ShardBytes:
    """A shard of which some bytes are here; what is not read is undefined and costs no memory.

    The memory is pyarrow's, not Python's: its threads may let go of it as late as the interpreter
    ends, and one that then asks for the interpreter's lock aborts the process.

    Attributes:
        file: Where the bytes are.
        memory: Of the size of the file.
        data: The same as numbers.
        format: Of its schema.
        metadata: Its footer.
        sums: CRC-32 of each column chunk; empty where the format has no seal.
        origin: What drew it, where it says so.
    """

    file: pa.NativeFile
    memory: pa.Buffer
    data: _Bytes
    format: int = 0
    metadata: pq.FileMetaData | None = None
    sums: tuple[int, ...] = ()
    origin: Origin | None = None

    @classmethod
    def open(cls, file: pa.NativeFile) -> "_ShardBytes":
        """Read and check the footer."""
        memory = pa.allocate_buffer(file.size())
        shard = cls(file, memory, np.frombuffer(memoryview(memory), np.uint8))
        size = len(shard.data)
        here = max(0, size - _TAIL)
        shard._read(here, size)
        footer = size - _END.size - shard._footer_size()
        if footer < here:
            # The seal of the widest schema is shorter than the tail is long.
            shard._read(max(0, footer - _TAIL), here)
        shard.sums = shard._checked_seal(footer)
        shard._parse_footer()
        return shard

    def fetch(self, names: Sequence[str]) -> None:
        """Read the chunks of some columns and check them; without a seal, the whole file.

        A footer that no checksum covers must not be asked where a chunk lies: of some changed bits
        pyarrow makes an exception of C++ there that ends the process.
        """
        if not self.sums:
            self._read(0, len(self.data))
            return
        assert self.metadata is not None
        chunks = list(_chunks(self.metadata))
        if len(self.sums) != len(chunks):
            raise Damage("its seal is of another file")
        for number, (begin, end, column) in enumerate(chunks):
            if column in names:
                self._read(begin, end)
                if zlib.crc32(self.data[begin:end].data) != self.sums[number]:
                    raise Damage(f"the checksum of its column `{column}` is wrong")

    def source(self) -> pa.BufferReader:
        """The bytes for a Parquet reader."""
        return pa.BufferReader(self.memory)

    def _read(self, begin: int, end: int) -> None:
        if not 0 <= begin <= end <= len(self.data):
            raise Damage("its footer points outside of the file")
        found = self.file.read_at(end - begin, begin)  # type: ignore[call-arg]
        if len(found) != end - begin:
            raise Damage("it ends early")
        self.data[begin:end] = np.frombuffer(found, np.uint8)

    def _footer_size(self) -> int:
        if len(self.data) < _END.size + len(_PARQUET):
            raise Damage("it is too short for a shard")
        size, mark = _END.unpack(self.data[-_END.size :].tobytes())
        if mark != _PARQUET or size > len(self.data) - _END.size:
            raise Damage("its end is missing or overwritten")
        return int(size)

    def _checked_seal(self, footer: int) -> tuple[int, ...]:
        begin = footer - _SEAL.size
        if begin < 0:
            return ()
        count, total, mark = _SEAL.unpack(self.data[begin:footer].tobytes())
        if mark != _MARK:
            return ()
        if 4 * count > begin:
            raise Damage("its seal is broken")
        crcs = self.data[begin - 4 * count : begin].tobytes()
        if _seal_sum(crcs, self.data[footer:].tobytes()) != total:
            raise Damage("the checksum of its footer is wrong")
        return struct.unpack(f"<{count}I", crcs)

    def _parse_footer(self) -> None:
        with _damage("its footer cannot be read"):
            self.metadata = pq.read_metadata(self.source())
            schema = self.metadata.schema.to_arrow_schema()
            self.format = _known_format(schema)
            self.origin = origin_of(schema)
            if self.format > 1 and not self.sums:
                raise Damage("its seal is missing")
            _check_columns(schema, FORMATS[self.format].schema)


def _known_format(schema: pa.Schema) -> int:
    if (named := format_of(schema)) is None:
        raise Damage("it names no sample format")
    if not named.isdigit() or (found := int(named)) not in FORMATS:
        raise Newer(f"is of sample format {named}, and this distlab reads those up to {FORMAT}")
    return found


def _check_columns(found: pa.Schema, expected: pa.Schema) -> None:
    for column in expected:
        place = found.get_field_index(column.name)
        if place < 0:
            raise Damage(f"it lacks the column `{column.name}`")
        if (kind := found.field(place).type) != column.type:
            raise Damage(f"its column `{column.name}` is {kind} and not {column.type}")
    if strange := [name for name in found.names if name not in expected.names]:
        raise Damage(f"it has a column `{strange[0]}`, which no sample has")


def _parsed(source: pa.BufferReader, names: Sequence[str], *, sealed: bool) -> pa.Table:
    with _damage("it cannot be decoded"):
        table = pq.ParquetFile(source, page_checksum_verification=True).read(list(names))
        if not sealed:
            table.validate(full=True)
    return table


@contextlib.contextmanager
def _damage(what: str) -> Iterator[None]:
    """Take whatever is raised for damage; nothing in here reads the file.

    Without a seal bytes may be anything, and parsers trip over them in many ways.
    """
    try:
        yield
    except (Damage, Newer):
        raise
    except Exception as error:
        raise Damage(f"{what} ({brief(str(error))})") from error
