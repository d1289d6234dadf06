"""Who solves more for the same cost, and does the winner turn with it?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from distlab.analysis.arrays import FloatArray
from distlab.analysis.claims import Answer, Claim, Kind, crosses, differs
from distlab.analysis.crossing import Crossing, at_cost, crossing, sample_counts
from distlab.checkpoints.checkpoint import INSTRUCT
from distlab.errors import counted
from distlab.report.charts.kinds import Chart, Line, LineChart, small_multiples
from distlab.report.gap_table import PAIR_COLUMNS
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import (
    between,
    data_of,
    holm_note,
    judge_name,
    setting,
    stages_of,
    who_solves_more,
)
from distlab.runs.pairing import ArmPair
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import DASH, points_interval, points_range

# Budgets at which arms are compared (ours).
_BUDGETS: Final = 8


class Spent(StrEnum):
    """What the arms are given the same of."""

    SAMPLES = "samples"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, eq=False)
class CrossingRow:
    """The study's gap over what is spent on a problem, the same in both arms.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        spent: What both have the same of.
        problems: Problems with a score in both arms.
        base_scores: [points] mean score of the base arm.
        instruct_scores: [points] mean score of the instruct arm.
        found: Instruct minus base at every point, and where it changes its sign.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    spent: Spent
    problems: int
    base_scores: tuple[float, ...]
    instruct_scores: tuple[float, ...]
    found: Crossing

    @property
    def metric(self) -> str:
        """What the arms are compared by."""
        return f"pass@k at equal {self.spent}"

    @property
    def key(self) -> tuple[Cell, Cell, Judge, Spent]:
        """Under which it is claimed that the winner turns."""
        return self.base, self.instruct, self.judge, self.spent


def _rows(scored: ScoredStudy) -> Iterator[CrossingRow]:
    """The study's arms at equal samples, and at equal tokens."""
    for pair, judge, base, instruct in scored.own_arms():
        early = pair.base.stops_early or pair.instruct.stops_early
        if early or min(pair.base.n, pair.instruct.n) == 1:
            continue
        arms = base, instruct
        counts = sample_counts(min(pair.base.n, pair.instruct.n))
        yield _row(pair, judge, Spent.SAMPLES, counts, arms)
        if budgets := _budgets(base.costs(), instruct.costs()):
            yield _row(pair, judge, Spent.TOKENS, budgets, arms)


def _budgets(base: FloatArray, instruct: FloatArray) -> tuple[float, ...]:
    """Tokens per problem that both arms can spend; none where there are no such."""
    known = [cost[~np.isnan(cost).any(axis=1)] for cost in (base, instruct)]
    if any(cost.size == 0 for cost in known):
        return ()
    means = [cost.mean(axis=0) for cost in known]
    low, high = max(mean[0] for mean in means), min(mean[-1] for mean in means)
    return tuple(np.geomspace(low, high, _BUDGETS).tolist()) if low < high else ()


def _row(
    pair: ArmPair,
    judge: Judge,
    spent: Spent,
    places: Sequence[float],
    arms: tuple[ProblemScores, ProblemScores],
) -> CrossingRow:
    if spent is Spent.TOKENS:
        first, second = (at_cost(arm.curve, arm.costs(), places) for arm in arms)
    else:
        first, second = (arm.curve[:, np.array(places, dtype=np.int64) - 1] for arm in arms)
    both = ~np.isnan(first + second).any(axis=1)
    return CrossingRow(
        base=pair.base,
        instruct=pair.instruct,
        judge=judge,
        spent=spent,
        problems=int(both.sum()),
        base_scores=_means(first[both]),
        instruct_scores=_means(second[both]),
        found=crossing(places, first, second, arms[0].table.sources),
    )


def _means(curve: FloatArray) -> tuple[float, ...]:
    """The mean curve; NaN at every point where no problem has one."""
    nothing = (math.nan,) * curve.shape[1]
    return tuple(curve.mean(axis=0).tolist()) if curve.size else nothing


def _at(found: Crossing) -> str:
    """Where curves cross, as in "6.2 [4, 12]"."""
    at = found.at
    if math.isnan(at.value):
        return DASH
    high = "beyond" if math.isinf(at.high) else f"{at.high:.4g}"
    return f"{at.value:.3g} [{at.low:.4g}, {high}]"


def _records(row: CrossingRow) -> Iterator[Record]:
    """One record per point."""
    labels = dict(flat("base", row.base)) | dict(flat("instruct", row.instruct))
    points = zip(
        row.found.places,
        row.base_scores,
        row.instruct_scores,
        row.found.differences,
        strict=True,
    )
    for place, base, instruct, difference in points:
        yield {
            **labels,
            **dict(flat("judge", row.judge)),
            "spent": row.spent.value,
            "per_problem": place,
            "base": base,
            "instruct": instruct,
            **dict(flat("difference", difference)),
            **dict(flat("crossing", row.found.at)),
        }


_COLUMNS: Columns[CrossingRow] = (
    *PAIR_COLUMNS,
    Column("problems", lambda row: str(row.problems)),
    Column("from", lambda row: f"{row.found.places[0]:.4g}"),
    Column("gap there (95 %)", lambda row: points_interval(row.found.early.estimate)),
    Column("to", lambda row: f"{row.found.places[-1]:.4g}"),
    Column("gap there, most (95 %)", lambda row: points_interval(row.found.late.estimate)),
    Column("crosses at (95 %)", lambda row: _at(row.found)),
)
CROSSINGS = Table(
    "crossings",
    "Gap in pass@k at equal samples and equal tokens, in points",
    _rows,
    _COLUMNS,
    _records,
)


