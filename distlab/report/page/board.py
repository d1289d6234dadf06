"""The page's first screen: title, answer, scoreboard, and the warnings that matter most."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from distlab.analysis.claims import Answer
from distlab.analysis.estimate import Estimate
from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.report.question import Finding
from distlab.report.score_table import ScoreRow, score_name
from distlab.report.scoreboard import BoardGap, BoardRow, answers, board
from distlab.report.table import StudyTables
from distlab.report.wording import stages_of
from distlab.tables.numbers import percent, points, points_interval

# Families that the title names, and warnings of the first screen (ours).
_FAMILIES_NAMED: Final = 4
_MOST_WARNINGS: Final = 3
# Rows of families up to which a cell says all that it has; beyond, the rest is in its tooltip.
_FEW_ROWS: Final = 8
# Share of cut off samples from which a cell is marked.
_MUCH_CUT_OFF: Final = 0.2
# Pixels of a small interval plot, and points from its middle to its end at the least.
_WIDTH, _HEIGHT, _LEAST_REACH = 84, 12, 10
_FIGURE: Final = re.compile(r"[+−]?\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class BoardCell:
    """One comparison on the scoreboard.

    Attributes:
        href: Where the page says more of it.
        gap: Instruct minus base in points, or the score of an arm that stands alone.
        plot: Its interval as an SVG picture; empty without.
        winner: Side that solves more after adjustment, "base" or "instruct"; else empty.
        scores: Pass@n of base and instruct, per cent.
        first: The same for pass@1.
        first_gap: Instruct minus base in pass@1, in points; empty where Pass@n is alone.
        first_winner: "base" or "instruct" in pass@1, else empty.
        cut: What is cut off of base and instruct, per cent.
        is_cut: Whether that is much in one of them.
        title: All of it in a sentence, for a pointer and a screen reader.
    """

    href: str
    gap: str
    plot: Markup
    winner: str
    scores: str
    first: str
    first_gap: str
    first_winner: str
    cut: str
    is_cut: bool
    title: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning with how often it comes in other figures."""

    text: str
    times: int


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What the page shows before anything else.

    Attributes:
        title: What the config calls the report, or the families.
        answers: The study's answer, a sentence or up to three.
        score: Name of the main score, as in "Pass@20".
        datasets: Columns of the scoreboard.
        rows: Family with prompt, and a cell per dataset; None where nothing is compared.
        is_brief: Whether cells leave to their tooltip what is not the gap.
        warnings: The ones that matter most.
        more_warnings: The others.
    """

    title: str
    answers: tuple[str, ...]
    score: str
    datasets: tuple[str, ...]
    rows: tuple[tuple[str, tuple[BoardCell | None, ...]], ...]
    is_brief: bool
    warnings: tuple[Warned, ...]
    more_warnings: tuple[Warned, ...]


def first_screen(study: StudyTables, findings: Sequence[Finding]) -> FirstScreen:
    """Lay out the first screen.

    Args:
        study: The tables.
        findings: The questions and their answers.
    """
    shown = board(study)
    datasets = tuple(dict.fromkeys(row.arm.cell.dataset for row in shown))
    rows = tuple(_rows(shown, datasets, score_name(study)))
    warned = tuple(_warnings(study, findings))
    return FirstScreen(
        title=_title(study),
        answers=tuple(answers(study)),
        score=score_name(study),
        datasets=datasets,
        rows=rows,
        is_brief=len(rows) > _FEW_ROWS,
        warnings=warned[:_MOST_WARNINGS],
        more_warnings=warned[_MOST_WARNINGS:],
    )


def _title(study: StudyTables) -> str:
    families = list(dict.fromkeys(cell.family for cell in study.manifest.cells))
    if given := study.manifest.config.get("report", {}).get("title"):
        return str(given)
    if not families:
        return study.manifest.run
    more = len(families) - _FAMILIES_NAMED
    named = ", ".join(families[:_FAMILIES_NAMED]) + (f" and {more} more" if more > 0 else "")
    stages = list(dict.fromkeys(cell.variant for cell in study.manifest.cells))
    if set(stages) <= {BASE, INSTRUCT}:
        return f"{named}: base and instruct"
    return f"{named}: {len(stages)} stages, {stages[0]} to {stages[-1]}"


def _rows(
    shown: Sequence[BoardRow], datasets: Sequence[str], score: str
) -> Iterator[tuple[str, tuple[BoardCell | None, ...]]]:
    places = {id(row): place for place, row in enumerate(shown)}
    reach = max([_LEAST_REACH, *(_reach(row) for row in shown)])
    groups: dict[tuple[str, str, str], dict[str, BoardRow]] = {}
    for row in shown:
        cell = row.arm.cell
        key = (cell.family, cell.prompt, _stages(row))
        groups.setdefault(key, {})[cell.dataset] = row
    for (family, prompt, stages), found in groups.items():
        cells = (found.get(dataset) for dataset in datasets)
        yield (
            f"{family} ({prompt}){stages}",
            tuple(
                None if row is None else _cell(row, places[id(row)], reach, score) for row in cells
            ),
        )


def _stages(row: BoardRow) -> str:
    """Of a ladder, which of its stages are compared."""
    return "" if row.gap is None else stages_of(row.gap.row.base, row.gap.row.instruct)


def _reach(row: BoardRow) -> float:
    """Points from zero to the farther end of a gap's interval."""
    if row.gap is None:
        return 0.0
    gap = row.gap.estimate
    ends = [100 * abs(end) for end in (gap.value, gap.low, gap.high) if not math.isnan(end)]
    return max(ends, default=0.0)


