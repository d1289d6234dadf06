"""Comparisons in; a terminal's tables, and a folder of Markdown and CSV out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console

from distlab.compare.comparison import ChangeRow, Comparison, DifferenceRow, SettingRow
from distlab.escape import markdown, plain, terminal
from distlab.files import whole
from distlab.report.wording import judge_name
from distlab.runs.scored import Judge
from distlab.tables.column import Column, label
from distlab.tables.flat import csv_text, flatten
from distlab.tables.markdown import table
from distlab.tables.numbers import p_value, percent, points_interval
from distlab.tables.terminal import print_table
from distlab.tables.text import lay

_Row = TypeVar("_Row")

# Rows of a table that a terminal and the Markdown show (ours); the CSV files have all.
_TERMINAL_ROWS: Final = 12
_MARKDOWN_ROWS: Final = 200
# Characters of an answer, a name or a value in a terminal's table (ours).
_BRIEF: Final = 18


def _judges(judge: Judge, by: Judge) -> str:
    return judge_name(judge) if judge == by else f"{judge_name(judge)} → {judge_name(by)}"


SETTING_COLUMNS: tuple[Column[SettingRow], ...] = (
    label("setting", lambda row: row.setting),
    label("first", lambda row: row.first),
    label("other", lambda row: row.second),
)
DIFFERENCE_COLUMNS: tuple[Column[DifferenceRow], ...] = (
    label("arm", lambda row: row.cell.arm),
    label("family", lambda row: _family(row)),
    label("dataset", lambda row: row.cell.dataset),
    label("prompt", lambda row: row.cell.prompt),
    label("judge", lambda row: _judges(row.judge, row.by)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("first", lambda row: percent(row.gap.base)),
    Column("other", lambda row: percent(row.gap.instruct)),
    Column("other − first [95 %]", lambda row: points_interval(row.gap.difference.estimate)),
    Column("if independent [95 %]", lambda row: points_interval(row.gap.difference.independent)),
    Column("first only", lambda row: str(row.gap.base_only)),
    Column("other only", lambda row: str(row.gap.instruct_only)),
    Column("p", lambda row: p_value(row.gap.difference.p)),
    Column("Holm", lambda row: p_value(row.holm)),
)
# What 80 columns hold.
COMPACT_SETTING_COLUMNS: tuple[Column[SettingRow], ...] = (
    label("setting", lambda row: plain(row.setting, 36)),
    label("first", lambda row: _brief(row.first)),
    label("other", lambda row: _brief(row.second)),
)
COMPACT_COLUMNS: tuple[Column[DifferenceRow], ...] = (
    *DIFFERENCE_COLUMNS[:6],
    Column("pairs", lambda row: str(row.gap.problems)),
    Column("first", lambda row: percent(row.gap.base)),
    Column("other − first [95 %]", lambda row: points_interval(row.gap.difference.estimate)),
)
COMPACT_CHANGE_COLUMNS: tuple[Column[ChangeRow], ...] = (
    label("problem", lambda row: _brief(row.problem)),
    label("cell", lambda row: row.cell),
    label("judge", lambda row: _judges(row.judge, row.by)),
    label("sample", lambda row: "" if row.rank < 0 else f"#{row.rank}"),
    label("first", lambda row: _told(row.before, row.before_answer)),
    label("other", lambda row: _told(row.after, row.after_answer)),
    label("gold", lambda row: _brief(row.gold)),
)
CHANGE_COLUMNS: tuple[Column[ChangeRow], ...] = (
    label("problem", lambda row: row.problem),
    label("cell", lambda row: row.cell),
    label("judge", lambda row: _judges(row.judge, row.by)),
    label("sample", lambda row: "" if row.rank < 0 else f"#{row.rank}"),
    label("first", lambda row: row.before),
    label("other", lambda row: row.after),
    label("first answer", lambda row: row.before_answer),
    label("other answer", lambda row: row.after_answer),
    label("gold", lambda row: row.gold),
)


def _family(row: DifferenceRow) -> str:
    first, other = row.cell.family, row.other.family
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
        title = f"{comparison.second} against {comparison.first}"
        console.print(terminal(title, None), style="bold underline")
        _some(console, "Settings that differ", COMPACT_SETTING_COLUMNS, comparison.settings)
        scores = [row for row in comparison.differences if row.metric != "one answer"]
        print_table(console, "Scores on the shared problems", COMPACT_COLUMNS, scores)
        _some(console, "Verdicts that differ", COMPACT_CHANGE_COLUMNS, comparison.changes)
        for sentence in comparison.cannot:
            console.print(terminal(f"Note: {sentence}", None))
        if not comparison.settings:
            console.print("The manifests differ in no setting.")


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
            {"first": each.first, "other": each.second, **flatten(row)}
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
    parts = [
        f"# {markdown(comparison.second, None)} against {markdown(comparison.first, None)}\n",
        "Differences are the other run minus the first, in percentage points, paired by problem "
        "with an interval that takes shared sources into account.\n",
        _section("Settings that differ", SETTING_COLUMNS, comparison.settings),
        _section("Scores on the shared problems", DIFFERENCE_COLUMNS, comparison.differences),
        _section("Verdicts that differ", CHANGE_COLUMNS, comparison.changes),
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
