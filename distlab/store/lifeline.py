"""A process's lifeline: a locked file in this machine's memory, held for as long as it lives.

    /dev/shm/distlab-ID     locked by the driver ID

The kernel lets the lock go however the process ends. That the file is there says that the process
ran on this very machine, or in this container: no other has the same memory, neither one that was
cloned from the same image nor one that believes to have booted at the same moment.
"""

import contextlib
import fcntl
import os
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")


class Lifeline:
    """Held by this process until ``release``, or until it ends."""

    def __init__(self, name: str) -> None:
        """Take hold of it; without shared memory nobody will find it, which ``is_alive`` says.

        Args:
            name: Hex, unique.
        """
        self._path = _file(name)
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError:
            return
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let go, and leave nothing behind."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def is_alive(name: str) -> bool | None:
    """Whether a process of this machine holds a lifeline; None where this machine cannot tell."""
    try:
        descriptor = os.open(_file(name), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def forget(name: str) -> None:
    """Take away what a dead process of this user left."""
    with contextlib.suppress(OSError):
        _file(name).unlink()


def _file(name: str) -> Path:
    return _SHARED_MEMORY / f"distlab-{name}"
