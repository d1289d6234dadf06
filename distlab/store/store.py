"""The content-addressed store of samples.

    STORE/FAMILY/VARIANT/DECODING/DATASET/PROMPT/FINGERPRINT/
        cell.json            the fields behind the fingerprint
        samples-*.parquet    shards; a shard holds whole requests
        asked-*.json         what a run wanted of the cell, and what failed: see asks
        prompts-*.parquet    the prompts as the model saw them: see kept_prompts
        .claim-*.json        a run draws it at this moment: see claims
        damaged-*.parquet    a shard that was set aside, and damaged-*.json why

A shard is published whole or not at all, never changed, and named by the time of its commit. Its
format has a version of its own (see formats), which is no part of the cell's address. What a killed
writer leaves behind is ignored. Where two shards hold the same (problem, rank), as two
drivers at once can make them, the first by name counts.
"""

import contextlib
import datetime
import json
import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar

import pyarrow as pa
import pyarrow.fs as pafs

from distlab.credentials import refuse_credentials
from distlab.errors import UserError
from distlab.files import folder_name
from distlab.store.filesystem import (
    check_bucket,
    is_local,
    open_filesystem,
    patiently,
    publish,
    read,
    unusable,
)
from distlab.store.fingerprint import CellFields, ContentAddress, differing_fields
from distlab.store.origin import ORIGIN_KEY, Origin
from distlab.store.repeats import first_of_each
from distlab.store.sample_schema import SAMPLES
from distlab.store.shard import Damage, Newer, decode, encode, origin_and_rows, sealed

KEY = ("problem_id", "rank", "prompt_hash")
SHARD = re.compile(r"samples-[0-9a-f]{32}\.parquet")
# Objects of a remote store that are read at once (ours): it answers slowly, and many together.
_READERS = 16
_Found = TypeVar("_Found")


def cell_path(family: str, variant: str, decoding: str, dataset: str, prompt: str, key: str) -> str:
    """A cell's folder relative to the store, with every part safe as a file name."""
    return "/".join(map(folder_name, (family, variant, decoding, dataset, prompt, key)))


def shard_name(tag: str = "") -> str:
    """32 hex digits: the time, then chance. In order of names the first commit comes first.

    Args:
        tag: Hex, 16 digits at most, in the place of some of the chance: see ``tagged``.
    """
    return f"{time.time_ns():016x}{tag}{uuid.uuid4().hex[: 16 - len(tag)]}"


