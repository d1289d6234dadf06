"""Which stage of a ladder gives, and which takes?

Stages are compared by one decoding wherever all have one. Where pass@k curves cross, a later stage
solves more with one sample and fewer problems with many (Yue et al., arXiv 2504.13837).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from distlab.analysis.claims import Answer, Claim, Decision, Kind, crosses, differs
from distlab.analysis.contrasts import Contrast
from distlab.analysis.crossing import crossing, sample_counts
from distlab.analysis.estimate import Estimate
from distlab.analysis.gaps import Gap, paired_gap
from distlab.errors import counted, joined
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.gap_table import pair_metrics
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.score_table import SCORES
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name, setting, shown_p
from distlab.runs.pairing import ONE_ANSWER, ArmPair, is_ladder, settings, stage_arms
from distlab.runs.scored import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, decimal, p_value, percent, points_interval, points_range

# Steps or names of stages that a sentence goes into (ours); the table has them all.
_MOST_STEPS: Final = 12


class Against(StrEnum):
    """What a stage is compared with."""

    BEFORE = "the one before"
    FIRST = "the first"


@dataclass(frozen=True, slots=True)
class StepRow:
    """A stage against an earlier one on the same problems, under one judge.

    Attributes:
        base: The earlier stage's arm.
        instruct: The later stage's arm.
        judge: Extractor and grader.
        metric: What is compared: "Pass@20", "pass@1".
        against: Which earlier stage it is.
        gap: Later minus earlier; of 0/1 scores, ``base_only`` problems are forgotten and
            ``instruct_only`` ones learnt.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    against: Against
    gap: Gap

    @property
    def key(self) -> tuple[Cell, Cell, Judge, str]:
        """Under which it is claimed that the stage gives or takes."""
        return self.base, self.instruct, self.judge, self.metric


@dataclass(frozen=True, slots=True)
class CrossingRow:
    """The pass@k curves of a stage and an earlier one, under one judge.

    Attributes:
        base: The earlier stage's arm.
        instruct: The later stage's arm.
        judge: Extractor and grader.
        n: The largest k that both have.
        at_one: Later minus earlier at k = 1.
        at_n: Later minus earlier at k = n.
        at: The k at which the observed curves cross last, as ``analysis.crossing`` has it; NaN
            where they do not.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    n: int
    at_one: Contrast
    at_n: Contrast
    at: Estimate

    @property
    def key(self) -> tuple[Cell, Cell, Judge]:
        """Under which it is claimed that they cross."""
        return self.base, self.instruct, self.judge


def _steps(scored: ScoredStudy) -> Iterator[tuple[Against, ArmPair, Judge]]:
    """Every stage with the one before, and with the first, under every judge that both have."""
    for cells in settings(scored.cells):
        if not is_ladder(cells):
            continue
        arms = stage_arms(cells)
        for judge in scored.judges:
            judged = [arm for arm in arms if (arm.key, judge) in scored.scores]
            for place in range(1, len(judged)):
                one = judged[place]
                yield Against.BEFORE, ArmPair(judged[place - 1], one, primary=False), judge
                if place > 1:
                    yield Against.FIRST, ArmPair(judged[0], one, primary=False), judge


def _step_rows(scored: ScoredStudy) -> Iterator[StepRow]:
    for against, pair, judge in _steps(scored):
        base = scored.scores[pair.base.key, judge]
        instruct = scored.scores[pair.instruct.key, judge]
        for metric in pair_metrics(pair):
            if metric.name != ONE_ANSWER:
                gap = paired_gap(metric.of(base), metric.of(instruct), base.table.sources)
                yield StepRow(pair.base, pair.instruct, judge, metric.name, against, gap)


def _crossing_rows(scored: ScoredStudy) -> Iterator[CrossingRow]:
    """The curves of arms whose samples relate alike, of which there are several."""
    for _, pair, judge in _steps(scored):
        base, instruct = pair.base, pair.instruct
        n = min(base.n, instruct.n)
        if n < 2 or base.order != instruct.order or base.stops_early or instruct.stops_early:
            continue
        ks, sources = sample_counts(n), scored.scores[base.key, judge].table.sources
        first, second = (
            np.stack([scored.scores[arm.key, judge].pass_at(k) for k in ks], axis=1)
            for arm in (base, instruct)
        )
        found = crossing(ks, first, second, sources)
        yield CrossingRow(base, instruct, judge, n, found.early, found.late, found.at)


def _is_binary(gap: Gap) -> bool:
    return not math.isnan(gap.mcnemar)


_STEP_COLUMNS: Columns[StepRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("against", lambda row: row.against),
    label("stages", lambda row: f"{row.base.arm} → {row.instruct.arm}"),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems), spare=1),
    Column("before", lambda row: percent(row.gap.base)),
    Column("after", lambda row: percent(row.gap.instruct)),
    Column("change (95 %)", lambda row: points_interval(row.gap.difference.estimate)),
    Column("learnt", lambda row: str(row.gap.instruct_only) if _is_binary(row.gap) else DASH),
    Column("forgotten", lambda row: str(row.gap.base_only) if _is_binary(row.gap) else DASH),
    Column("p", lambda row: p_value(row.gap.difference.p)),
    Column("clusters", lambda row: str(row.gap.clusters), spare=1),
    Column("McNemar, if independent", lambda row: p_value(row.gap.mcnemar), spare=1),
)
STAGES = Table("stages", "Stages against earlier ones, in points", _step_rows, _STEP_COLUMNS)


def _k(at: Estimate) -> str:
    """A place on the axis of k, as in "3.5 [2, 6]"."""
    if math.isnan(at.value):
        return DASH
    high = "beyond n" if math.isinf(at.high) else f"{at.high:g}"
    return f"{decimal(at.value)} [{at.low:g}, {high}]"


_CROSSING_COLUMNS: Columns[CrossingRow] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("stages", lambda row: f"{row.base.arm} → {row.instruct.arm}"),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.n)),
    Column("change at k = 1 (95 %)", lambda row: points_interval(row.at_one.estimate)),
    Column("change at k = n (95 %)", lambda row: points_interval(row.at_n.estimate)),
    Column("observed to cross at k (95 %)", lambda row: _k(row.at)),
)
STAGE_CROSSINGS = Table(
    "stage_crossings", "pass@k curves of stages, in points", _crossing_rows, _CROSSING_COLUMNS
)


def _headline_steps(study: StudyTables) -> list[StepRow]:
    rows = (row for row in study.rows(STAGES) if study.is_headline(row.instruct, row.judge))
    return [row for row in rows if row.gap.problems]


def _headline_crossings(study: StudyTables) -> list[CrossingRow]:
    rows = (
        row for row in study.rows(STAGE_CROSSINGS) if study.is_headline(row.instruct, row.judge)
    )
    return [row for row in rows if not math.isnan(row.at_one.p)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That a stage gives or takes, and that curves cross."""
    for row in _headline_steps(study):
        where = f"{_named(row)}, {row.metric}"
        yield differs(Kind.STAGE, row.key, where, row.gap.difference, study.margins.equivalence)
    for pair in _headline_crossings(study):
        yield crosses(Kind.STAGES_CROSS, pair.key, _named(pair), pair.at_one, pair.at_n)