def _headline_rows(study: StudyTables) -> list[CrossingRow]:
    rows = study.rows(CROSSINGS)
    return [row for row in rows if study.is_headline(row.instruct, row.judge) and row.problems]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the winner turns with what is spent, and who solves more for the same tokens."""
    for row in _headline_rows(study):
        where = f"{between(row.base, row.instruct)}, {row.metric}"
        yield crosses(Kind.CROSSING, row.key, where, row.found.early, row.found.late)
        if row.spent is Spent.TOKENS:
            margin = study.margins.equivalence
            yield differs(Kind.EQUAL_COST, row.key, where, row.found.late, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Whether the winner turns with samples, and who is ahead for the same tokens."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say("no two arms have several samples per problem, all of them drawn")
    for row in rows:
        yield _by_samples(study, row) if row.spent is Spent.SAMPLES else _by_tokens(study, row)
    samples = {row.key[:3] for row in rows if row.spent is Spent.SAMPLES}
    for base, _, _ in samples - {row.key[:3] for row in rows if row.spent is Spent.TOKENS}:
        yield cannot_say(
            f"on {setting(base)} all samples of one arm take fewer tokens than one sample of the "
            "other, or nobody counted them, so nothing is compared at equal tokens"
        )


def _by_samples(study: StudyTables, row: CrossingRow) -> Statement:
    most, where = row.found.places[-1], between(row.base, row.instruct)
    return Statement(
        f"{where}: {_turned(study, row)}: {row.instruct.variant} minus {row.base.variant} is "
        f"{points_range(row.found.early.estimate)} points with one sample and "
        f"{points_range(row.found.late.estimate)} with {most:.0f}, over "
        f"{counted(row.problems, 'problem')} "
        f"({judge_name(row.judge)}).",
        _crossed(row, "sample"),
    )


def _by_tokens(study: StudyTables, row: CrossingRow) -> Statement:
    decision = study.decision(Kind.EQUAL_COST, row.key)
    told = who_solves_more(
        decision, (row.base, row.instruct), study.margins.equivalence, "which arm solves more"
    )
    low, high = row.found.places[0], row.found.places[-1]
    where = f"{between(row.base, row.instruct)}, for the same {high:.0f} tokens per problem"
    return Statement(
        f"{where}: {told}. {_minus(row)} is {points_range(row.found.late.estimate)} points there "
        f"and {points_range(row.found.early.estimate)} at {low:.0f} tokens, over "
        f"{counted(row.problems, 'problem')} ({judge_name(row.judge)}); {_turned(study, row)}.",
        _crossed(row, "token"),
    )


def _minus(row: CrossingRow) -> str:
    """What is subtracted from what, at the start of a sentence."""
    later = row.instruct.variant
    name = "Instruct" if later == INSTRUCT else later
    return f"{name} minus {row.base.variant}"


def _turned(study: StudyTables, row: CrossingRow) -> str:
    decision = study.decision(Kind.CROSSING, row.key)
    leader = (row.instruct if row.found.late.direction > 0 else row.base).variant
    return {
        Answer.YES: f"the winner turns with the {row.spent} ({holm_note(decision)})",
        Answer.NO: f"the {leader} arm is ahead with few {row.spent} and with many",
        Answer.CANNOT_TELL: f"whether the winner turns with the {row.spent} cannot be told here",
    }[decision.answer]


def _crossed(row: CrossingRow, unit: str) -> tuple[str, ...]:
    """Where the observed curves cross, with every place that cannot be told from it."""
    at = row.found.at
    if math.isnan(at.value):
        return ()
    high = f"beyond {row.found.places[-1]:.0f}" if math.isinf(at.high) else f"{at.high:.0f}"
    return (f"The curves cross at {at.value:.3g} {unit}s ({at.low:.0f} to {high}).",)


def _charts(study: StudyTables) -> Iterator[Chart]:
    """pass@k of both arms over the tokens that they take."""
    for place, (where, panels) in enumerate(small_multiples(_lines(study))):
        yield LineChart(
            name=f"costs-{place}",
            title=f"Solved for the same tokens: {where}",
            x_axis="new tokens per problem",
            y_axis="per cent of problems solved",
            panels=panels,
        )


def _lines(study: StudyTables) -> Iterator[tuple[str, str, Line]]:
    for row in _headline_rows(study):
        family = f"{row.base.family}{stages_of(row.base, row.instruct)}"
        for cell, scores in ((row.base, row.base_scores), (row.instruct, row.instruct_scores)):
            if row.spent is Spent.TOKENS:
                shares = tuple(100 * y for y in scores)
                line = Line(cell.arm, cell.variant, 0, row.found.places, shares)
                yield family, data_of(cell), line


_TERMS: Final[tuple[Term, ...]] = (
    (
        "crosses at",
        "where the curves of the two arms cross (arXiv 2504.13837), with every k, or number of "
        "tokens, around it at which the gap cannot be told from zero.",
    ),
    (
        "equal tokens",
        "pass@k at the k that a number of new tokens per problem pays for on average; prompts are "
        "not counted, nor is what siblings share.",
    ),
)
QUESTION = Question(
    name="cost",
    text="Who solves more with few samples, with many, and for the same tokens?",
    tables=(CROSSINGS,),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    terms=_TERMS,
)
