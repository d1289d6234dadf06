"""The table of gaps in studies that stop when they know: intervals that hold at any time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.claims import Answer, Claim, Decision, Kind
from distlab.analysis.sequential import AnytimeGap, Conclusion
from distlab.report.gap_table import PAIR_COLUMNS
from distlab.report.question import Statement
from distlab.report.table import ScoredStudy, ShortTable, StudyTables, Table, Term
from distlab.report.wording import alone_note, holm_note, judge_name, setting
from distlab.runs import decisions
from distlab.runs.decisions import ArmVerdicts, Ending, gap_so_far, in_order
from distlab.runs.scored import Judge, VerdictTable
from distlab.runs.scores import ProblemScores
from distlab.scoring.types import CORRECT, NO_VERDICT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import p_value, percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """Two arms that were drawn until their gap was decided, under one judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        judge: Extractor and grader.
        metric: What is compared: "pass@1", "Pass@20".
        gap: With its anytime-valid interval.
        conclusion: What the interval alone allows: instruct, base, equivalent or undecided.
        margin: Gap that is too small to matter, as a share.
        alpha: Probability that the interval ever misses the gap.
        ending: Why no more was drawn.
        looks: How often the interval was looked at.
        looked_at: Problems that were drawn.
        all_problems: Problems of the dataset.
        samples: Samples that the gap stands on.
        of: Samples that drawing everything takes.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    gap: AnytimeGap
    conclusion: Conclusion
    margin: float
    alpha: float
    ending: Ending
    looks: int
    looked_at: int
    all_problems: int
    samples: int
    of: int

    @property
    def key(self) -> tuple[Cell, Cell, Judge, str]:
        """Under which it is claimed that its gap is there."""
        return self.base, self.instruct, self.judge, self.metric


def _rows(scored: ScoredStudy) -> Iterator[DecidedRow]:
    for judge in scored.judges:
        for decision in scored.study.manifest.decisions:
            base = scored.scores.get((decision.base, judge))
            instruct = scored.scores.get((decision.instruct, judge))
            if base is not None and instruct is not None:
                yield _row(decision, judge, base, instruct, scored)


def _row(
    decision: decisions.Decision,
    judge: Judge,
    base: ProblemScores,
    instruct: ProblemScores,
    scored: ScoredStudy,
) -> DecidedRow:
    rule, tables = decision.rule, (base.table, instruct.table)
    problems = base.table.problems
    order = [place for cluster in in_order(problems, decision.seed) for place in cluster]
    gap = gap_so_far(
        decision.looks,
        rule,
        (_verdicts(tables[0], order, scored), _verdicts(tables[1], order, scored)),
        [problems[place].cluster for place in order],
    )
    return DecidedRow(
        base=base.table.cell,
        instruct=instruct.table.cell,
        judge=judge,
        metric="pass@1" if rule.target == "gap" else f"Pass@{base.table.cell.n}",
        gap=gap,
        conclusion=gap.conclusion(rule.margin),
        margin=rule.margin,
        alpha=rule.alpha,
        ending=decision.ending,
        looks=len(decision.looks),
        looked_at=decision.problems,
        all_problems=decision.all_problems,
        samples=decision.samples,
        of=decision.of,
    )


def _verdicts(table: VerdictTable, order: list[int], scored: ScoredStudy) -> ArmVerdicts:
    """A cell's verdicts in the order of the looks; what was set aside is missing, not failed."""
    aside = {
        failure.problem_id
        for failure in scored.study.manifest.failures
        if failure.cell == table.cell.key and failure.set_aside
    }
    failed = [table.failed[place] and table.problems[place].id not in aside for place in order]
    codes = table.codes[order]
    return ArmVerdicts(codes == CORRECT, codes != NO_VERDICT, np.array(failed, dtype=np.bool_))


def _headlines(study: StudyTables) -> Iterator[DecidedRow]:
    rows = study.rows(DECIDED)
    yield from (row for row in rows if study.is_headline(row.instruct, row.judge))


