"""Is the gap the same for all kinds of problems?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from distlab.analysis.gaps import Gap, paired_gap
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import judge_name, setting
from distlab.runs.pairing import ArmPair, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval


@dataclass(frozen=True, slots=True)
class StratumRow:
    """The study's gap within one stratum.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: Name of the score, as in "Pass@20".
        stratum: What the problems are grouped by: level, subject, ...
        value: What the problems of the row have in common, as in "5".
        gap: Over the problems of the stratum.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    stratum: str
    value: str
    gap: Gap


def _rows(scored: ScoredStudy) -> Iterator[StratumRow]:
    """The study's gaps within every stratum of their problems."""
    for pair, judge, base, instruct in scored.own_arms():
        yield from _strata_of(pair, judge, base, instruct)


def _strata_of(
    pair: ArmPair, judge: Judge, base: ProblemScores, instruct: ProblemScores
) -> Iterator[StratumRow]:
    metric = metrics(min(pair.base.n, pair.instruct.n))[0]
    first, second = metric.of(base), metric.of(instruct)
    members: dict[tuple[str, str], list[int]] = {}
    for place, problem in enumerate(base.table.problems):
        for named in problem.strata.items():
            members.setdefault(named, []).append(place)
    for (name, value), places in sorted(members.items()):
        clusters = [base.table.problems[place].cluster for place in places]
        gap = paired_gap(first[places], second[places], clusters)
        yield StratumRow(pair.base, pair.instruct, judge, metric.name, name, value, gap)


_COLUMNS: Columns[StratumRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    label("stratum", lambda row: row.stratum),
    label("value", lambda row: row.value),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
)
STRATA = Table("strata", "Gap by kind of problem, in points", _rows, _COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """In how many kinds of problems who solves more."""
    groups: dict[tuple[str, str], list[StratumRow]] = {}
    for row in study.rows(STRATA):
        if study.is_headline(row.instruct, row.judge):
            groups.setdefault((setting(row.base), row.stratum), []).append(row)
    several = {key: rows for key, rows in groups.items() if len(rows) > 1}
    if not several:
        yield cannot_say("the problems of this run are of one kind, or no gap was measured")
    for (where, stratum), rows in several.items():
        signs = Counter(row.gap.difference.sign for row in rows)
        yield Statement(
            f"{where}, by {stratum}: base solves more in {signs[-1]} of {len(rows)} kinds, "
            f"instruct in {signs[1]}; in {signs[0]} neither is shown to."
        )


QUESTION = Question(
    name="strata",
    text="Is the gap the same for all kinds of problems?",
    tables=(STRATA,),
    statements=_statements,
)
