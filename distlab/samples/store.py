"""The content-addressed store of samples.

    STORE/FAMILY/VARIANT/DECODING/DATASET/PROMPT/FINGERPRINT/
        cell.json            the fields behind the fingerprint
        samples-*.parquet    shards; a shard holds whole draws of problems

A shard is written under a temporary name, flushed to disk and renamed, so a reader sees it whole
or not at all, and what a killed writer leaves behind is ignored. Where two shards hold the same
(problem, rank), as two drivers at once can make them, the first by name counts.
"""

import json
import os
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from distlab.errors import UserError
from distlab.samples.fingerprint import CellFields, ContentAddress, differing_fields
from distlab.samples.schema import SAMPLES

_SHARD = re.compile(r"samples-[0-9a-f]{32}\.parquet")
_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]")


def cell_path(family: str, variant: str, decoding: str, dataset: str, prompt: str, key: str) -> str:
    """A cell's folder relative to the store, with every part safe as a file name."""
    parts = (family, variant, decoding, dataset, prompt, key)
    return "/".join(_UNSAFE.sub("_", part).lstrip(".") or "_" for part in parts)


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

    @classmethod
    def open(cls, uri: str) -> "Store":
        """Open a store, creating its folder, and try that it can be written.

        Raises:
            UserError: It cannot be written.
        """
        try:
            fs, root = _file_system(uri)
            store = cls(uri, fs, root)
            fs.create_dir(root, recursive=True)
            probe = f"{root}/.probe-{uuid.uuid4().hex}"
            with fs.open_output_stream(probe) as stream:
                stream.write(b"distlab")
            fs.delete_file(probe)
        except (OSError, pa.ArrowException) as error:
            raise UserError(
                f"the store {uri} cannot be written ({error}): set `store` to a folder that can"
            ) from error
        return store

    @classmethod
    def look(cls, uri: str) -> "Store":
        """Open a store to read: nothing is made, and one that does not exist holds nothing.

        Raises:
            UserError: It cannot be reached, or is no folder.
        """
        try:
            fs, root = _file_system(uri)
            found = fs.get_file_info(root).type
        except (OSError, pa.ArrowException) as error:
            raise UserError(
                f"the store {uri} cannot be read ({error}): set `store` to a folder that can"
            ) from error
        if found not in (pafs.FileType.Directory, pafs.FileType.NotFound):
            raise UserError(f"the store {uri} is no folder: set `store` to one")
        return cls(uri, fs, root)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine's file system."""
        return isinstance(self.fs, pafs.LocalFileSystem)

    def cell(self, path: str) -> "StoredCell":
        """The cell at ``path`` (see ``cell_path``), whether it exists or not."""
        return StoredCell(self, f"{self.root}/{path}")