def decided_claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm solves more, by p values that hold at any time."""
    for row in _headlines(study):
        gap, where = row.gap, f"{setting(row.base)}, {row.metric}"
        if gap.problems:
            direction = 1 if gap.difference.value > 0 else -1
            yield Claim(Kind.GAP, row.key, where, gap.p, gap.within, direction)


def decided_statements(study: StudyTables) -> Iterator[Statement]:
    """One sentence per gap, under the judge that stands for the instruct arm."""
    for row in _headlines(study):
        if row.gap.problems:
            yield _statement(study, row)
        else:
            yield Statement(
                f"{setting(row.base)}: no problem has a score in both arms yet, so there is no gap."
            )


def _statement(study: StudyTables, row: DecidedRow) -> Statement:
    decision = study.decision(Kind.GAP, row.key)
    warnings = []
    if decision.alone:
        warnings.append(alone_note(decision))
    pair = (row.base, row.instruct)
    judges = [other for other in study.rows(DECIDED) if (other.base, other.instruct) == pair]
    if len({other.conclusion for other in judges}) > 1:
        listed = ", ".join(
            f"{judge_name(each.judge)}: {_SHORT[each.conclusion]}" for each in judges
        )
        warnings.append(f"The judges' intervals do not say the same: {listed}.")
    return Statement(_sentence(row, decision), (_stopped(row), _COST), tuple(warnings))


_SHORT: Final = {
    Conclusion.INSTRUCT: "instruct solves more",
    Conclusion.BASE: "base solves more",
    Conclusion.EQUIVALENT: "no gap that matters",
    Conclusion.UNDECIDED: "cannot tell",
}
_COST: Final = (
    "What stopping costs: Pass@n of problems that lack samples is not claimed, nor is any interval "
    "made for a fixed number of problems. decoding.until=all draws the rest into the same store."
)


def _sentence(row: DecidedRow, decision: Decision) -> str:
    winner = "instruct" if decision.direction > 0 else "base"
    said = {
        Answer.YES: f"the {winner} arm solves more ({holm_note(decision)})",
        Answer.NO: f"there is no gap of {100 * row.margin:g} points or more",
        Answer.CANNOT_TELL: "which arm solves more cannot be told here",
    }
    return (
        f"{setting(row.base)}: {said[decision.answer]}. {row.metric} of {row.instruct.arm} minus "
        f"{row.base.arm} is {points_range(row.gap.difference)} points over {row.gap.problems} of "
        f"{row.all_problems} problems ({judge_name(row.judge)}; the interval holds at any time)."
    )


def _stopped(row: DecidedRow) -> str:
    why = {
        Ending.DECIDED: "The study stopped since every judge it drew for could tell",
        Ending.BUDGET: "The study stopped since its budget was spent",
        Ending.PROBLEMS: "The study came to the last problem",
        Ending.STOPPED: "The study was interrupted",
    }
    share = percent(row.samples / row.of)
    return (
        f"{why[row.ending]}: at look {row.looks}, after {row.looked_at} of {row.all_problems} "
        f"problems and {row.samples} of {row.of} samples ({share} %)."
    )


_COLUMNS: Columns[DecidedRow] = (
    *PAIR_COLUMNS,
    label("conclusion", lambda row: _SHORT[row.conclusion]),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("units", lambda row: str(row.gap.units), spare=1),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (any time)", lambda row: points_interval(row.gap.difference)),
    Column("p", lambda row: p_value(row.gap.p)),
    Column("looks", lambda row: str(row.looks), spare=1),
    Column("samples", lambda row: str(row.samples)),
    Column("of all, %", lambda row: percent(row.samples / row.of)),
    label("ending", lambda row: row.ending.value),
)
DECIDED_TERMS: Final[tuple[Term, ...]] = (
    (
        "gap (any time); units",
        "instruct − base in percentage points over the problems drawn so far, with an interval "
        "that holds whenever one looks and stops (betting martingale, arXiv 2010.09686; mixture "
        "of bets ours). Units are the clusters of problems that it takes as independent.",
    ),
    (
        "conclusion; ending",
        "who solves more where the interval excludes zero, no gap that matters where it lies "
        "within the margin; why no more was drawn: decided, budget, problems (all of them), "
        "stopped.",
    ),
)
DECIDED = Table("decided", "Gaps of studies that stop when they know, in points", _rows, _COLUMNS)
SHORT_DECIDED = ShortTable(
    title="Gap, instruct − base, percentage points, valid at any time",
    table=DECIDED,
    columns=(
        label("judge", lambda row: judge_name(row.judge)),
        label("dataset", lambda row: row.base.dataset),
        label("prompt", lambda row: row.base.prompt),
        label("score", lambda row: row.metric),
        Column("gap", lambda row: points_interval(row.gap.difference)),
        label("conclusion", lambda row: _SHORT[row.conclusion]),
        Column("problems", lambda row: str(row.gap.problems)),
        Column("samples, %", lambda row: percent(row.samples / row.of)),
    ),
    shows=lambda _, row: True,
)
