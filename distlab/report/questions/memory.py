"""Has the model seen the questions before?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast
from distlab.analysis.drops import Drop, paired_drop
from distlab.analysis.estimate import Estimate
from distlab.analysis.shares import mean_score
from distlab.errors import counted
from distlab.prompts.prompt import Shown
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.drops import Sides, side_scores, sides_name, transitions
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name, setting
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import (
    percent,
    percent_interval,
    percent_range,
    points_interval,
    points_range,
)

Sign = Literal["completed word for word", "solved without the question"]
"""What speaks for a question that was seen before."""


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """What an arm makes of questions of which it sees the opening alone.

    Attributes:
        cell: The probe's cell.
        judge: Extractor and grader.
        problems: Problems with a score.
        completed: Mean share of samples that complete the question word for word.
        solved: Mean pass@1.
    """

    cell: Cell
    judge: Judge
    problems: int
    completed: Estimate
    solved: Estimate


def _opening_rows(scored: ScoredStudy) -> Iterator[OpeningRow]:
    for (_, judge), row in _openings(scored).items():
        sources = row.table.sources
        yield OpeningRow(
            cell=row.table.cell,
            judge=judge,
            problems=int(row.scored.sum()),
            completed=mean_score(row.continued(), sources),
            solved=mean_score(row.pass_at(1), sources),
        )


def _openings(scored: ScoredStudy) -> dict[tuple[str, Judge], ProblemScores]:
    """The probes that show the opening; what stops early has no rates."""
    shown = scored.study.manifest.shown
    return {
        at: row
        for at, row in scored.probes.items()
        if shown(row.table.cell) is Shown.OPENING and not row.table.cell.stops_early
    }


_OPENING_COLUMNS: Columns[OpeningRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("problems", lambda row: str(row.problems)),
    Column("completed word for word (95 %)", lambda row: percent_interval(row.completed)),
    Column("solved (95 %)", lambda row: percent_interval(row.solved)),
)
OPENINGS = Table(
    "openings", "Questions of which the opening is shown, per cent", _opening_rows, _OPENING_COLUMNS
)


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """The same of originals and of their perturbations, which nobody can have seen.

    Attributes:
        cell: The probe's cell on the perturbed side.
        judge: Extractor and grader.
        sign: What is counted.
        sides: The two problem sets.
        drop: From the original to its perturbation, paired by problem.
    """

    cell: Cell
    judge: Judge
    sign: Sign
    sides: Sides
    drop: Drop

    @property
    def change(self) -> Contrast:
        """Perturbed minus original: negative where originals have more of it."""
        return self.drop.change

    @property
    def key(self) -> tuple[Cell, Judge, Sign, Sides]:
        """Under which it is claimed that originals have more of it."""
        return self.cell, self.judge, self.sign, self.sides


def _memory_rows(scored: ScoredStudy) -> Iterator[MemoryRow]:
    openings = _openings(scored)
    for judge in scored.judges:
        for sides, first, second in transitions(judge, openings):
            for sign in _SIGNS:
                sizes = [
                    row.continued() if sign == _SIGNS[0] else row.pass_at(1)
                    for row in (first, second)
                ]
                drop = paired_drop(
                    side_scores(first, sides.before_side, sizes[0]),
                    side_scores(second, sides.after_side, sizes[1]),
                )
                if drop is not None:
                    yield MemoryRow(second.table.cell, judge, sign, sides, drop)


_SIGNS: Final[tuple[Sign, Sign]] = ("completed word for word", "solved without the question")


_MEMORY_COLUMNS: Columns[MemoryRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    label("sides", lambda row: sides_name(row.sides)),
    label("counted", lambda row: row.sign),
    Column("pairs", lambda row: str(row.drop.pairs)),
    Column("original", lambda row: percent(row.drop.before)),
    Column("perturbed", lambda row: percent(row.drop.after)),
    Column("perturbed − original (95 %)", lambda row: points_interval(row.change.estimate)),
)
MEMORY = Table(
    "memory", "Openings of originals and of perturbed problems", _memory_rows, _MEMORY_COLUMNS
)


def _headline_openings(study: StudyTables) -> list[OpeningRow]:
    rows = study.rows(OPENINGS)
    return [row for row in rows if study.is_headline(row.cell, row.judge) and row.problems]


def _headline_pairs(study: StudyTables) -> list[MemoryRow]:
    rows = study.rows(MEMORY)
    return [
        row
        for row in rows
        if study.is_headline(row.cell, row.judge) and not math.isnan(row.change.p)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That originals are completed, or solved unread, more often."""
    for row in _headline_pairs(study):
        where = f"{_where(row)}, {row.sign}"
        yield differs(Kind.MEMORY, row.key, where, row.change, study.margins.equivalence)


def _where(row: MemoryRow) -> str:
    return f"{row.cell.family} {row.cell.arm}, {sides_name(row.sides)}"


def _statements(study: StudyTables) -> Iterator[Statement]:
    """How often openings are completed and solved, and how much more often those of originals."""
    rows = _headline_openings(study)
    if not rows:
        yield cannot_say("no arm was shown openings of questions; run with prompt=opening, too")
    for row in rows:
        yield Statement(
            f"{row.cell.arm}, {setting(row.cell)}: shown the first 60 % of a question, it "
            f"completes the rest word for word in {percent_range(row.completed)} per cent of "
            f"{counted(row.problems, 'problem')}, and its answers are correct in "
            f"{percent_range(row.solved)} "
            f"({judge_name(row.judge)})."
        )
    yield from (_pair_statement(study, row) for row in _headline_pairs(study))


def _pair_statement(study: StudyTables, row: MemoryRow) -> Statement:
    decision = study.decision(Kind.MEMORY, row.key)
    often = "less" if decision.direction > 0 else "more"
    said = {
        Answer.YES: f"originals are {row.sign} {often} often ({holm_note(decision)})",
        Answer.NO: (
            f"originals are {row.sign} as often as perturbed problems, within "
            f"{percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: f"whether originals are {row.sign} more often cannot be told here",
    }[decision.answer]
    text = (
        f"{_where(row)}: {said}: {percent(row.drop.before)} per cent of originals and "
        f"{percent(row.drop.after)} of perturbed problems, {points_range(row.change.estimate)} "
        f"points over {counted(row.drop.pairs, 'pair')}."
    )
    if decision.answer is Answer.YES and decision.direction < 0:
        seen = "It has seen originals before, so what it solves of them may be memory."
        return Statement(text, warnings=(seen,))
    return Statement(text)


_TERMS: Final[tuple[Term, ...]] = (
    (
        "completed word for word",
        "shown the first 60 % of a question's words, a sample goes on with all of the others "
        "(arXiv 2507.10532); the first-ranked branch of CoT-decoding, else the mean over samples.",
    ),
)
QUESTION = Question(
    name="memory",
    text="Has the model seen the questions before?",
    tables=(OPENINGS, MEMORY),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
