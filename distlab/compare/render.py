"""Comparisons in; a terminal's tables, and a folder of Markdown and CSV out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console

from distlab.compare.comparison import ChangeRow, Comparison, DifferenceRow, SettingRow
from distlab.escape import markdown, plain, terminal
from distlab.files import whole
from distlab.report.wording import judge_name
from distlab.runs.pairing import ONE_ANSWER
from distlab.runs.scored import Judge
from distlab.tables.column import Column, label
from distlab.tables.flat import csv_text, flatten
from distlab.tables.markdown import table
from distlab.tables.numbers import p_value, percent, points_interval
from distlab.tables.terminal import print_table
from distlab.tables.text import lay

_Row = TypeVar("_Row")

# Rows of a table that a terminal and the Markdown show (ours); the CSV files have all.
_TERMINAL_ROWS: Final = 8
_MARKDOWN_ROWS: Final = 200
# Characters of an answer, a name or a value in a terminal's table (ours).
_BRIEF: Final = 18
# Headers are broken at blanks, and this one is not to be.
_DIFFERENCE: Final = "\N{NO-BREAK SPACE}".join("B−A") + " [95 %]"


def _judges(judge: Judge, by: Judge) -> str:
    return judge_name(judge) if judge == by else f"{judge_name(judge)} → {judge_name(by)}"


SETTING_COLUMNS: tuple[Column[SettingRow], ...] = (
    label("setting", lambda row: row.setting),
    label("A", lambda row: row.first, stays=True),
    label("B", lambda row: row.second, stays=True),
)
DIFFERENCE_COLUMNS: tuple[Column[DifferenceRow], ...] = (
    label("arm", lambda row: _either(row.cell.arm, row.other.arm)),
    label("family", lambda row: _either(row.cell.family, row.other.family)),
    label("dataset", lambda row: _either(row.cell.dataset, row.other.dataset)),
    label("prompt", lambda row: _either(row.cell.prompt, row.other.prompt)),
    label("judge", lambda row: _judges(row.judge, row.by)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("A", lambda row: percent(row.gap.base)),
    Column("B", lambda row: percent(row.gap.instruct)),
    Column(
        _DIFFERENCE,
        lambda row: points_interval(row.gap.difference.estimate),
    ),
    Column("if independent [95 %]", lambda row: points_interval(row.gap.difference.independent)),
    Column("A only", lambda row: str(row.gap.base_only)),
    Column("B only", lambda row: str(row.gap.instruct_only)),
    Column("p", lambda row: p_value(row.gap.difference.p)),
    Column("McNemar", lambda row: p_value(row.gap.mcnemar)),
    Column("Holm", lambda row: p_value(row.holm)),
    Column("equal within", lambda row: f"±{percent(row.margin)}: p {p_value(row.within)}"),
    Column("detectable", lambda row: percent(row.detectable)),
    label("said", lambda row: row.said),
)
# What 80 columns hold.
COMPACT_SETTING_COLUMNS: tuple[Column[SettingRow], ...] = (
    label("setting", lambda row: plain(row.setting, 36)),
    label("A", lambda row: _brief(row.first), stays=True),
    label("B", lambda row: _brief(row.second), stays=True),
)
COMPACT_COLUMNS: tuple[Column[DifferenceRow], ...] = (
    *DIFFERENCE_COLUMNS[:6],
    Column("pairs", lambda row: str(row.gap.problems)),
    Column("A", lambda row: percent(row.gap.base)),
    Column("B", lambda row: percent(row.gap.instruct)),
    Column(
        _DIFFERENCE,
        lambda row: points_interval(row.gap.difference.estimate),
    ),
)
TEST_COLUMNS: tuple[Column[DifferenceRow], ...] = (
    *DIFFERENCE_COLUMNS[:6],
    Column("only A/B", lambda row: f"{row.gap.base_only}/{row.gap.instruct_only}"),
    Column("p", lambda row: p_value(row.gap.difference.p)),
    Column("McNemar", lambda row: p_value(row.gap.mcnemar), spare=1),
    Column("equal", lambda row: p_value(row.within)),
    Column("detectable", lambda row: percent(row.detectable)),
    Column("said", lambda row: row.said),
)
CHANGE_COLUMNS: tuple[Column[ChangeRow], ...] = (
    label("problem", lambda row: row.problem),
    label("cell", lambda row: row.cell),
    label("judge", lambda row: _judges(row.judge, row.by)),
    label("sample", lambda row: "" if row.rank < 0 else f"#{row.rank}"),
    label("A", lambda row: row.before),
    label("B", lambda row: row.after),
    label("answer in A", lambda row: row.before_answer),
    label("answer in B", lambda row: row.after_answer),
    label("gold", lambda row: row.gold),
    label("question", lambda row: row.question),
)
COMPACT_CHANGE_COLUMNS: tuple[Column[ChangeRow], ...] = (
    label("problem", lambda row: _brief(row.problem)),
    *CHANGE_COLUMNS[1:4],
    label("A", lambda row: _told(row.before, row.before_answer), stays=True),
    label("B", lambda row: _told(row.after, row.after_answer), stays=True),
    label("gold", lambda row: _brief(row.gold), stays=True),
)
_WAYS: Final = {-1: "A right and B not", 1: "B right and A not", 0: "Other verdicts that differ"}


def named(row: DifferenceRow) -> str:
    """What a row compares, in one line."""
    return ", ".join(column.text(row) for column in DIFFERENCE_COLUMNS[:6])


def _either(first: str, other: str) -> str:
    return first if first == other else f"{first} → {other}"


def _brief(text: str) -> str:
    return plain(text, _BRIEF)


def _told(verdict: str, answer: str) -> str:
    return f"{verdict}: {_brief(answer)}" if answer else verdict


def render_terminal(comparisons: Sequence[Comparison], console: Console) -> None:
    """Print the settings that differ, the differences and the first changes.

    Args:
        comparisons: What ``compare`` gave.
        console: Where to print.
    """
    for comparison in comparisons:
        console.print(terminal(_title(comparison), None), style="bold underline")
        _some(console, "Settings that differ", COMPACT_SETTING_COLUMNS, comparison.settings)
        for sentence in comparison.pairing:
            console.print(terminal(sentence, None))
        scores = [row for row in comparison.differences if row.metric != ONE_ANSWER]
        print_table(console, "Scores on the shared problems", COMPACT_COLUMNS, scores)
        margin = percent(comparison.differences[0].margin)
        title = f"Tests: p of no difference, of a difference of {margin} points or more (equal)"
        print_table(console, title, TEST_COLUMNS, scores)
        for way, name in _WAYS.items():
            rows = [row for row in comparison.changes if row.way == way]
            _some(console, name, COMPACT_CHANGE_COLUMNS, rows)
        for sentence in comparison.cannot:
            console.print(terminal(f"Note: {sentence}", None))
        if not comparison.settings:
            console.print("The manifests differ in no setting.")


def _title(comparison: Comparison) -> str:
    return f"A is {comparison.first}, B is {comparison.second}"


def _some(
    console: Console, title: str, columns: Sequence[Column[_Row]], rows: Sequence[_Row]
) -> None:
    more = len(rows) - _TERMINAL_ROWS
    shown = f"{title} ({_TERMINAL_ROWS} of {len(rows)})" if more > 0 else title
    print_table(console, shown, columns, rows[:_TERMINAL_ROWS])


def write_comparison(folder: Path, comparisons: Sequence[Comparison]) -> Path:
    """Write ``compare.md`` and the whole tables as CSV.

    Args:
        folder: Where to; made if absent.
        comparisons: What ``compare`` gave.

    Returns:
        The path of ``compare.md``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("settings", "differences", "changes"):
        rows = [
            {"A": each.first, "B": each.second, **flatten(row)}
            for each in comparisons
            for row in getattr(each, name)
        ]
        file = folder / f"{name}.csv"
        if not rows:
            file.unlink(missing_ok=True)
            continue
        with whole(file) as stream:
            stream.write(csv_text(rows).encode())
    report = folder / "compare.md"
    with whole(report) as stream:
        stream.write("\n".join(map(_markdown, comparisons)).encode())
    return report