@dataclass(frozen=True, slots=True)
class StoredCell:
    """One cell's folder.

    Attributes:
        store: The store it is in.
        path: Its folder inside the file system.
    """

    store: Store
    path: str

    def create(self, fields: ContentAddress) -> None:
        """Make the folder with its ``cell.json``, where it is not there already."""
        if not self.exists():
            self.store.fs.create_dir(self.path, recursive=True)
            _write_atomically(self.store, f"{self.path}/cell.json", fields.canonical().encode())

    def differing(self, fields: CellFields) -> tuple[str, ...]:
        """Why the cell is new: the fields in which the nearest one of equal labels differs.

        Empty where the cell exists, or none with its labels does.
        """
        return () if self.exists() else self._nearest_sibling(fields)

    def exists(self) -> bool:
        """Whether it was ever created."""
        found = self.store.fs.get_file_info(f"{self.path}/cell.json").type
        return bool(found == pafs.FileType.File)

    def _nearest_sibling(self, fields: CellFields) -> tuple[str, ...]:
        fs = self.store.fs
        parent = str(PurePosixPath(self.path).parent)
        found = [
            differing_fields(fields, json.loads(fs.open_input_stream(file).readall()))
            for info in fs.get_file_info(pafs.FileSelector(parent, allow_not_found=True))
            if info.type == pafs.FileType.Directory
            and fs.get_file_info(file := f"{info.path}/cell.json").type == pafs.FileType.File
        ]
        return min(found, key=len, default=())

    def shards(self) -> tuple[str, ...]:
        """Paths of the committed shards, sorted by name."""
        infos = self.store.fs.get_file_info(pafs.FileSelector(self.path, allow_not_found=True))
        return tuple(sorted(i.path for i in infos if _SHARD.fullmatch(i.base_name)))

    def ranks(self, prompt_hashes: Mapping[str, str]) -> dict[str, set[int]]:
        """Ranks in the store of the given problems.

        Args:
            prompt_hashes: Problem id to the hash of its prompt; rows with another are passed over.

        Raises:
            UserError: A shard cannot be read.
        """
        held: dict[str, set[int]] = defaultdict(set)
        for shard in self.shards():
            table = self._read(shard, ["problem_id", "rank", "prompt_hash"])
            for problem_id, rank, prompt in zip(
                *(table.column(i).to_pylist() for i in range(3)), strict=True
            ):
                if prompt_hashes.get(problem_id) == prompt:
                    held[problem_id].add(rank)
        return held

    def _read(self, shard: str, columns: list[str]) -> pa.Table:
        try:
            return pq.read_table(shard, columns=columns, filesystem=self.store.fs)
        except (OSError, pa.ArrowException) as error:
            raise UserError(
                f"the shard {shard} is damaged ({error}): move it away and run again; "
                "its problems are sampled anew"
            ) from error

    def samples(self, columns: list[str] | None = None) -> pa.Table:
        """All samples, each (problem, rank, prompt) once, in no stated order."""
        wanted = columns if columns is not None else SAMPLES.names
        key = ["problem_id", "rank", "prompt_hash"]
        tables = [self._read(shard, list({*wanted, *key})) for shard in self.shards()]
        if not tables:
            return SAMPLES.empty_table().select(wanted)
        return _first_of_each(pa.concat_tables(tables).unify_dictionaries(), key).select(wanted)

    def commit(self, batches: Iterable[pa.RecordBatch]) -> str:
        """Write one shard, whole or not at all; returns its path.

        Raises:
            OSError: The disk is full or the store is gone; nothing half-written is visible.
        """
        path = f"{self.path}/samples-{uuid.uuid4().hex}.parquet"
        sink = pa.BufferOutputStream()
        table = pa.Table.from_batches(batches, schema=SAMPLES)
        pq.write_table(table, sink, compression="zstd")
        _write_atomically(self.store, path, sink.getvalue())
        return path


@dataclass(slots=True)
class CellWriter:
    """Collects whole draws and commits them as shards of a sensible size.

    Attributes:
        cell: Where to.
        commit_samples: Commit once so many samples wait.
    """

    cell: StoredCell
    commit_samples: int = 5000
    _waiting: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch that holds whole draws."""
        self._waiting.append(batch)
        if sum(b.num_rows for b in self._waiting) >= self.commit_samples:
            self.flush()

    def flush(self) -> None:
        """Commit what waits. On an error it goes on waiting, so that a later flush can save it."""
        if self._waiting:
            self.cell.commit(self._waiting)
            self._waiting = []


def _first_of_each(table: pa.Table, key: list[str]) -> pa.Table:
    """Keep the first row of each key: rows of concatenated shards come in the shards' order."""
    indexed = table.append_column("_row", pa.array(range(table.num_rows), pa.int64()))
    firsts = indexed.group_by(key).aggregate([("_row", "min")]).column("_row_min")
    if len(firsts) == table.num_rows:
        return table
    return table.take(firsts.combine_chunks().sort())


def _file_system(uri: str) -> tuple[pafs.FileSystem, str]:
    if "://" in uri:
        fs, root = pafs.FileSystem.from_uri(uri)
        return fs, root.rstrip("/")
    return pafs.LocalFileSystem(), str(Path(uri).expanduser().absolute())


def _write_atomically(store: Store, path: str, data: bytes | pa.Buffer) -> None:
    """Object stores publish an object when its upload ends; a disk needs fsync and rename."""
    if not store.is_local:
        with store.fs.open_output_stream(path) as stream:
            stream.write(data)
        return
    target = Path(path)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
