"""The folder of a checkpoint in; what it still lacks out, while a training writes it."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from distlab.errors import brief

_INDEX: Final = "model.safetensors.index.json"
# One of several files, as transformers names them.
_SHARD: Final = re.compile(r"(.*)-\d+-of-(\d+)\.safetensors")


def unfinished(folder: Path) -> str | None:
    """What a checkpoint lacks of being whole; None where it lacks nothing.

    It is whole where config.json is there, and every file of weights that the index names (without
    one, every file in safetensors, and as many as their names say) holds the bytes that its
    header says.

    Args:
        folder: Of a checkpoint in safetensors.

    Returns:
        A clause, as in "model-00002-of-00002.safetensors is not there".
    """
    try:
        json.loads((folder / "config.json").read_bytes())
        names = _weights(folder)
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is not there"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"config.json or {_INDEX} is not whole"
    if (lack := strayed(folder)) is not None:
        return lack
    if not names:
        return "it has no weights in safetensors"
    lacks = (_file_lack(folder / name) for name in names)
    return _shards_lack(names) or next((lack for lack in lacks if lack is not None), None)


def strayed(folder: Path) -> str | None:
    """Which file the index names that is not in the folder's tree; None where it names none.

    Returns:
        A clause, as ``unfinished`` gives it.
    """
    try:
        names = _weights(folder)
        paths = [(name, PurePosixPath(name)) for name in names]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    out = (name for name, path in paths if path.is_absolute() or ".." in path.parts)
    return next((f"{_INDEX} names {brief(name)}, which is outside of it" for name in out), None)


def _weights(folder: Path) -> list[str]:
    """Names of the files that hold the weights."""
    if (index := folder / _INDEX).is_file():
        return sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    return sorted(path.name for path in folder.glob("*.safetensors"))


def _shards_lack(names: Iterable[str]) -> str | None:
    """What is missing where files are named as one of several; an index is written last."""
    sets = Counter((found[1], int(found[2])) for found in map(_SHARD.fullmatch, names) if found)
    for (stem, count), there in sets.items():
        if there < count:
            return f"{there} of the {count} files of {stem} are there"
    return None


def _file_lack(file: Path) -> str | None:
    from safetensors import SafetensorError, safe_open

    try:
        # Reads the header, and sees that the file ends where the last tensor does.
        with safe_open(file, framework="np"):
            return None
    except FileNotFoundError:
        return f"{file.name} is not there"
    except (SafetensorError, OSError):
        return f"{file.name} is not whole"
