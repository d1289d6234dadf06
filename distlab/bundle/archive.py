"""The archive of a run: its folder, with what of the store is its own below ``store/``."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.fs as pafs

from distlab.errors import UserError
from distlab.files import whole
from distlab.runs.folder import BESIDE, RunFolder
from distlab.runs.manifest import Manifest
from distlab.store.store import Store


class Written(NamedTuple):
    """What went into an archive."""

    files: int
    bytes: int


def write_archive(folder: RunFolder, manifest: Manifest, archive: Path) -> Written:
    """Write a run and its samples in one step.

    Shards are compressed already, so the archive is not. Files that a run makes for itself while
    it works (a dot in front) stay behind.

    Args:
        folder: The run.
        manifest: Its manifest.
        archive: A new file.

    Raises:
        OSError: The store does not answer, or the disk is full.
        UserError: The store has no sample of a cell.
    """
    name = folder.path.absolute().name
    sizes: list[int] = []
    store = Store.look(manifest.store)
    stored = list(_stored(store, manifest))
    with whole(archive) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for file in sorted(folder.path.rglob("*")):
            inside = file.relative_to(folder.path)
            is_own = not any(part.startswith(".") for part in inside.parts)
            if file.is_file() and is_own and inside.parts[0] != BESIDE:
                tar.add(file, f"{name}/{inside.as_posix()}")
                sizes.append(file.stat().st_size)
        for info in stored:
            inside_store = str(info.path).removeprefix(f"{store.root}/")
            member = tarfile.TarInfo(f"{name}/{BESIDE}/{inside_store}")
            member.size, member.mode = info.size, 0o644
            if info.mtime_ns is not None:
                member.mtime = info.mtime_ns / 1e9
            with store.fs.open_input_stream(info.path) as source:
                tar.addfile(member, source)
            sizes.append(info.size)
    return Written(len(sizes), sum(sizes))


def _stored(store: Store, manifest: Manifest) -> Iterator[pafs.FileInfo]:
    """The files of the run's cells, and of readings of its samples."""
    for path in (*(cell.path for cell in manifest.cells), *manifest.readings.values()):
        below = pafs.FileSelector(f"{store.root}/{path}", allow_not_found=True, recursive=True)
        found = [i for i in store.fs.get_file_info(below) if i.type == pafs.FileType.File]
        if not found:
            raise UserError(
                f"the store {manifest.store} has no cell {path}: its samples are gone, or the "
                "store was moved; put it beside the run folder"
            )
        yield from sorted(found, key=lambda info: str(info.path))
