"""What is solved without the question?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Answer, Claim, Kind, exceeds
from distlab.analysis.contrasts import Contrast
from distlab.analysis.gaps import paired_gap
from distlab.errors import counted
from distlab.prompts.prompt import Shown
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.guessing import BEYOND_NULL
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name, setting
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """An arm with the question and without, paired by problem.

    Attributes:
        cell: The arm's cell with the question.
        probe: The same arm's cell without it.
        judge: Extractor and grader.
        k: Samples per problem of both.
        problems: Problems with a score in both.
        read: Mean Pass@k with the question.
        unread: Mean Pass@k without it.
        excess: ``read`` minus ``unread``.
    """

    cell: Cell
    probe: Cell
    judge: Judge
    k: int
    problems: int
    read: float
    unread: float
    excess: Contrast

    @property
    def key(self) -> tuple[Cell, Cell, Judge]:
        """Under which it is claimed that the arm solves more with the question."""
        return self.cell, self.probe, self.judge


def _rows(scored: ScoredStudy) -> Iterator[WithheldRow]:
    """Every probe without a question, beside the cells of its arm that have it."""
    manifest = scored.study.manifest
    for (_, judge), probe in scored.probes.items():
        if manifest.shown(probe.table.cell) is not Shown.NOTHING:
            continue
        for cell in scored.cells:
            read = scored.scores.get((cell.key, judge))
            if read is not None and _arm(cell) == _arm(probe.table.cell):
                yield _row(judge, read, probe)


def _arm(cell: Cell) -> tuple[str, str, str]:
    return cell.family, cell.arm, cell.dataset


def _row(judge: Judge, read: ProblemScores, probe: ProblemScores) -> WithheldRow:
    cells = read.table.cell, probe.table.cell
    k = min(cell.n for cell in cells)
    gap = paired_gap(probe.pass_at(k), read.pass_at(k), read.table.sources)
    return WithheldRow(*cells, judge, k, gap.problems, gap.instruct, gap.base, gap.difference)


_COLUMNS: Columns[WithheldRow] = (
    label("cell", lambda row: row.cell.key),
    label("without", lambda row: row.probe.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    Column("k", lambda row: str(row.k)),
    Column("problems", lambda row: str(row.problems)),
    Column("Pass@k", lambda row: percent(row.read)),
    Column("without the question", lambda row: percent(row.unread)),
    Column("difference (95 %)", lambda row: points_interval(row.excess.estimate)),
)
WITHHELD = Table("withheld", "Solved with the question and without, per cent", _rows, _COLUMNS)


def _headline_rows(study: StudyTables) -> list[WithheldRow]:
    rows = study.rows(WITHHELD)
    return [row for row in rows if study.is_headline(row.cell, row.judge) and row.problems]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That arms solve more with the question than without."""
    for row in _headline_rows(study):
        where = f"{row.cell.arm}, {setting(row.cell)}"
        yield exceeds(Kind.WITHHELD, row.key, where, row.excess)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """What each arm solves without the question, beside answering 0, 1, 2, ... ."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say("no arm was asked without the question; run with prompt=withheld, too")
    yield from (_statement(study, row) for row in rows)


def _statement(study: StudyTables, row: WithheldRow) -> Statement:
    decision = study.decision(Kind.WITHHELD, row.key)
    said = {
        Answer.YES: f"solves more with the question than without ({holm_note(decision)})",
        Answer.NO: "solves less with the question than without",
        Answer.CANNOT_TELL: "whether it solves more with the question than without cannot be told",
    }[decision.answer]
    nulls = tuple(
        f"Answering 0 to {null.answers - 1} without reading the question solves "
        f"{percent(null.null)} per cent."
        for null in study.rows(BEYOND_NULL)
        if (null.cell, null.judge) == (row.cell, row.judge)
    )
    text = (
        f"{row.cell.arm}, {setting(row.cell)}: {said}. Pass@{row.k} is {percent(row.read)} per "
        f"cent with it and {percent(row.unread)} without, {points_range(row.excess.estimate)} "
        f"points over {counted(row.problems, 'problem')} ({judge_name(row.judge)})."
    )
    if decision.answer is Answer.YES or row.read == 0:
        return Statement(text, nulls)
    return Statement(text, nulls, ("What it solves may be guessed.",))


_TERMS: Final[tuple[Term, ...]] = (
    (
        "without the question",
        "share of problems that the same arm solves when its prompt withholds the question: "
        "guessing, measured on the model.",
    ),
)
QUESTION = Question(
    name="withheld",
    text="What is solved without the question?",
    tables=(WITHHELD,),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
