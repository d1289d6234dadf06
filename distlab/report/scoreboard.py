"""The scoreboard: what every pair of arms solves, as the terminal and the page show it first."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from distlab.analysis.claims import Answer, Kind
from distlab.analysis.estimate import Estimate
from distlab.errors import counted
from distlab.report.gap_table import GapRow, first_gap, headline_gaps
from distlab.report.questions import gap
from distlab.report.score_table import SCORES, ScoreRow, score_name
from distlab.report.sides import Sides
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, percent, points, points_interval

Side = Literal["base", "instruct"]
"""Which arm of a pair, whatever their stages are called."""

# Gaps up to which the answer is each one's own sentence (ours).
_FEW_GAPS: Final = 3


@dataclass(frozen=True, slots=True)
class BoardGap:
    """A gap with what is told of it.

    Attributes:
        row: The gap.
        answer: Whether one arm solves more, after adjustment.
        winner: Which of them; None unless the answer is yes.
    """

    row: GapRow
    answer: Answer
    winner: Side | None

    @property
    def solves_more(self) -> str:
        """The variant of the winner; empty unless there is one."""
        won = {"base": self.row.base, "instruct": self.row.instruct, None: None}[self.winner]
        return "" if won is None else won.variant

    @property
    def estimate(self) -> Estimate:
        """Instruct minus base."""
        return self.row.gap.difference.estimate


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A setting with its two arms, or with the one that has scores.

    Attributes:
        base: The base arm's scores under its headline judge, None without.
        instruct: The instruct arm's.
        gap: Of the two, at the largest k; None where they are not compared.
        first: The same with one sample; None where ``gap`` is that already, or there is none.
    """

    base: ScoreRow | None
    instruct: ScoreRow | None
    gap: BoardGap | None = None
    first: BoardGap | None = None

    @property
    def arms(self) -> tuple[ScoreRow, ...]:
        """The arms that have scores, at least one."""
        return tuple(arm for arm in (self.base, self.instruct) if arm is not None)

    @property
    def arm(self) -> ScoreRow:
        """The arm that names the setting."""
        return self.arms[0]


def board(study: StudyTables) -> tuple[BoardRow, ...]:
    """A row per gap of the study's own arms, then the arms of settings that have none.

    Arms that are drawn until decided have no scores to show; their gaps have a table of their own.
    """
    shown = (row for row in study.rows(SCORES) if not row.cell.until_decided)
    heads = {row.cell: row for row in shown if study.is_headline(row.cell, row.judge)}
    gaps = headline_gaps(study)
    rows = [_compared(study, row, heads) for row in gaps]
    compared = {_setting(row.base) for row in gaps}
    return (*rows, *(_alone(row) for c, row in heads.items() if _setting(c) not in compared))


def _compared(study: StudyTables, row: GapRow, heads: Mapping[Cell, ScoreRow]) -> BoardRow:
    base, instruct = heads.get(row.base), heads.get(row.instruct)
    first = first_gap(study, row)
    return BoardRow(
        base,
        instruct,
        _told(study, Kind.GAP, row),
        None if first is None else _told(study, Kind.FIRST, first),
    )


def _told(study: StudyTables, kind: Kind, row: GapRow) -> BoardGap:
    decision = study.family.find(kind, row.key)
    if decision is None:
        return BoardGap(row, Answer.CANNOT_TELL, None)
    winners: dict[int, Side] = {1: "instruct", -1: "base"}
    return BoardGap(row, decision.answer, winners.get(decision.direction))


def _setting(cell: Cell) -> tuple[str, str, str]:
    return cell.family, cell.dataset, cell.prompt


def _alone(row: ScoreRow) -> BoardRow:
    is_base = row.cell.variant == "base"
    return BoardRow(row if is_base else None, None if is_base else row)


def answers(study: StudyTables) -> Iterator[str]:
    """The study's answer: each gap's sentence, or of many gaps one that counts them."""
    gaps = headline_gaps(study)
    if len(gaps) <= _FEW_GAPS:
        yield from (said.text for said in gap.QUESTION.statements(study))
        return
    rows = board(study)
    families = len({row.base.family for row in gaps})
    said = _counted(study.sides, [r.gap for r in rows if r.gap is not None], score_name(study))
    first = [row.first for row in rows if row.first is not None]
    more = f" {_counted(study.sides, first, 'pass@1')}" if first else ""
    yield (
        f"{counted(len(gaps), 'comparison')} of "
        f"{families} {'family' if families == 1 else 'families'}. "
        f"{said}{more}"
    )


def _counted(sides: Sides, gaps: Sequence[BoardGap], score: str) -> str:
    won = Counter(gap.winner for gap in gaps)
    equal = sum(gap.answer is Answer.NO for gap in gaps)
    counts = {
        f"the {sides.second} arm solves more": won["instruct"],
        f"the {sides.first} arm solves more": won["base"],
        "both solve as much": equal,
        "which arm solves more cannot be told": won[None] - equal,
    }
    said = (f"{what} in {count} of {len(gaps)}" for what, count in counts.items() if count)
    return f"In {score}, {'; '.join(said)}."


def board_columns(study: StudyTables) -> Columns[BoardRow]:
    """The scoreboard's columns; spare ones go first where there is no room."""
    name = score_name(study)
    first: Columns[BoardRow] = ()
    if any(row.first is not None for row in board(study)):
        first = (
            Column("pass@1 gap", lambda row: _plain_gap(row.first)),
            Column("pass@1 solves more", lambda row: _winner(row.first), spare=2),
        )
    return (
        label("family", lambda row: row.arm.cell.family),
        label("dataset", lambda row: row.arm.cell.dataset),
        label("prompt", lambda row: row.arm.cell.prompt),
        label("base arm", lambda row: _arm(row.base), spare=4),
        label("instruct arm", lambda row: _arm(row.instruct), spare=4),
        Column("problems", _problems, spare=5),
        Column(f"base {name}", lambda row: _pass_n(row.base), spare=1),
        Column(f"instruct {name}", lambda row: _pass_n(row.instruct), spare=1),
        Column("gap (95 %)", lambda row: _gap(row.gap)),
        Column("solves more", lambda row: _winner(row.gap), spare=2),
        *first,
        Column("base pass@1", lambda row: _pass_1(row.base), spare=3),
        Column("instruct pass@1", lambda row: _pass_1(row.instruct), spare=3),
        Column("failed", lambda row: str(sum(arm.failed for arm in row.arms)), spare=4),
        Column("base cut off", lambda row: _cut_off(row.base), spare=3),
        Column("instruct cut off", lambda row: _cut_off(row.instruct), spare=3),
    )


def _problems(row: BoardRow) -> str:
    scored = min(arm.scored for arm in row.arms)
    return str(scored) if scored == row.arm.problems else f"{scored} of {row.arm.problems}"


def _arm(row: ScoreRow | None) -> str:
    return DASH if row is None else row.cell.arm


def _pass_n(row: ScoreRow | None) -> str:
    return DASH if row is None else percent(row.pass_n.value)


def _pass_1(row: ScoreRow | None) -> str:
    return DASH if row is None else percent(row.pass_1.value)


def _cut_off(row: ScoreRow | None) -> str:
    return DASH if row is None else percent(row.truncated.value)


def _gap(gap: BoardGap | None) -> str:
    return DASH if gap is None else points_interval(gap.estimate)


def _plain_gap(gap: BoardGap | None) -> str:
    return DASH if gap is None else points(gap.estimate.value)


def _winner(gap: BoardGap | None) -> str:
    return DASH if gap is None or gap.winner is None else gap.solves_more
