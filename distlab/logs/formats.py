"""Which tool wrote a file, by what is in it."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from distlab.errors import UserError
from distlab.logs import (
    evalscope,
    every_eval_ever,
    inspect_ai,
    lighteval,
    lm_eval,
    nemo,
    olmo_eval,
)
from distlab.logs.log import EvalLog
from distlab.problems.rows import each_row

AUTO: Final = "auto"


class _Format(NamedTuple):
    """How a format is told and read."""

    is_one: Callable[[Mapping[str, object]], bool]
    read: Callable[[Path], EvalLog]


_FORMATS: Final[Mapping[str, _Format]] = {
    lm_eval.TOOL: _Format(lm_eval.is_one, lm_eval.read),
    inspect_ai.TOOL: _Format(inspect_ai.is_one, inspect_ai.read),
    evalscope.TOOL: _Format(evalscope.is_one, evalscope.read),
    lighteval.TOOL: _Format(lighteval.is_one, lighteval.read),
    olmo_eval.TOOL: _Format(olmo_eval.is_one, olmo_eval.read),
    nemo.TOOL: _Format(nemo.is_one, nemo.read),
    every_eval_ever.TOOL: _Format(every_eval_ever.is_one, every_eval_ever.read),
}
TOOLS: Final = (AUTO, *_FORMATS)
_ZIP: Final = b"PK\x03\x04"
_MAP: Final = "ingest it, and name its columns with --map, as in --map samples=code gold=gt"
# Tool, keys that its aggregates have, and what holds the samples.
_AGGREGATES: Final = (
    (lm_eval.TOOL, {"results", "configs"}, "the samples_*.jsonl that --log_samples writes"),
    (evalscope.TOOL, {"dataset_name", "metrics"}, "the file in predictions/"),
    (every_eval_ever.TOOL, {"evaluation_id", "evaluation_results"}, "the JSONL of its instances"),
)


def read_log(file: Path, tool: str) -> EvalLog:
    """Read a log.

    Args:
        file: The log.
        tool: Who wrote it; "auto" tells by what it holds.

    Raises:
        UserError: It is none of that tool's, or of no tool that is known.
    """
    if file.is_dir():
        raise UserError(f"log {file} is a folder; give the files in it")
    if not file.exists():
        raise UserError(f"log {file} does not exist; give the path of a file")
    if not file.is_file():
        raise UserError(f"log {file} is no file, and is read more than once: write it into one")
    first = _first(file)
    found = next((name for name, each in _FORMATS.items() if each.is_one(first)), None)
    if tool not in (AUTO, found):
        raise UserError(
            f"{file} is no log of {tool}" + (f"; --from {found} reads it" if found else f"; {_MAP}")
        )
    if found is None:
        raise UserError(f"{file} is no log of {', '.join(_FORMATS)}; {_MAP}")
    return _FORMATS[found].read(file)


def _first(file: Path) -> Mapping[str, object]:
    """What a file begins with: its first row, or the object that it is."""
    with file.open("rb") as handle:
        is_zip = handle.read(len(_ZIP)) == _ZIP
    if zipfile.is_zipfile(file):
        return dict.fromkeys(("eval", "plan"))
    if is_zip or file.suffix == ".eval":
        raise UserError(f"{file} is cut off; copy it again")
    if file.suffix == ".json":
        try:
            value = json.loads(file.read_bytes())
        except (ValueError, RecursionError):
            value = None
        for tool, keys, samples in _AGGREGATES:
            if isinstance(value, dict) and keys <= set(value):
                raise UserError(f"{file} holds {tool}'s aggregates, and no samples; give {samples}")
        if isinstance(value, dict) and inspect_ai.is_one(value):
            return value
    return next(each_row(file)).fields
