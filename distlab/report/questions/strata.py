"""Is the gap the same for all kinds of problems?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from distlab.analysis.claims import Answer, Claim, Kind, any_differs
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.analysis.gaps import Gap, paired_gap
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import between, holm_note, judge_name
from distlab.runs.pairing import ArmPair, metrics
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range


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
        beyond: Gap over these problems minus gap over the others that have such a value.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    stratum: str
    value: str
    gap: Gap
    beyond: Contrast


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
    sources = base.table.sources
    for (name, value), places in sorted(members.items()):
        others = [
            place
            for (by, which), found in members.items()
            if by == name and which != value
            for place in found
        ]
        gap = paired_gap(first[places], second[places], sources[places])
        here = Mean((second - first)[places], sources[places])
        there = Mean((second - first)[others], sources[others], -1.0)
        yield StratumRow(
            *(pair.base, pair.instruct, judge, metric.name),
            *(name, value, gap, contrast(here, there)),
        )


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
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference.estimate)),
    Column("minus gap elsewhere (95 %)", lambda row: points_interval(row.beyond.estimate)),
)
STRATA = Table("strata", "Gap by kind of problem, in points", _rows, _COLUMNS)


def _groups(study: StudyTables) -> dict[tuple[Cell, Cell, str], list[StratumRow]]:
    """The strata whose gap can be compared with that elsewhere, by setting and kind."""
    groups: dict[tuple[Cell, Cell, str], list[StratumRow]] = {}
    for row in study.rows(STRATA):
        if study.is_headline(row.instruct, row.judge) and not math.isnan(row.beyond.p):
            groups.setdefault((row.base, row.instruct, row.stratum), []).append(row)
    return {key: rows for key, rows in groups.items() if len(rows) > 1}


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the gap depends on the kind of problem."""
    for key, rows in _groups(study).items():
        where, margin = f"{between(key[0], key[1])}, by {key[2]}", study.margins.equivalence
        yield any_differs(Kind.STRATA, key, where, [row.beyond for row in rows], margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Whether the gap depends on the kind of problem."""
    groups = _groups(study)
    if not groups:
        yield cannot_say("the problems of this run are of one kind, or no gap was measured")
    for key, rows in groups.items():
        decision = study.decision(Kind.STRATA, key)
        most = min(rows, key=lambda row: row.beyond.p)
        said = {
            Answer.YES: (
                f"the gap depends on it: {most.value} lies "
                f"{points_range(most.beyond.estimate)} points beside the rest "
                f"({holm_note(decision)})"
            ),
            Answer.NO: (
                "no kind's gap lies "
                f"{percent(study.margins.equivalence)} points or more beside the rest"
            ),
            Answer.CANNOT_TELL: "whether the gap depends on it cannot be told here",
        }
        yield Statement(
            f"{between(key[0], key[1])}, by {key[2]}, {len(rows)} kinds: {said[decision.answer]}."
        )


QUESTION = Question(
    name="strata",
    text="Is the gap the same for all kinds of problems?",
    tables=(STRATA,),
    statements=_statements,
    claims=_claims,
)
