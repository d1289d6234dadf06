"""A folder in; a checkpoint with a digest of its files out."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from distlab.checkpoints.checkpoint import Checkpoint, CheckpointSpec
from distlab.errors import UserError

_SAMPLE_BYTES = 1 << 20


def resolve_local(spec: CheckpointSpec) -> Checkpoint:
    """A checkpoint in a folder.

    Raises:
        UserError: The folder holds no checkpoint.
    """
    folder = local_folder(spec)
    return Checkpoint(spec.id, str(folder), None, _folder_digest(folder))


def local_folder(spec: CheckpointSpec) -> Path:
    """The folder of a checkpoint.

    Raises:
        UserError: It holds no checkpoint.
    """
    folder = Path(spec.id).expanduser().resolve()
    if (folder / "config.json").is_file():
        return folder
    if (folder / "adapter_config.json").is_file():
        raise UserError(
            f"checkpoint folder {folder} holds an adapter and no whole checkpoint: merge it into "
            "its base (peft's merge_and_unload) and set `model.*.id` to the result"
        )
    if not folder.is_dir():
        lack = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"checkpoint folder {folder} {lack}: set `model.*.id` to one that is there")
    raise UserError(f"checkpoint folder {folder} has no config.json: set `model.*.id` to one")


def _folder_digest(folder: Path) -> str:
    """sha256 over names, sizes and the first and last MiB of the checkpoint's files.

    Reading a terabyte of weights to name them would cost an hour; a changed checkpoint that
    keeps every size and every edge of every shard is not a case we know.
    """
    digest = hashlib.sha256()
    for file in sorted(_checkpoint_files(folder)):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as handle:
            digest.update(handle.read(_SAMPLE_BYTES))
            if file.stat().st_size > _SAMPLE_BYTES:
                handle.seek(-_SAMPLE_BYTES, os.SEEK_END)
                digest.update(handle.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _checkpoint_files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model"):
        yield from folder.glob(pattern)
