"""Does the prompt matter?"""

from collections.abc import Iterator
from dataclasses import dataclass

from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import Estimate
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import judge_name
from distlab.runs.pairing import ScoreMap, metrics
from distlab.runs.scored import Judge
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
        p: Exact McNemar p of the change.
    """

    first: Cell
    second: Cell
    judge: Judge
    metric: str
    problems: int
    before: float
    after: float
    change: Estimate
    p: float


def _rows(scored: ScoredStudy) -> Iterator[PromptRow]:
    """Each arm's other prompts against its first one."""
    for judge in scored.judges:
        firsts: dict[tuple[str, str, str], Cell] = {}
        for cell in scored.cells:
            if (cell.key, judge) not in scored.scores:
                continue
            first = firsts.setdefault((cell.family, cell.arm, cell.dataset), cell)
            if first is not cell:
                yield _row(first, cell, judge, scored.scores)


def _row(first: Cell, second: Cell, judge: Judge, scores: ScoreMap) -> PromptRow:
    metric = metrics(min(first.n, second.n))[0]
    change = paired_gap(metric.of(scores[first.key, judge]), metric.of(scores[second.key, judge]))
    return PromptRow(
        first=first,
        second=second,
        judge=judge,
        metric=metric.name,
        problems=change.problems,
        before=change.base,
        after=change.instruct,
        change=change.difference,
        p=change.p,
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
    Column("change (95 %)", lambda row: points_interval(row.change)),
    Column("p", lambda row: p_value(row.p)),
)
PROMPTS = Table("prompts", "Change with the prompt, in points", _rows, _COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """What each arm changes with the prompt."""
    rows = [row for row in study.rows(PROMPTS) if study.is_headline(row.first, row.judge)]
    if not rows:
        yield cannot_say("every arm was run with one prompt; run with zero-shot and few-shot")
    yield from (_statement(row) for row in rows)


def _statement(row: PromptRow) -> Statement:
    said = {1: "solves more", -1: "solves less"}.get(row.change.sign, "is not shown to change")
    return Statement(
        f"{row.first.family} {row.first.arm} on {row.first.dataset}: {said} with "
        f"{row.second.prompt} than with {row.first.prompt}: {row.metric} "
        f"{points_range(row.change)} points over {row.problems} problems "
        f"({judge_name(row.judge)})."
    )


QUESTION = Question(
    name="prompts",
    text="Does the prompt matter?",
    tables=(PROMPTS,),
    statements=_statements,
)
