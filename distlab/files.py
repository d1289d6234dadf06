"""Files that appear whole or not at all, and locks."""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

from distlab.errors import UserError

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{32}\.tmp", re.DOTALL)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._=+-]")
# Longest name of a folder, in bytes (ours): file systems take 255, and drafts add to a name.
_LONGEST: Final = 200
_DIGEST: Final = 16


def folder_name(name: str) -> str:
    """A name as one part of a path: ASCII, not hidden and of bounded length.

    Letters, digits and ``._=+-`` stay as they are, so that ordinary names are their own folders.
    Names that differ in other characters can share one ("a b", "a/b").
    """
    safe = _UNSAFE.sub("_", name).lstrip(".") or "_"
    if len(safe) <= _LONGEST:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{safe[: _LONGEST - _DIGEST - 1]}-{digest}"


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file in one step: a reader sees the old content or the new, also after a crash.

    The draft beside it is called ``.NAME.HEX.tmp``; only a killed process leaves one behind, and
    ``drop_dead_drafts`` removes that.

    Args:
        path: The file; its folder must exist.

    Yields:
        Where to write. If the block raises, ``path`` is as it was.

    Raises:
        OSError: The disk is full or the folder is gone; it names the file.
    """
    with _named(path):
        stream, draft = _draft(path)
        try:
            with stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                # Before it is closed: until then its lock says that its writer lives.
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
def _named(path: Path) -> Iterator[None]:
    """Give errors the file's name: a write that fails says none, and a draft's helps nobody."""
    try:
        yield
    except OSError as error:
        if error.filename is None or _DRAFT.fullmatch(Path(error.filename).name):
            error.filename = str(path)
            # Set to None it would be shown.
            del error.filename2
        raise


def _draft(path: Path) -> tuple[BinaryIO, Path]:
    """A draft that is locked as long as it is open."""
    while True:
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        stream = draft.open("xb")
        # Who cleans up may have come between.
        if _lock(stream) and draft.exists():
            return stream, draft
        stream.close()
        draft.unlink(missing_ok=True)


def drop_dead_drafts(folder: Path) -> None:
    """Remove the drafts that killed writers left in a folder and those below it.

    Where the file system has no locks, it cannot be known who lives, and all of them stay.
    """
    for draft in folder.rglob(".*.tmp"):
        if _DRAFT.fullmatch(draft.name):
            with suppress(OSError), draft.open("ab") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()


def _lock(file: IO[bytes] | IO[str]) -> bool:
    """Lock an open file unless another process has; true where the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a lock file for the block where it is free; the file is removed with the lock.

    Args:
        path: The lock file, made with its folder.

    Yields:
        Whether it is ours. It never waits.

    Raises:
        OSError: The file cannot be made.
    """
    lock = _taken(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            path.unlink(missing_ok=True)
            lock.close()


def _taken(path: Path) -> IO[bytes] | None:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = path.open("ab")
        except FileNotFoundError:  # whoever held it removed the folder too
            continue
        if not _lock(lock):
            lock.close()
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(lock.fileno())):
                return lock
        lock.close()


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
        if not _lock(lock):
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
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
