"""StudyTables in; the text of report.md out."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from distlab.report.columns import (
    AGREEMENT_COLUMNS,
    CONTROL_COLUMNS,
    DISAGREEMENT_COLUMNS,
    DROP_COLUMNS,
    DROP_GAP_COLUMNS,
    GAP_COLUMNS,
    GRID_COLUMNS,
    PROMPT_COLUMNS,
    REASONING_COLUMNS,
    REPLICATION_COLUMNS,
    STRATUM_COLUMNS,
    Column,
    Row,
    arm_columns,
)
from distlab.report.escape import markdown, plain
from distlab.report.figures import DASH, judge_name, pass_label, percent, points_interval
from distlab.report.prose import COLUMNS, METHODS
from distlab.report.records import CurveRow, GapRow, Judge, StudyTables, WinnerRow

# Values of a stratum up to which its table is shown (ours).
_STRATUM_VALUES: Final = 12
# Failed problems listed by name (ours); all are counted.
_FAILURES_LISTED: Final = 20
# The k of the curve tables (ours), beside the largest n.
_CURVE_KS: Final = (1, 2, 5, 10, 20)
_WINNERS: Final = {
    1: "instruct solves more",
    -1: "base solves more",
    0: "no winner by the interval",
}


def render_markdown(study: StudyTables) -> str:
    """The whole report.

    Args:
        study: The tables; text in them is escaped here.
    """
    parts = [
        _opening(study),
        _section("In short", "".join(f"- {line}\n" for line in _sentences(study))),
        _section("Scores", *(_arms(study, judge) for judge in study.judges)),
        _section("Gap between base and instruct", _table(GAP_COLUMNS, study.gaps)),
        _section(
            "Perturbation drop",
            _table(DROP_COLUMNS, study.drops),
            _table(DROP_GAP_COLUMNS, study.drop_gaps),
        ),
        _section(
            "Graders and extractors",
            _table(AGREEMENT_COLUMNS, study.agreements),
            _table(_winner_columns(study.judges), study.winners),
            _table(DISAGREEMENT_COLUMNS, study.disagreements),
        ),
        _section(
            "Model or decoding",
            _table(CONTROL_COLUMNS, study.controls),
            _table(GRID_COLUMNS, study.grid),
        ),
        _section("Answers without reasoning", _table(REASONING_COLUMNS, study.reasoning)),
        _section("Prompts", _table(PROMPT_COLUMNS, study.prompts)),
        _section("Strata", _strata(study)),
        _section("Beside the paper", _table(REPLICATION_COLUMNS, study.replications)),
        _section("pass@k", _table(_curve_columns(study.curves), study.curves)),
        _section("What cannot be said", _bullets((*study.cannot, *study.remarks))),
        _section("Failed problems", _failures(study)),
        _section("What the columns mean", COLUMNS),
        _section("Methods", METHODS),
        _section("Cells", _cells(study)),
        _section("Datasets", _texts(("dataset", "fact", "value"), _datasets(study))),
        _section("Versions and timings", _texts(("what", "value"), _facts(study))),
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, *bodies: str) -> str:
    kept = [body for body in bodies if body]
    return "\n".join([f"## {title}", "", *kept]) if kept else ""


def _table(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> str:
    """A Markdown table with every cell escaped; nothing where there are no rows."""
    lines = [[_cell(column, row) for column in columns] for row in rows]
    if not lines:
        return ""
    titles = [column.title for column in columns]
    rule = ["---:" if column.number else "---" for column in columns]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *lines))


def _cell(column: Column[Row], row: Row) -> str:
    return column.text(row) if column.number else markdown(column.text(row))


def _texts(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts."""

    def cell(place: int) -> Callable[[Sequence[str]], str]:
        return lambda row: row[place]

    columns = [Column(title, cell(place), number=False) for place, title in enumerate(titles)]
    return _table(columns, rows)


def _bullets(sentences: Iterable[str]) -> str:
    return "".join(f"- {markdown(sentence, None)}\n" for sentence in sentences)


def _opening(study: StudyTables) -> str:
    notes = "".join(f"> {markdown(note, None)}\n>\n" for note in study.manifest.notes)
    command = plain(study.manifest.command, None)
    return f"# {markdown(study.manifest.run)}\n\n{notes}\nCommand:\n\n    {command}\n"


