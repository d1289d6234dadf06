"""StudyTables in; ``results/``: every table as Parquet, CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from distlab.analysis.intervals import Estimate
from distlab.escape import spreadsheet
from distlab.files import whole
from distlab.report.latex import latex_table
from distlab.report.markdown import table
from distlab.report.records import CurveRow, StudyTables, WinnerRow
from distlab.report.texts import text_tables
from distlab.store.cell import Cell

# Records whose fields need no prefix: their names say what they are.
_BARE: Final = frozenset(
    {"cell", "judge", "gap", "drop", "parts", "agreement", "sides", "sample", "trend"}
)

_Record = dict[str, str | int | float | bool]


def write_results(folder: Path, study: StudyTables) -> None:
    """Write every table with rows, and remove those of an earlier report that have none now.

    Parquet and CSV hold plain numbers (shares, not per cent); Markdown and LaTeX hold the figures
    as people read them, ready for a paper. A CSV cell that a spreadsheet would run as a formula
    gets an apostrophe in front; Parquet holds the text as it is.

    Args:
        folder: The run's ``results/``; made if absent.
        study: The tables.
    """
    folder.mkdir(exist_ok=True)
    texts = text_tables(study)
    for name, rows in _tables(study).items():
        files = [folder / f"{name}.{kind}" for kind in ("parquet", "csv", "md", "tex")]
        if not rows:
            for file in files:
                file.unlink(missing_ok=True)
            continue
        parquet, *others = files
        with whole(parquet) as stream:
            pq.write_table(pa.Table.from_pylist(rows), stream)
        written = (csv_text(rows), table(texts[name]), latex_table(texts[name]))
        for file, text in zip(others, written, strict=True):
            with whole(file) as stream:
                stream.write(text.encode())


def _tables(study: StudyTables) -> Mapping[str, Sequence[_Record]]:
    plain: Mapping[str, Sequence[Any]] = {
        "scores": study.arms,
        "outcomes": study.outcomes,
        "gaps": study.gaps,
        "drops": study.drops,
        "drop_differences": study.drop_gaps,
        "unpaired_drops": study.unpaired,
        "agreement": study.agreements,
        "accepts": study.accepts,
        "disagreements": study.disagreements,
        "controls": study.controls,
        "grid": study.grid,
        "reasoning": study.reasoning,
        "reasoned_gaps": study.reasoned_gaps,
        "nulls": study.nulls,
        "beyond_null": study.excesses,
        "prompts": study.prompts,
        "strata": study.strata,
        "scale": study.scale,
        "trends": study.trends,
        "paper": study.replications,
    }
    tables = {name: [flatten(row) for row in rows] for name, rows in plain.items()}
    return tables | {
        "curves": [row for curve in study.curves for row in _curve(curve)],
        "winners": [row for winner in study.winners for row in _winner(winner)],
    }


def _winner(row: WinnerRow) -> Iterator[_Record]:
    """A row for each judge."""
    labels = dict(_flat("base", row.base)) | dict(_flat("instruct", row.instruct))
    for judge, winner in row.winners.items():
        yield {
            **labels,
            **dict(_flat("judge", judge)),
            "metric": row.metric,
            "winner": winner,
            "flips": row.flips,
        }


def _curve(row: CurveRow) -> Iterator[_Record]:
    labels = dict(_flat("cell", row.cell)) | dict(_flat("judge", row.judge))
    yield from (
        {**labels, "k": k, "pass_at_k": float(value)} for k, value in enumerate(row.values, start=1)
    )


def flatten(row: Any) -> _Record:  # noqa: ANN401 (any record of the tables)
    """A record's fields as columns; a nested record's get the name of the field in front."""
    return {
        name: value
        for field in fields(row)
        for name, value in _flat(field.name, getattr(row, field.name))
    }


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    prefix = "" if name in _BARE else f"{name}_"
    if isinstance(value, Estimate):
        yield from ((name, value.value), (f"{name}_low", value.low), (f"{name}_high", value.high))
    elif isinstance(value, Cell):
        for part in ("family", "variant", "decoding", "dataset", "prompt", "n"):
            yield f"{prefix}{part}", getattr(value, part)
    elif is_dataclass(value):
        yield from ((f"{prefix}{key}", item) for key, item in flatten(value).items())
    else:
        yield name, value


def csv_text(rows: Sequence[_Record]) -> str:
    """Records as CSV that no spreadsheet runs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            spreadsheet(value) if isinstance(value, str) else value for value in row.values()
        )
    return text.getvalue()
