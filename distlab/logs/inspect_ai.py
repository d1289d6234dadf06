"""Inspect: logs as ``.eval`` (a zip) and as ``.json``.

Seen with 0.3.285, whose zips are packed with Zstandard, which Python's own library cannot unpack.
"""

import json
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    FirstReading,
    Scores,
    as_score,
    asked_last,
    content,
    gold_of_target,
    item,
)
from distlab.problems.rows import Row, RowStream

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
    is_zip = zipfile.is_zipfile(file)
    header, samples = _zipped(file) if is_zip else _plain(file)
    done = RowStream(lambda: (row for row in samples if _is_done(row)))
    ranks = _ranks(done)
    rows = RowStream(lambda: (_row(row, ranks) for row in done))
    reading, scores = FirstReading(), Scores()
    for row in reading.of(rows):
        for name, value in _scored(row):
            scores.add(name, str(row.fields[ID]), int(str(row.fields[RANK])), value)
    if not reading.samples:
        raise UserError(
            f"{file} holds no sample with a completion: status {header.get('status')!r}; "
            "give a log of a run that ended"
        )
    total, ended = sum(1 for _ in samples), reading.samples
    said = (f"{total - ended} of {total} samples ended with an error and are missing",)
    results = item(header, "results", "scores")
    return EvalLog(
        tool=TOOL,
        task=str(item(header, "eval", "task") or file.stem),
        model=item(header, "eval", "model"),
        rows=rows,
        held=reading.held,
        n=reading.n,
        scores=tuple(scores.score(name, _reported(name, results)) for name in scores.names()),
        settings=_settings(header),
        said=said if ended < total else (),
    )


def is_one(value: Mapping[str, object]) -> bool:
    """Whether parsed JSON is a log; one of a run that did not end may have no samples."""
    return {"eval", "plan"} <= set(value)


def _is_done(row: Row) -> bool:
    return item(row.fields, "output", "choices", 0) is not None


def _plain(file: Path) -> tuple[Mapping[str, Any], Iterable[Row]]:
    """A log in one object, which is held as a whole."""
    header = _parsed(file, file.name, file.read_bytes())
    samples = header.get("samples")
    return header, tuple(_numbered(file, samples if isinstance(samples, list) else ()))


def _zipped(file: Path) -> tuple[Mapping[str, Any], Iterable[Row]]:
    """A log with a member for each sample."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(file, error) from None
    if "header.json" not in names:
        raise UserError(f"{file} has no header.json: its run did not end; end it first")
    samples = [name for name in names if name.startswith("samples/")]
    (header,) = _members(file, ["header.json"])
    return header, RowStream(lambda: _numbered(file, _members(file, samples)))


def _numbered(file: Path, samples: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return (Row(f"{file} sample {n}", each) for n, each in enumerate(samples, start=1))


def _members(file: Path, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The objects that some members of a zip are."""
    try:
        with zipfile.ZipFile(file) as archive, file.open("rb") as raw:
            for name in names:
                info = archive.getinfo(name)
                is_zstd = info.compress_type == _ZSTD
                text = _unpacked(raw, info) if is_zstd else archive.read(info)
                yield _parsed(file, name, text)
    except (zipfile.BadZipFile, OSError, EOFError, struct.error, pa.ArrowException) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> UserError:
    return UserError(f"{file} is damaged ({error}); copy it again")


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


def _ranks(done: Iterable[Row]) -> dict[tuple[str, int], int]:
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


def _scored(row: Row) -> Iterator[tuple[str, object]]:
    """Each scorer's value of a sample; of several values ("scorer.key"), each."""
    for name, score in (item(row.fields, "scores") or {}).items():
        value = item(score, "value")
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", each) for key, each in value.items())
        else:
            yield name, value


def _reported(name: str, results: object) -> float | None:
    for score in results if isinstance(results, list) else ():
        names = (item(score, "name"), f"{item(score, 'scorer')}.{item(score, 'name')}")
        if name in names and item(score, "reducer") in (None, "mean"):
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
