"""Checkpoints with a config.json and the headers of weights that are all holes."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WIDTHS = {"BF16": 2, "F16": 2, "F32": 4, "F8_E4M3": 1, "I32": 4, "U8": 1}

Tensors = Iterable[tuple[str, str, tuple[int, ...]]]
"""Name, dtype and shape of each."""


def write_checkpoint(folder: Path, config: Mapping[str, Any], tensors: Tensors = ()) -> Path:
    """A folder with a config.json and, where there are tensors, a sparse file of safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    header, at = {}, 0
    for name, dtype, shape in tensors:
        size = WIDTHS[dtype]
        for extent in shape:
            size *= extent
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    if header:
        raw = json.dumps(header).encode()
        file = folder / "model.safetensors"
        file.write_bytes(len(raw).to_bytes(8, "little") + raw)
        # Zeros that take no room on the disk.
        os.truncate(file, 8 + len(raw) + at)
    return folder
