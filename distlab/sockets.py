"""Where sockets of Ray and vLLM go: the kernel takes no path of theirs over 107 bytes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from distlab.errors import UserError

_LONGEST = 107
# What Ray puts below its temporary folder, and vLLM below its own: the longest that each can be.
_RAY = len("/ray/session_2026-01-31_23-59-59_000000_4194304/sockets/plasma_store")
_VLLM = len("/00000000-0000-0000-0000-000000000000")
_SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def ray_folder(environment: Mapping[str, str], short: Sequence[str] = _SHORT) -> str | None:
    """A folder for Ray's files, where the usual one's path is too long for its sockets.

    Args:
        environment: ``os.environ``.
        short: Folders to choose from.

    Returns:
        An absolute path, or None where Ray can choose for itself.

    Raises:
        UserError: It is too long, and nothing shorter can be written.
    """
    usual = environment.get("RAY_TMPDIR") or environment.get("TMPDIR") or "/tmp"
    if _fits(usual, _RAY):
        return None
    if (found := _writable(short)) is None:
        raise UserError(
            f"the temporary folder {usual} has {len(os.fsencode(usual))} bytes, and Ray's sockets "
            f"leave it {_LONGEST - _RAY}: set RAY_TMPDIR to a shorter one"
        )
    return f"{found}/ray"


def vllm_folder(usual: str, short: Sequence[str] = _SHORT) -> str | None:
    """A folder for vLLM's sockets, where ``usual`` is too long; None where it can stay."""
    return None if _fits(usual, _VLLM) else _writable(short)


def _fits(folder: str, below: int) -> bool:
    return len(os.fsencode(folder)) + below <= _LONGEST


def _writable(folders: Sequence[str]) -> str | None:
    usable = (folder for folder in folders if Path(folder).is_dir())
    return next((folder for folder in usable if os.access(folder, os.W_OK | os.X_OK)), None)