def _sentences(study: StudyTables) -> Iterator[str]:
    for row in study.gaps:
        if row.primary and row.headline:
            yield _sentence(row)


def _sentence(row: GapRow) -> str:
    difference = row.gap.difference
    where = f"{row.base.family} on {row.base.dataset} ({row.base.prompt}), {judge_name(row.judge)}"
    arms = f"{row.metric} of {row.instruct.arm} minus {row.base.arm}"
    return (
        f"{markdown(where, None)}: {markdown(arms, None)} is {points_interval(difference)} points "
        f"over {row.gap.problems} problems: {_WINNERS[difference.sign]}."
    )


def _arms(study: StudyTables, judge: Judge) -> str:
    rows = [row for row in study.arms if row.judge == judge]
    label = pass_label({row.cell.n for row in rows})
    title = f"Extractor {markdown(judge.extractor)}, grader {markdown(judge.grader)}; per cent."
    return f"{title}\n\n{_table(arm_columns(label), rows)}"


def _strata(study: StudyTables) -> str:
    """Strata that have few values, under the headline judge; ``results/`` has all."""
    rows = [row for row in study.strata if row.judge == study.headlines[row.base.key]]
    values: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        values.setdefault((row.base.dataset, row.stratum), set()).add(row.value)
    few = {label for label, found in values.items() if 1 < len(found) <= _STRATUM_VALUES}
    return _table(STRATUM_COLUMNS, [row for row in rows if (row.base.dataset, row.stratum) in few])


def _winner_columns(judges: Sequence[Judge]) -> tuple[Column[WinnerRow], ...]:
    def under(judge: Judge) -> Column[WinnerRow]:
        title = f"winner, {markdown(judge_name(judge))}"
        return Column(title, lambda row: row.winners.get(judge, DASH), number=False)

    return (
        Column("family", lambda row: row.base.family, number=False),
        Column("dataset", lambda row: row.base.dataset, number=False),
        Column("prompt", lambda row: row.base.prompt, number=False),
        Column("score", lambda row: row.metric, number=False),
        *map(under, judges),
        Column("sign flips", lambda row: "yes" if row.flips else "no", number=False),
    )


def _curve_columns(rows: Sequence[CurveRow]) -> tuple[Column[CurveRow], ...]:
    longest = max((row.cell.n for row in rows), default=0)

    def at(k: int) -> Column[CurveRow]:
        return Column(
            f"k = {k}", lambda row: percent(row.values[k - 1]) if k <= row.cell.n else DASH
        )

    return (
        Column("cell", lambda row: row.cell.key, number=False),
        Column("judge", lambda row: judge_name(row.judge), number=False),
        *(at(k) for k in (*(k for k in _CURVE_KS if k < longest), longest)),
    )


def _failures(study: StudyTables) -> str:
    failures = study.manifest.failures
    listed = [(row.cell, row.problem_id, row.error) for row in failures[:_FAILURES_LISTED]]
    table = _texts(("cell", "problem", "error"), listed)
    more = len(failures) - len(listed)
    return f"{table}\n{more} more are in the manifest.\n" if more else table


def _cells(study: StudyTables) -> str:
    titles = ("cell", "decoding", "n", "fingerprint", "folder in the store")
    cells = study.manifest.cells
    return _texts(titles, [(c.key, c.kind, str(c.n), c.fingerprint, c.path) for c in cells])


def _datasets(study: StudyTables) -> Iterator[tuple[str, str, str]]:
    for name, facts in study.manifest.datasets.items():
        yield from ((name, key, _shown(value)) for key, value in facts.items())


def _facts(study: StudyTables) -> Iterator[tuple[str, str]]:
    manifest = study.manifest
    yield from manifest.versions.items()
    yield from ((f"host: {key}", _shown(value)) for key, value in manifest.host.items())
    yield from ((f"seconds: {key}", f"{took:.1f}") for key, took in manifest.timings_s.items())
    yield from ((key, str(count)) for key, count in manifest.counts.items())
    yield "store", manifest.store


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