def _markdown(comparison: Comparison) -> str:
    paired = "".join(f"- {markdown(sentence, None)}\n" for sentence in comparison.pairing)
    margin = percent(comparison.differences[0].margin)
    parts = [
        f"# {markdown(_title(comparison), None)}\n",
        "Differences are B minus A, in percentage points, paired by problem with an interval that "
        "takes shared sources into account. “p” is the exact sign-flip test over sources, "
        "“McNemar” the exact test as if problems were independent, “Holm” is p adjusted over all "
        "tests of the table, “equal within” are two one-sided tests against a difference of "
        f"{margin} points, and “detectable” is the true difference that as many problems show "
        "with 80 % power.\n",
        f"## Problems\n\n{paired}",
        _section("Settings that differ", SETTING_COLUMNS, comparison.settings),
        _section("Scores on the shared problems", DIFFERENCE_COLUMNS, comparison.differences),
        *(
            _section(
                name,
                CHANGE_COLUMNS,
                [row for row in comparison.changes if row.way == way],
            )
            for way, name in _WAYS.items()
        ),
    ]
    if comparison.cannot:
        said = "".join(f"- {markdown(sentence, None)}\n" for sentence in comparison.cannot)
        parts.append(f"## What cannot be compared\n\n{said}")
    return "\n".join(parts)


def _section(title: str, columns: Sequence[Column[_Row]], rows: Sequence[_Row]) -> str:
    body = table(lay(title, title, columns, rows[:_MARKDOWN_ROWS])) or "None.\n"
    more = len(rows) - _MARKDOWN_ROWS
    rest = f"\n{more} more are in the CSV file.\n" if more > 0 else ""
    return f"## {title}\n\n{body}{rest}"