def _cell(row: BoardRow, place: int, reach: float, score: str) -> BoardCell:
    where = f"{row.arm.cell.family} on {row.arm.cell.dataset} ({row.arm.cell.prompt})"
    scores, first = _both(row, _pass_n), _both(row, _pass_1)
    cut = _both(row, lambda arm: percent(arm.truncated.value))
    gap = row.gap
    return BoardCell(
        href=f"#gap-{place}" if gap else "#gap",
        gap=points(gap.estimate.value) if gap else scores,
        plot=_plot(gap.estimate, reach, gap.winner or "") if gap else Markup(),
        winner=(gap and gap.winner) or "",
        scores=scores,
        first=first,
        first_gap=points(row.first.estimate.value) if row.first else "",
        first_winner=(row.first and row.first.winner) or "",
        cut=cut,
        is_cut=any(arm.truncated.value > _MUCH_CUT_OFF for arm in row.arms),
        title=f"{where}: {score} {scores} per cent, {_said(gap)}; pass@1 {first} per cent"
        f"{f', {_said(row.first)}' if row.first else ''}; cut off {cut} per cent",
    )


def _said(gap: BoardGap | None) -> str:
    """A gap in words, as in "gap −30.1 [−32.7, −27.4] points, base solves more"."""
    if gap is None:
        return "not compared"
    who = {
        Answer.YES: f"{gap.solves_more} solves more",
        Answer.NO: "both solve as much",
        Answer.CANNOT_TELL: "who solves more cannot be told",
    }[gap.answer]
    return f"gap {points_interval(gap.estimate)} points, {who}"


def _both(row: BoardRow, figure: Callable[[ScoreRow], str]) -> str:
    """Base and instruct, as in "64.6 → 45.8"."""
    return " → ".join(figure(arm) for arm in row.arms)


def _pass_n(arm: ScoreRow) -> str:
    return percent(arm.pass_n.value)


def _pass_1(arm: ScoreRow) -> str:
    return percent(arm.pass_1.value)


def _plot(gap: Estimate, reach: float, winner: str) -> Markup:
    """The interval on one axis for all cells, with a line at zero."""
    if math.isnan(gap.value):
        return Markup()

    def at(value: float) -> str:
        return f"{_WIDTH / 2 * (1 + 0.96 * 100 * value / reach):.1f}"

    low, high = (gap.value, gap.value) if math.isnan(gap.low) else (gap.low, gap.high)
    middle = _HEIGHT / 2
    return Markup(
        f'<svg class="interval {winner}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" aria-hidden="true"><path class="zero" d="M{_WIDTH / 2} 0V{_HEIGHT}"/>'
        f'<path d="M{at(low)} {middle}H{at(high)}"/>'
        f'<circle cx="{at(gap.value)}" cy="{middle}" r="3.5"/></svg>'
    )


def _warnings(study: StudyTables, findings: Sequence[Finding]) -> Iterator[Warned]:
    """What to doubt, then warnings of the answers, those that differ in figures alone as one."""
    yield from (Warned(doubt, 1) for doubt in study.doubts)
    groups: dict[str, list[str]] = {}
    for finding in findings:
        for statement in finding.statements:
            for text in statement.warnings:
                groups.setdefault(_FIGURE.sub("#", text), []).append(text)
    for texts in sorted(groups.values(), key=len, reverse=True):
        yield Warned(texts[0], len(texts))