class DamagedShard(UserError):
    """A shard is not as it was written.

    Args:
        path: The shard, inside its file system.
        reason: In what, as the end of a sentence.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the shard {path} is damaged: {reason}; `distlab store repair STORE` sets it aside, "
            "and the command that brought its samples (a run, `distlab ingest`) brings them anew"
        )
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type["DamagedShard"], tuple[str, str]]:
        return DamagedShard, (self.path, self.reason)


def read_shard(fs: pafs.FileSystem, path: str, columns: Sequence[str]) -> pa.Table:
    """Read columns of a shard, checked and as today's format has them; an outage is waited out.

    Raises:
        DamagedShard: It is not as it was written.
        UserError: It cannot be read, or a later distlab wrote it.
    """
    return _read(fs, path, lambda file: decode(file, columns))


def is_sealed(fs: pafs.FileSystem, path: str) -> bool:
    """Whether a shard has checksums, so that any changed bit in it is noticed.

    Raises:
        DamagedShard: Its footer is not as it was written.
        UserError: It cannot be read, or a later distlab wrote it.
    """
    return _read(fs, path, sealed)


def _read(fs: pafs.FileSystem, path: str, of_file: Callable[[pa.NativeFile], _Found]) -> _Found:
    def attempt() -> _Found:
        with fs.open_input_file(path) as file:
            return of_file(file)

    try:
        return patiently(fs, attempt)
    except Damage as error:
        raise DamagedShard(path, str(error)) from error
    except Newer as error:
        raise UserError(f"the shard {path} {error}: update distlab") from error
    except OSError as error:
        raise UserError(f"the shard {path} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of cells on any file system that pyarrow knows.

    Attributes:
        uri: As the config gives it: a local path, or s3://, gs:// and the like.
        fs: The file system behind it.
        root: The path inside it.
    """

    uri: str
    fs: pafs.FileSystem
    root: str
    # Shards never change, so their keys are read once in a process.
    _keys: dict[str, pa.Table] = field(default_factory=dict, compare=False, repr=False)
    _origins: dict[str, tuple[Origin | None, int]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def open(cls, uri: str) -> "Store":
        """Open a store, creating its folder, and try that it can be written.

        Raises:
            UserError: It cannot be written, or its address holds credentials.
        """
        refuse_credentials("the address of the store", uri)
        try:
            fs, root = open_filesystem(uri)
            fs.create_dir(root, recursive=True)
            probe = f"{root}/.probe-{uuid.uuid4().hex}"
            with fs.open_output_stream(probe) as stream:
                stream.write(b"distlab")
            fs.delete_file(probe)
        except (OSError, pa.ArrowException) as error:
            raise unusable(uri, "written", error) from error
        return cls(uri, fs, root)

    @classmethod
    def look(cls, uri: str) -> "Store":
        """Open a store to read: nothing is made, and one that does not exist holds nothing.

        Raises:
            UserError: It cannot be reached, or is no folder.
        """
        try:
            fs, root = open_filesystem(uri)
            found = fs.get_file_info(root).type
            if found == pafs.FileType.NotFound and not is_local(fs):
                check_bucket(fs, root)
        except (OSError, pa.ArrowException) as error:
            raise unusable(uri, "read", error) from error
        if found not in (pafs.FileType.Directory, pafs.FileType.NotFound):
            raise UserError(f"the store {uri} is no folder: set `store` to one")
        return cls(uri, fs, root)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine's file system."""
        return is_local(self.fs)

    @property
    def address(self) -> str:
        """Where it is, from any folder of this machine: an absolute path or the uri."""
        return self.root if self.is_local else self.uri

    def cell(self, path: str) -> "StoredCell":
        """The cell at ``path`` (see ``cell_path``), whether it exists or not."""
        return StoredCell(self, f"{self.root}/{path}")

    def cells(self) -> "tuple[StoredCell, ...]":
        """Every cell that was ever created, by path."""
        return tuple(
            StoredCell(self, info.path.rpartition("/")[0])
            for info in self.files()
            if info.base_name == "cell.json"
        )

    def files(self) -> list[pafs.FileInfo]:
        """Everything below the store, sorted by path.

        Raises:
            OSError: The store does not answer.
        """
        below = pafs.FileSelector(self.root, allow_not_found=True, recursive=True)
        found = patiently(self.fs, lambda: self.fs.get_file_info(below))
        files = (info for info in found if info.type == pafs.FileType.File)
        return sorted(files, key=lambda info: str(info.path))

    def keys(self, shard: str) -> pa.Table:
        """Columns ``KEY`` of a shard, labels dictionary-encoded.

        Raises:
            UserError: It cannot be read.
        """
        if shard not in self._keys:
            problem, rank, prompt = read_shard(self.fs, shard, KEY).columns
            columns = [problem.dictionary_encode(), rank, prompt.dictionary_encode()]
            self._keys[shard] = pa.table(columns, names=list(KEY))
        return self._keys[shard]

    def origin(self, shard: str) -> tuple[Origin | None, int]:
        """What drew a shard, None where it does not say, and how many samples it holds.

        Raises:
            UserError: It cannot be read.
        """
        if shard not in self._origins:
            self._origins[shard] = _read(self.fs, shard, origin_and_rows)
        return self._origins[shard]

    def forget(self, shard: str) -> None:
        """Drop what is known of a shard."""
        self._keys.pop(shard, None)
        self._origins.pop(shard, None)


@dataclass(frozen=True, slots=True)
class StoredCell:
    """One cell's folder.

    Attributes:
        store: The store it is in.
        path: Its folder inside the file system.
    """

    store: Store
    path: str

    @property
    def name(self) -> str:
        """Its folder relative to the store."""
        return self.path.removeprefix(f"{self.store.root}/")

    def create(self, fields: ContentAddress) -> None:
        """Make the folder with its ``cell.json``, where that is not there or not what it was."""
        fs, data = self.store.fs, fields.canonical().encode()
        if self.exists() and read(fs, f"{self.path}/cell.json") == data:
            return
        patiently(fs, lambda: fs.create_dir(self.path, recursive=True))
        patiently(fs, lambda: publish(fs, f"{self.path}/cell.json", data))

    def differing(self, fields: CellFields) -> tuple[str, ...]:
        """Why the cell is new: the fields in which the nearest one of equal labels differs.

        Empty where the cell exists, or where no cell with its labels holds samples.
        """
        return () if self.exists() else self._nearest_sibling(fields)

    def exists(self) -> bool:
        """Whether it was ever created."""
        return self._is_file(f"{self.path}/cell.json")

    def fields(self) -> Mapping[str, object]:
        """What its ``cell.json`` says.

        Raises:
            UserError: It cannot be read.
        """
        try:
            found = json.loads(read(self.store.fs, f"{self.path}/cell.json"))
        except (OSError, ValueError) as error:
            raise UserError(f"{self.path}/cell.json cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise UserError(f"{self.path}/cell.json cannot be read: it holds no object")
        return found

    def _readable_fields(self) -> Mapping[str, object] | None:
        try:
            return self.fields()
        except UserError:
            # Of no use to compare with; a run of that cell writes it anew.
            return None

    def _is_file(self, path: str) -> bool:
        fs = self.store.fs
        return bool(patiently(fs, lambda: fs.get_file_info(path)).type == pafs.FileType.File)

    def _nearest_sibling(self, fields: CellFields) -> tuple[str, ...]:
        fs = self.store.fs
        beside = pafs.FileSelector(str(PurePosixPath(self.path).parent), allow_not_found=True)
        found = [
            differing_fields(fields, stored)
            for info in patiently(fs, lambda: fs.get_file_info(beside))
            if info.type == pafs.FileType.Directory
            # A folder without shards was only opened, perhaps by the same sweep.
            and (sibling := StoredCell(self.store, info.path)).shards()
            and (stored := sibling._readable_fields()) is not None
        ]
        return min(found, key=len, default=())

    def shards(self) -> tuple[str, ...]:
        """Paths of the committed shards, sorted by name: in the order of their commits."""
        inside = pafs.FileSelector(self.path, allow_not_found=True)
        infos = patiently(self.store.fs, lambda: self.store.fs.get_file_info(inside))
        return tuple(sorted(i.path for i in infos if SHARD.fullmatch(i.base_name)))

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Those of the shards whose names were made with a tag."""
        named = re.compile(rf".*/samples-[0-9a-f]{{16}}{tag}[0-9a-f]*\.parquet")
        return tuple(shard for shard in self.shards() if named.fullmatch(shard))

    def ranks(self, prompt_hashes: Mapping[str, str] | None = None) -> dict[str, set[int]]:
        """Ranks in the store.

        Args:
            prompt_hashes: Problem id to the hash of its prompt: other problems and rows with
                another prompt are passed over. None takes every row.

        Raises:
            UserError: A shard cannot be read.
        """
        held: dict[str, set[int]] = defaultdict(set)
        for keys in self._each(self.store.keys):
            for problem_id, rank, prompt in zip(
                *(column.to_pylist() for column in keys.columns), strict=True
            ):
                if prompt_hashes is None or prompt_hashes.get(problem_id) == prompt:
                    held[problem_id].add(rank)
        return held

    def origins(self) -> Mapping[Origin | None, int]:
        """What drew its samples to how many of them; None stands for shards that do not say.

        Raises:
            UserError: A shard cannot be read.
        """
        found: dict[Origin | None, int] = defaultdict(int)
        for origin, samples in self._each(self.store.origin):
            found[origin] += samples
        return found

    def samples(self, columns: list[str] | None = None) -> pa.Table:
        """All samples, each (problem, rank, prompt) once, in no stated order."""
        wanted = columns if columns is not None else SAMPLES.names
        needed = list({*wanted, *KEY})
        tables = list(self._each(lambda shard: read_shard(self.store.fs, shard, needed)))
        return _distinct(tables, wanted)

    def readable_samples(self, columns: list[str]) -> tuple[pa.Table, tuple[str, ...]]:
        """As ``samples``, of the shards that can be read; and why others cannot be."""

        def read_one(shard: str) -> pa.Table | UserError:
            try:
                return read_shard(self.store.fs, shard, needed)
            except UserError as error:
                return error

        needed = list({*columns, *KEY})
        found = list(self._each(read_one))
        tables = [table for table in found if not isinstance(table, UserError)]
        faults = tuple(str(fault) for fault in found if isinstance(fault, UserError))
        return _distinct(tables, columns), faults

    def _each(self, read_one: Callable[[str], _Found]) -> Iterator[_Found]:
        """Read every shard, in order."""
        shards = self.shards()
        if self.store.is_local or len(shards) < 2:
            yield from map(read_one, shards)
            return
        with ThreadPoolExecutor(_READERS) as readers:
            yield from readers.map(read_one, shards)

    def commit(
        self,
        batches: Iterable[pa.RecordBatch],
        name: str | None = None,
        origin: Origin | None = None,
    ) -> str:
        """Write one shard, whole or not at all; returns its path. An outage is not waited out.

        Args:
            batches: Its samples.
            name: From ``shard_name``, so that a second try replaces what the first may have left.
            origin: What drew them, where it is known.

        Raises:
            OSError: The disk is full or the store is gone; nothing half-written is visible.
        """
        path = f"{self.path}/samples-{name or shard_name()}.parquet"
        table = pa.Table.from_batches(batches, schema=SAMPLES)
        if origin is not None:
            said = {**(SAMPLES.metadata or {}), ORIGIN_KEY: origin.encoded()}
            table = table.replace_schema_metadata(said)
        publish(self.store.fs, path, encode(table))
        return path

    def set_aside(self, shard: str, reason: str, by: str) -> str:
        """Take a shard out of the cell, so that its samples are missing; returns where it is now.

        Args:
            shard: Its path.
            reason: What is wrong with it.
            by: Who found it.

        Raises:
            OSError: The store cannot be written.
        """
        fs, name = self.store.fs, shard.rpartition("/")[2]
        aside = f"{self.path}/{name.replace('samples-', 'damaged-', 1)}"
        at = datetime.datetime.now(datetime.UTC).isoformat()
        record = json.dumps({"shard": name, "reason": reason, "by": by, "at": at}).encode()
        # The record first: a shard that is gone says why, whatever dies here.
        record_path = f"{aside.removesuffix('.parquet')}.json"
        patiently(fs, lambda: publish(fs, record_path, record))
        # Another run may have been first.
        with contextlib.suppress(FileNotFoundError):
            patiently(fs, lambda: fs.move(shard, aside))
        self.store.forget(shard)
        return aside


def _distinct(tables: Sequence[pa.Table], columns: list[str]) -> pa.Table:
    """Columns of shards' rows, of which each (problem, rank, prompt) counts once."""
    if not tables:
        return SAMPLES.empty_table().select(columns)
    table = pa.concat_tables(tables).unify_dictionaries()
    firsts = first_of_each(table, KEY)
    kept = table if len(firsts) == table.num_rows else table.take(firsts)
    return kept.select(columns)


@dataclass(slots=True)
class CellWriter:
    """Collects whole requests and commits them as shards of a sensible size.

    Attributes:
        cell: Where to.
        commit_samples: Commit once so many samples wait.
    """

    cell: StoredCell
    commit_samples: int = 5000
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _samples: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch that holds whole requests."""
        self._waiting.append(batch)
        self._samples += batch.num_rows
        if self._samples >= self.commit_samples:
            self.flush()

    def flush(self) -> None:
        """Commit what waits. On an error it goes on waiting, so that a later flush can save it."""
        if self._waiting:
            self.cell.commit(self._waiting)
            self._waiting, self._samples = [], 0
