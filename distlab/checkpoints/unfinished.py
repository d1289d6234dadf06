"""The folder of a checkpoint in; what it still lacks out, while a training writes it."""

import json
from pathlib import Path
from typing import Final

_INDEX: Final = "model.safetensors.index.json"


def unfinished(folder: Path) -> str | None:
    """What a checkpoint lacks of being whole; None where it lacks nothing.

    It is whole where config.json is there, and every file of weights that the index names (without
    one, every file in safetensors) holds the bytes that its header says.

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
    if not names:
        return "it has no weights in safetensors"
    return next((lack for name in names if (lack := _file_lack(folder / name)) is not None), None)


def _weights(folder: Path) -> list[str]:
    """Names of the files that hold the weights."""
    if (index := folder / _INDEX).is_file():
        return sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    return sorted(path.name for path in folder.glob("*.safetensors"))


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
