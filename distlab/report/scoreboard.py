"""The scoreboard: what every pair of arms solves, as the terminal and the page show it first."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Answer, Kind
from distlab.report.gap_table import GapRow, headline_gaps
from distlab.report.questions import gap
from distlab.report.score_table import SCORES, ScoreRow, score_name
from distlab.report.table import StudyTables
from distlab.store.cell import Cell, CellVariant
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, percent, points_interval

# Gaps up to which the answer is each one's own sentence (ours).
_FEW_GAPS: Final = 3


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A setting with its two arms, or with the one that has scores.

    Attributes:
        base: The base arm's scores under its headline judge, None without.
        instruct: The instruct arm's.
        gap: Of the two; None where they are not compared.
        answer: Whether one of them solves more, after adjustment.
        winner: Which of them; None unless the answer is yes.
    """

    base: ScoreRow | None
    instruct: ScoreRow | None
    gap: GapRow | None = None
    answer: Answer = Answer.CANNOT_TELL
    winner: CellVariant | None = None

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
    if row.gap.problems == 0:
        return BoardRow(base, instruct, row)
    decision = study.decision(Kind.GAP, row.key)
    winners: dict[int, CellVariant] = {1: "instruct", -1: "base"}
    return BoardRow(base, instruct, row, decision.answer, winners.get(decision.direction))


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
    compared = [row for row in board(study) if row.gap is not None]
    won = Counter(row.winner for row in compared)
    equal = sum(row.answer == Answer.NO for row in compared)
    families = len({row.base.family for row in gaps})
    yield (
        f"Of {len(gaps)} comparisons of {families} {'family' if families == 1 else 'families'}, "
        f"the instruct arm solves more in {won['instruct']} and the base arm in {won['base']}; "
        f"both solve as much in {equal}, and in {won[None] - equal} it cannot be told."
    )


def board_columns(study: StudyTables) -> Columns[BoardRow]:
    """The scoreboard's columns; spare ones go first where there is no room."""
    name = score_name(study)
    return (
        label("family", lambda row: row.arm.cell.family),
        label("dataset", lambda row: row.arm.cell.dataset),
        label("prompt", lambda row: row.arm.cell.prompt),
        label("base arm", lambda row: _arm(row.base), spare=4),
        label("instruct arm", lambda row: _arm(row.instruct), spare=4),
        Column("problems", _problems, spare=5),
        Column(f"base {name}", lambda row: _pass_n(row.base)),
        Column(f"instruct {name}", lambda row: _pass_n(row.instruct)),
        Column("gap (95 %)", _gap),
        Column("solves more", lambda row: row.winner or DASH, spare=1),
        Column("base pass@1", lambda row: _pass_1(row.base), spare=3),
        Column("instruct pass@1", lambda row: _pass_1(row.instruct), spare=3),
        Column("failed", lambda row: str(sum(arm.failed for arm in row.arms)), spare=4),
        Column("base cut off", lambda row: _cut_off(row.base), spare=2),
        Column("instruct cut off", lambda row: _cut_off(row.instruct), spare=2),
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


def _gap(row: BoardRow) -> str:
    return DASH if row.gap is None else points_interval(row.gap.gap.difference.estimate)