def _named(row: StepRow | CrossingRow) -> str:
    return f"{setting(row.base)}, {row.base.variant} → {row.instruct.variant}"


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Of each setting and score what every stage does; then whether curves cross."""
    groups: dict[tuple[str, str], list[StepRow]] = {}
    for row in _headline_steps(study):
        groups.setdefault((setting(row.base), row.metric), []).append(row)
    if not groups:
        yield cannot_say("no two stages have verdicts on the same problems")
    yield from (_step_statement(study, rows) for rows in groups.values())
    crossings: dict[str, list[CrossingRow]] = {}
    for pair in _headline_crossings(study):
        crossings.setdefault(setting(pair.base), []).append(pair)
    yield from (_crossing_statement(study, rows) for rows in crossings.values())


def _step_statement(study: StudyTables, rows: Sequence[StepRow]) -> Statement:
    first, row = rows[0].base.variant, rows[0]
    said = {
        Against.BEFORE: "Each stage against the one before",
        Against.FIRST: f"Against the first, {first}",
    }
    parts = [
        f"{said[against]}: {_told(study, steps)}."
        for against in Against
        if (steps := [row for row in rows if row.against is against])
    ]
    shown = rows if len(rows) <= _MOST_STEPS else ()
    return Statement(
        f"{setting(row.base)}, {row.metric}: {' '.join(parts)}",
        tuple(_step_control(study, row) for row in shown),
        tuple(_decoded_apart(rows)),
    )


def _told(study: StudyTables, steps: Sequence[StepRow]) -> str:
    """Which stages give, take, change nothing, or cannot be told."""
    groups: dict[str, list[str]] = {}
    for row in steps:
        decision = study.decision(Kind.STAGE, row.key)
        groups.setdefault(_does(decision), []).append(row.instruct.variant)
    margin = percent(study.margins.equivalence)
    said = {
        "gives": "{names} give{s}",
        "takes": "{names} take{s}",
        "neither": f"{{names}} solve{{s}} as much, within {margin} points",
        "unknown": "of {names} it cannot be told",
    }
    return "; ".join(
        clause.format(names=_listed(groups[does]), s="s" if len(groups[does]) == 1 else "")
        for does, clause in said.items()
        if does in groups
    )


def _does(decision: Decision) -> str:
    """What a stage is told to do, by its decision."""
    signs = {1: "gives", -1: "takes"}
    other = "neither" if decision.answer is Answer.NO else "unknown"
    return signs.get(decision.direction, other)


def _listed(names: Sequence[str]) -> str:
    """Names in a row, those that are too many counted."""
    more = len(names) - _MOST_STEPS
    if more > 0:
        return f"{', '.join(names[:_MOST_STEPS])} and {more} more"
    return joined(names)


def _step_control(study: StudyTables, row: StepRow) -> str:
    gap, decision = row.gap, study.decision(Kind.STAGE, row.key)
    told = (
        holm_note(decision) if decision.answer is Answer.YES else f"p {shown_p(gap.difference.p)}"
    )
    text = (
        f"{row.base.arm} → {row.instruct.arm}: {points_range(gap.difference.estimate)} points over "
        f"{counted(gap.problems, 'problem')} ({told})"
    )
    if _is_binary(gap):
        text += f"; {gap.instruct_only} learnt, {gap.base_only} forgotten"
    if gap.clusters < gap.problems:
        text += f"; {counted(gap.clusters, 'source')}"
    return f"{text}."


def _decoded_apart(rows: Sequence[StepRow]) -> Iterator[str]:
    """That a step is one of decoding as well as of model."""
    for row in rows:
        if row.against is Against.BEFORE and row.base.decoding != row.instruct.decoding:
            yield (
                f"{row.base.arm} → {row.instruct.arm} is a step of decoding as well as of model: "
                "run again with a decoding that all stages have, as decoding=stochastic."
            )


def _crossing_statement(study: StudyTables, rows: Sequence[CrossingRow]) -> Statement:
    answers: dict[Answer, list[str]] = {}
    for row in rows:
        answer = study.decision(Kind.STAGES_CROSS, row.key).answer
        answers.setdefault(answer, []).append(f"{row.base.variant} → {row.instruct.variant}")
    said: Mapping[Answer, str] = {
        Answer.YES: "The pass@k curves cross",
        Answer.NO: "The same stage solves more at k = 1 and at the largest k",
        Answer.CANNOT_TELL: "Whether they cross cannot be told",
    }
    parts = [f"{said[each]}: {_listed(answers[each])}." for each in Answer if each in answers]
    found = [r for r in rows if study.decision(Kind.STAGES_CROSS, r.key).answer is Answer.YES]
    return Statement(
        f"{setting(rows[0].base)}: {' '.join(parts)}", tuple(map(_crossing, found[:_MOST_STEPS]))
    )


def _crossing(row: CrossingRow) -> str:
    text = (
        f"{row.base.arm} → {row.instruct.arm}: {points_range(row.at_one.estimate)} points at "
        f"k = 1 and {points_range(row.at_n.estimate)} at k = {row.n}"
    )
    return f"{text}; the observed curves cross at k = {_k(row.at)}."


def _charts(study: StudyTables) -> Iterator[Chart]:
    """pass@1 and Pass@n of every stage, by setting."""
    scores = {row.cell: row for row in study.rows(SCORES) if study.is_headline(row.cell, row.judge)}
    ladders = [cells for cells in settings(study.manifest.cells) if is_ladder(cells)]
    for place, cells in enumerate(ladders):
        rows = [scores[arm] for arm in stage_arms(cells) if arm in scores]
        rows = [row for row in rows if not row.cell.until_decided]
        one = tuple(at_label(row.cell.variant, row.pass_1) for row in rows)
        many = tuple(at_label(row.cell.variant, row.pass_n) for row in rows if row.cell.n > 1)
        series = (Series("Pass@n", "ours", many), Series("pass@1", "other", one))
        title = f"What each stage solves: {setting(cells[0])}"
        axis = "per cent of problems solved"
        shown = [each for each in series if each.marks]
        yield from interval_chart(f"stages-{place}", title, axis, shown, True)


def _applies(study: StudyTables) -> bool:
    return any(is_ladder(cells) for cells in settings(study.manifest.cells))


_TERMS: Final[tuple[Term, ...]] = (
    (
        "learnt; forgotten; McNemar, if independent",
        "problems solved at the later stage and not at the earlier one, and the other way round; "
        "the exact McNemar test of the two, which holds where problems share no source. p takes "
        "sources into account: an exact sign-flip test over them.",
    ),
    (
        "observed to cross at k",
        "the k, between two at which they are compared, at which the observed pass@k curves cross "
        "last; the interval has every k around it at which their difference is not told from zero. "
        "That they cross is asserted where it is told from zero, with two signs, at k = 1 and n.",
    ),
)
QUESTION = Question(
    name="ladder",
    text="Which stage gives, which takes?",
    tables=(STAGES, STAGE_CROSSINGS),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    terms=_TERMS,
    applies=_applies,
)
