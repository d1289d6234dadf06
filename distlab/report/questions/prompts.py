"""Does the prompt matter?"""

from collections.abc import Iterator
from dataclasses import dataclass

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.contrasts import Contrast
from distlab.analysis.gaps import paired_gap
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import ScoreMap, metrics
from distlab.runs.scored import Judge
from distlab.runs.styles import repeated_prompts
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import p_value, percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One arm under two prompts, paired by problem.

    Attributes:
        first: The cell with the first prompt of the config.
        second: The cell with another prompt.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        problems: Problems with a score under both.
        before: Mean under the first.
        after: Mean under the second.
        change: ``after`` minus ``before``, paired by problem.
    """

    first: Cell
    second: Cell
    judge: Judge
    metric: str
    problems: int
    before: float
    after: float
    change: Contrast

    @property
    def key(self) -> tuple[Cell, Cell, Judge]:
        """Under which it is claimed that the arm changes."""
        return self.first, self.second, self.judge


def _rows(scored: ScoredStudy) -> Iterator[PromptRow]:
    """Each arm's other prompts against its first one, of a set of wordings the first alone."""
    repeated = repeated_prompts(scored.study.manifest)
    for judge in scored.judges:
        firsts: dict[tuple[str, str, str], Cell] = {}
        for cell in scored.cells:
            if (cell.key, judge) not in scored.scores:
                continue
            first = firsts.setdefault((cell.family, cell.arm, cell.dataset), cell)
            if first is not cell and cell.key not in repeated:
                yield _row(first, cell, judge, scored.scores)


def _row(first: Cell, second: Cell, judge: Judge, scores: ScoreMap) -> PromptRow:
    metric = metrics(min(first.n, second.n))[0]
    one, two = scores[first.key, judge], scores[second.key, judge]
    change = paired_gap(metric.of(one), metric.of(two), one.table.sources)
    return PromptRow(
        first=first,
        second=second,
        judge=judge,
        metric=metric.name,
        problems=change.problems,
        before=change.base,
        after=change.instruct,
        change=change.difference,
    )


_COLUMNS: Columns[PromptRow] = (
    label("family", lambda row: row.first.family),
    label("arm", lambda row: row.first.arm),
    label("dataset", lambda row: row.first.dataset),
    label("prompts", lambda row: f"{row.first.prompt} → {row.second.prompt}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.problems)),
    Column("first", lambda row: percent(row.before)),
    Column("second", lambda row: percent(row.after)),
    Column("change (95 %)", lambda row: points_interval(row.change.estimate)),
    Column("p", lambda row: p_value(row.change.p)),
)
PROMPTS = Table("prompts", "Change with the prompt, in points", _rows, _COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """What each arm changes with the prompt."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say("every arm was run with one prompt; run with zero-shot and few-shot")
    yield from (_statement(study, row) for row in rows)


def _headline_rows(study: StudyTables) -> list[PromptRow]:
    return [
        row
        for row in study.rows(PROMPTS)
        if study.is_headline(row.first, row.judge) and row.problems
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That each arm changes with the prompt."""
    for row in _headline_rows(study):
        where = f"{row.first.key} → {row.second.prompt}"
        yield differs(Kind.PROMPTS, row.key, where, row.change, study.margins.equivalence)


def _statement(study: StudyTables, row: PromptRow) -> Statement:
    decision = study.decision(Kind.PROMPTS, row.key)
    prompts = f"with {row.second.prompt} than with {row.first.prompt}"
    more = "more" if decision.direction > 0 else "less"
    said = {
        Answer.YES: f"solves {more} {prompts} ({holm_note(decision)})",
        Answer.NO: (
            f"solves the same with {row.second.prompt} and {row.first.prompt}, within "
            f"{percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: f"whether it solves more {prompts} cannot be told here",
    }
    return Statement(
        f"{row.first.family} {row.first.arm} on {row.first.dataset}: {said[decision.answer]}: "
        f"{row.metric} {points_range(row.change.estimate)} points over "
        f"{counted(row.problems, 'problem')} "
        f"({judge_name(row.judge)})."
    )


QUESTION = Question(
    name="prompts",
    text="Does the prompt matter?",
    tables=(PROMPTS,),
    statements=_statements,
    claims=_claims,
)
