"""Files that appear whole or not at all, and locks."""

import errno
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from distlab.errors import UserError

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


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


@contextmanager
def alone(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock for the block; other processes that want it wait. It ends with its holder.

    Where the file system has no locks, as some of clusters, none is held.

    Args:
        path: The lock file, made if missing, with its folder.
        waiting: Called once, before waiting for another process.

    Raises:
        OSError: The file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield


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


def expanded(path: str) -> str:
    """A path with ``~`` or ``~NAME`` in front as that user's home folder; others as they are.

    Raises:
        UserError: There is no such user.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        raise UserError(
            f"{path} has no home folder: write ./{path} for a folder of that name"
        ) from error
