"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file in one step: a reader sees the old content or the new, also after a crash.

    The draft beside it is called ``.NAME.HEX.tmp``; only a killed process leaves one behind.

    Args:
        path: The file; its folder must exist.

    Yields:
        Where to write. If the block raises, ``path`` is as it was.

    Raises:
        OSError: The disk is full or the folder is gone.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    # The rename itself is on disk only when the folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def cache_folder() -> Path:
    """Where conversions are kept: ``$DISTLAB_CACHE``, else ``~/.cache/distlab``."""
    return Path(os.environ.get("DISTLAB_CACHE") or Path.home() / ".cache" / "distlab")


@contextmanager
def written_once(folder: Path) -> Iterator[Path]:
    """A draft to write into, which becomes ``folder``: it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        if not folder.exists():
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
