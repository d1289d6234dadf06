"""Inspect: logs as ``.eval`` (a zip) and as ``.json``.

Seen with 0.3.285, whose zips are packed with Zstandard, which Python's own library cannot unpack.
"""

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from distlab.errors import UserError
from distlab.logs.log import (
    CHOICES,
    GOLD,
    ID,
    QUESTION,
    RANK,
    SAMPLE,
    TRUNCATED,
    EvalLog,
    LogScore,
    as_score,
    asked_last,
    content,
    gold_of_target,
    item,
    scores_of,
)
from distlab.problems.rows import Row

TOOL: Final = "inspect"
_ZSTD: Final = 93
_LOCAL_HEADER: Final = struct.Struct("<26xHH")
_ATTACHED: Final = "attachment://"
_CUT: Final = ("max_tokens", "model_length")
_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "seed",
    "stop_seqs",
    "num_choices",
)


def read(file: Path) -> EvalLog:
    """The samples of a log, errors left out and said.

    Raises:
        UserError: It is damaged, or holds no sample with a completion.
    """
    header, raw = _zipped(file) if zipfile.is_zipfile(file) else _plain(file)
    samples = [Row(f"{file} sample {n}", each) for n, each in enumerate(raw, start=1)]
    done = [row for row in samples if item(row.fields, "output", "choices", 0) is not None]
    if not done:
        raise UserError(
            f"{file} holds no sample with a completion: status {header.get('status')!r}; "
            "give a log of a run that ended"
        )
    failed = len(samples) - len(done)
    said = (f"{failed} of {len(samples)} samples ended with an error and are missing",)
    ranks = _ranks(done)
    rows = tuple(_row(row, ranks) for row in done)
    return EvalLog(
        tool=TOOL,
        task=str(item(header, "eval", "task") or file.stem),
        model=item(header, "eval", "model"),
        rows=rows,
        scores=tuple(_scores(rows, item(header, "results", "scores"))),
        settings=_settings(header),
        said=said if failed else (),
    )


def is_one(value: Mapping[str, object]) -> bool:
    """Whether parsed JSON is a log; one of a run that did not end may have no samples."""
    return {"eval", "plan"} <= set(value)


def _plain(file: Path) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    header = _parsed(file, file.name, file.read_bytes())
    samples = header.get("samples")
    return header, samples if isinstance(samples, list) else []


def _zipped(file: Path) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    try:
        with zipfile.ZipFile(file) as archive, file.open("rb") as raw:
            members = {info.filename: info for info in archive.infolist()}
            if "header.json" not in members:
                raise UserError(f"{file} has no header.json: its run did not end; end it first")

            def parsed(name: str) -> Mapping[str, Any]:
                info = members[name]
                if info.compress_type == _ZSTD:
                    return _parsed(file, name, _unpacked(raw, info))
                return _parsed(file, name, archive.read(info))

            names = [name for name in members if name.startswith("samples/")]
            return parsed("header.json"), [parsed(name) for name in names]
    except (zipfile.BadZipFile, OSError, EOFError, struct.error, pa.ArrowException) as error:
        raise UserError(f"{file} is damaged ({error}); copy it again") from None


def _unpacked(raw: Any, info: zipfile.ZipInfo) -> bytes:  # noqa: ANN401 (an open file)
    raw.seek(info.header_offset)
    name, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    raw.seek(name + extra, 1)
    packed = pa.BufferReader(raw.read(info.compress_size))
    with pa.CompressedInputStream(packed, "zstd") as stream:
        unpacked: bytes = stream.read()
    return unpacked


def _parsed(file: Path, name: str, text: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: {name} is not valid JSON ({error}); copy the log again") from None
    if not isinstance(value, dict):
        raise UserError(f"{file}: {name} is no JSON object; give a log of Inspect's")
    return value


def _ranks(done: Sequence[Row]) -> dict[tuple[str, int], int]:
    """Rank of each problem's epochs, which go on without those that ended with an error."""
    epochs: dict[str, set[int]] = {}
    for row in done:
        name, epoch = _name_and_epoch(row)
        epochs.setdefault(name, set()).add(epoch)
    return {
        (name, epoch): rank
        for name, mine in epochs.items()
        for rank, epoch in enumerate(sorted(mine))
    }


def _name_and_epoch(row: Row) -> tuple[str, int]:
    return str(row.fields.get("id")), int(item(row.fields, "epoch") or 1)


def _row(row: Row, ranks: Mapping[tuple[str, int], int]) -> Row:
    sample = row.fields
    attached = item(sample, "attachments") or {}
    given = item(sample, "input")
    asked = given if isinstance(given, str) else asked_last(given)
    choice = item(sample, "output", "choices", 0)
    text = item(sample, "output", "completion")
    if not isinstance(text, str):
        text = content(item(choice, "message", "content")) or ""
    offered = item(sample, "choices")
    fields = {
        **sample,
        ID: str(sample.get("id")),
        RANK: ranks[_name_and_epoch(row)],
        QUESTION: _resolved(asked or "", attached),
        GOLD: gold_of_target(item(sample, "target")),
        SAMPLE: _resolved(text, attached),
        TRUNCATED: item(choice, "stop_reason") in _CUT,
        CHOICES: offered or None,
    }
    return Row(row.place, fields)


def _resolved(text: str, attached: Mapping[str, str]) -> str:
    """A text that stands once for all where it is long."""
    if not text.startswith(_ATTACHED):
        return text
    return str(attached.get(text.removeprefix(_ATTACHED), text))


def _scores(rows: Sequence[Row], results: object) -> Iterator[LogScore]:
    """Each scorer, with its accuracy or mean."""
    names = dict.fromkeys(name for row in rows for name in item(row.fields, "scores") or ())
    for name in names:
        values = [item(row.fields, "scores", name, "value") for row in rows]
        if samples := scores_of(rows, values):
            yield LogScore(name, samples, _reported(name, results))


def _reported(name: str, results: object) -> float | None:
    for score in results if isinstance(results, list) else ():
        if item(score, "name") == name and item(score, "reducer") in (None, "mean"):
            for metric in ("accuracy", "mean"):
                if (value := as_score(item(score, "metrics", metric, "value"))) is not None:
                    return value
    return None


def _settings(header: Mapping[str, Any]) -> dict[str, Any]:
    config = {**(item(header, "eval", "model_generate_config") or {})}
    config |= item(header, "plan", "config") or {}
    steps = item(header, "plan", "steps") or []
    return {
        "sampling": {name: config[name] for name in _SAMPLING if name in config},
        "solvers": [{item(step, "solver"): item(step, "params")} for step in steps],
        "epochs": item(header, "eval", "config", "epochs"),
        "dataset": item(header, "eval", "dataset", "name"),
        "versions": item(header, "eval", "packages"),
        "created": item(header, "eval", "created"),
        "status": header.get("status"),
    }
