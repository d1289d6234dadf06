"""Does the instruct model solve more than its base?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.analysis.gaps import holm, paired_gap
from distlab.analysis.power import smallest_detectable
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.questions.scale import PAPER
from distlab.report.records import (
    ArmRow,
    ControlRow,
    GapRow,
    OutcomeRow,
    ReasonedGapRow,
    Statement,
    StudyTables,
    WinnerRow,
)
from distlab.report.wording import cannot_say, headline_gaps, judge_name, setting
from distlab.runs.pairing import Comparison, Metric, ScoreMap, metrics
from distlab.runs.records import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, label
from distlab.tables.numbers import DASH, decimal, p_value, percent, points_interval, points_range


def say_gaps(study: StudyTables) -> Iterator[Statement]:
    """A sentence for every headline gap."""
    rows = headline_gaps(study)
    if not rows:
        yield cannot_say("no dataset and prompt has verdicts for both a base and an instruct arm")
    yield from (gap_statement(study, row) for row in rows)


def gap_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> tuple[GapRow, ...]:
    """Every gap under every judge and score."""
    rows = [
        _gap_row(pair, judge, metric, place == 0, scores)
        for pair in pairs
        for judge in judges
        if (pair.base.key, judge) in scores and (pair.instruct.key, judge) in scores
        for place, metric in enumerate(_metrics(pair))
    ]
    adjusted: dict[int, float] = {}
    for name in dict.fromkeys(row.metric for row in rows):
        places = [place for place, row in enumerate(rows) if row.metric == name]
        adjusted |= zip(places, holm([rows[place].gap.p for place in places]).tolist(), strict=True)
    return tuple(replace(row, holm=adjusted[place]) for place, row in enumerate(rows))


def _metrics(pair: Comparison) -> list[Metric]:
    """Pass@n needs one n, where an arm is drawn until solved; then there may be no metric."""
    base, instruct = pair.base, pair.instruct
    until_solved = base.until_solved or instruct.until_solved
    if until_solved and base.n != instruct.n:
        return []
    return metrics(min(base.n, instruct.n), until_solved)


def _gap_row(
    pair: Comparison, judge: Judge, metric: Metric, headline: bool, scores: ScoreMap
) -> GapRow:
    base, instruct = scores[pair.base.key, judge], scores[pair.instruct.key, judge]
    first, second = metric.of(base), metric.of(instruct)
    clusters = [problem.cluster for problem in base.table.problems]
    gap = paired_gap(first, second, clusters)
    return GapRow(
        base=pair.base,
        instruct=pair.instruct,
        judge=judge,
        metric=metric.name,
        primary=pair.primary,
        headline=headline,
        gap=gap,
        sampled=(
            paired_gap(base.sampled(first), instruct.sampled(second), clusters)
            if base.failed.any() or instruct.failed.any()
            else gap
        ),
        holm=math.nan,
        detectable=smallest_detectable(gap.error),
    )


# Level of the exact test.
_ALPHA: Final = 0.05
# Difference of two arms' shares of cut off or unanswered samples that is warned of (ours).
_UNLIKE: Final = 0.10


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence that is a control, or a warning where it speaks against the gap."""

    text: str
    warns: bool = False


def gap_statement(study: StudyTables, row: GapRow) -> Statement:
    """The sentence of a gap with its controls and warnings."""
    said = tuple(_controls(study, row))
    return Statement(
        text=_sentence(row),
        controls=tuple(each.text for each in said if not each.warns),
        warnings=tuple(each.text for each in said if each.warns),
    )


def _sentence(row: GapRow) -> str:
    difference = row.gap.difference
    measured = (
        f"{row.metric} of {row.instruct.arm} minus {row.base.arm} is {points_range(difference)} "
        f"points over {row.gap.problems} problems ({judge_name(row.judge)})"
    )
    where = setting(row.base)
    if row.gap.problems == 0:
        return f"{where}: no problem has a score in both arms, so there is no gap."
    if math.isnan(difference.low):
        return f"{where}: {measured}, the same on every problem, so there is no interval."
    if difference.sign == 0:
        missed = f"a true gap below {percent(row.detectable)} points would mostly go unseen"
        return f"{where}: neither arm is shown to solve more. {measured}; {missed}."
    winner = "instruct" if difference.sign > 0 else "base"
    return f"{where}: the {winner} arm solves more. {measured}."


def _controls(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    yield from _exact_test(row)
    yield from _decoding(study, row)
    yield from _reasoning(study, row)
    yield from _null(study, row)
    yield from _judges(study, row)
    yield from _other_scores(study, row)
    yield from _samples(study, row)
    yield from _problems(study, row)


def _exact_test(row: GapRow) -> Iterator[_Said]:
    sign = row.gap.difference.sign
    if not sign:
        return
    if not math.isnan(row.holm):
        text = f"exact McNemar test: p {_p(row.gap.p)}; after Holm over the table {_p(row.holm)}."
        if row.holm < _ALPHA:
            yield _Said(f"The {text}")
        else:
            yield _Said(f"The interval alone names a winner; the {text}", warns=True)
    clustered = row.gap.clustered
    if row.gap.clusters < row.gap.problems and clustered.sign != sign:
        yield _Said(
            f"Problems share {row.gap.clusters} sources; with errors clustered on them the gap is "
            f"{points_range(clustered)}, which names no winner.",
            warns=True,
        )


def _p(p: float) -> str:
    shown = p_value(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _decoding(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    if row.base.decoding == row.instruct.decoding:
        return
    control = _control(study, row)
    if control is None:
        yield _Said(
            "The two arms differ in decoding as well as in model, and this run has no arms to tell "
            "the two apart: run again with decoding=grid.",
            warns=True,
        )
        return
    parts = control.parts
    yield _Said(
        f"In parts: model {points_range(parts.model)}, decoding "
        f"{points_range(parts.decoding)}, interaction {points_range(parts.interaction)}."
    )
    sign = row.gap.difference.sign
    if sign and parts.model.sign != sign:
        turned = "the winner turns" if parts.model.sign else "no winner is left"
        yield _Said(
            f"Decoding explains it away: with both variants decoded as {row.base.decoding}, the "
            f"gap is {points_range(parts.model)}, and {turned}.",
            warns=True,
        )


def _control(study: StudyTables, row: GapRow) -> ControlRow | None:
    same = (r for r in study.controls if (r.base, r.instruct) == (row.base, row.instruct))
    return next((r for r in same if r.judge == row.judge), None)


def _reasoning(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    reasoned = _reasoned(study, row)
    if reasoned is None or math.isnan(reasoned.gap.difference.value):
        return
    difference, sign = reasoned.gap.difference, row.gap.difference.sign
    counted = f"counting only samples that reason, the gap is {points_range(difference)}"
    if sign and difference.sign != sign:
        left = "the winner turns" if difference.sign else "no winner is left"
        text = f"Answers without reasoning explain it away: {counted}, and {left}."
        yield _Said(text, warns=True)
    else:
        yield _Said(f"{counted[0].upper()}{counted[1:]}.")


def _reasoned(study: StudyTables, row: GapRow) -> ReasonedGapRow | None:
    same = (r for r in study.reasoned_gaps if (r.base, r.instruct) == (row.base, row.instruct))
    return next((r for r in same if r.judge == row.judge), None)


def _null(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    """The winner beside the null model, or both arms where there is none."""
    sign = row.gap.difference.sign
    arms = {1: (row.instruct,), -1: (row.base,), 0: (row.base, row.instruct)}[sign]
    for excess in study.excesses:
        if excess.cell in arms and excess.judge == row.judge and excess.problems:
            unread = f"answering 0 to {excess.answers - 1} unread"
            figures = (
                f"{percent(excess.pass_n)} against {percent(excess.null)} per cent, "
                f"{points_range(excess.excess)} points"
            )
            if excess.excess.sign > 0:
                yield _Said(f"{excess.cell.arm} solves more than {unread} does: {figures}.")
            else:
                text = f"{excess.cell.arm} is not shown to solve more than {unread}: {figures}."
                yield _Said(text, warns=True)


def _judges(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    found = _winners(study, row)
    if found is None or len(found.winners) < 2:
        return
    winners = set(found.winners.values())
    if len(winners) == 1:
        who = winners.pop()
        yield _Said(f"Under all {len(found.winners)} judges: {who}.")
        return
    listed = ", ".join(f"{judge_name(judge)} says {who}" for judge, who in found.winners.items())
    yield _Said(f"The winner depends on the judge: {listed}.", warns=True)


def _winners(study: StudyTables, row: GapRow) -> WinnerRow | None:
    wanted = (row.base, row.instruct, row.metric)
    rows = (r for r in study.winners if (r.base, r.instruct, r.metric) == wanted)
    return next(rows, None)


def _other_scores(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    others = [
        other
        for other in study.gaps
        if (other.base, other.instruct, other.judge) == (row.base, row.instruct, row.judge)
        and not other.headline
    ]
    if not others:
        return
    sign = row.gap.difference.sign
    listed = ", ".join(f"{o.metric} {points_range(o.gap.difference)}" for o in others)
    if sign and any(other.gap.difference.sign == -sign for other in others):
        yield _Said(f"The winner turns with the score: {listed}.", warns=True)
    else:
        yield _Said(f"The gap in other scores: {listed}.")


def _samples(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    """How alike the samples of the two arms are."""
    arms = [_arm(study, cell, row) for cell in (row.base, row.instruct)]
    if all(arm is not None and not math.isnan(arm.distinct) for arm in arms):
        listed = " and ".join(f"{decimal(a.distinct)} in {a.cell.arm}" for a in arms if a)
        yield _Said(f"Distinct answers a problem: {listed}.")
    if all(arm is not None and not math.isnan(arm.missed) for arm in arms):
        listed = " and ".join(f"{percent(a.missed)} per cent in {a.cell.arm}" for a in arms if a)
        yield _Said(f"Samples that hold the gold and are not judged correct: {listed}.")
    ends = [_outcome(study, cell, row) for cell in (row.base, row.instruct)]
    base, instruct = ends
    if base is None or instruct is None:
        return
    for what, first, second in (
        ("cut off at max_tokens", base.truncated, instruct.truncated),
        ("without an answer", base.no_answer, instruct.no_answer),
    ):
        if abs(first - second) >= _UNLIKE:
            yield _Said(
                f"{percent(first)} per cent of the samples of {base.cell.arm} are {what}, and "
                f"{percent(second)} of {instruct.cell.arm}: part of the gap may be that.",
                warns=True,
            )


def _arm(study: StudyTables, cell: Cell, row: GapRow) -> ArmRow | None:
    return next((a for a in study.arms if a.cell == cell and a.judge == row.judge), None)


def _outcome(study: StudyTables, cell: Cell, row: GapRow) -> OutcomeRow | None:
    return next((o for o in study.outcomes if o.cell == cell and o.judge == row.judge), None)


def _problems(study: StudyTables, row: GapRow) -> Iterator[_Said]:
    """Problems that count as unsolved because they could not be sampled, or count nowhere."""
    sampled = row.sampled
    if sampled.problems != row.gap.problems:
        text = (
            f"over the {sampled.problems} problems that no arm failed the gap is "
            f"{points_range(sampled.difference)}."
        )
        if sampled.difference.sign != row.gap.difference.sign:
            yield _Said(f"Failed problems count as unsolved and decide it: {text}", warns=True)
        else:
            yield _Said(f"Failed problems count as unsolved; {text}")
    for cell in (row.base, row.instruct):
        arm = _arm(study, cell, row)
        if arm is not None and arm.incomplete:
            yield _Said(
                f"{arm.incomplete} of {arm.problems} problems of {cell.arm} lack samples and are "
                f"in no score: finish the run.",
                warns=True,
            )


def gap_charts(study: StudyTables) -> Iterator[Chart]:
    """Ours under every judge, and the paper's, by family, dataset and prompt."""
    rows = [row for row in study.gaps if row.primary and row.headline]
    if not rows:
        return
    # The paper's zero-shot gaps on GSM8K are its headline: they stand beside any set of ours.
    datasets = {"gsm8k", *(row.base.dataset for row in rows)}
    ours = [
        Series(
            judge_name(judge),
            "ours" if place == 0 else "other",
            tuple(at_label(setting(r.base), r.gap.difference) for r in rows if r.judge == judge),
        )
        for place, judge in enumerate(study.judges)
    ]
    shown = [series for series in ours if series.marks]
    theirs = [row for row in study.scale if row.source == PAPER and row.dataset in datasets]
    for grader in dict.fromkeys(row.judge for row in theirs):
        marks = tuple(
            at_label(f"{row.family} on {row.dataset} ({row.prompt or 'prompt not said'})", row.gap)
            for row in theirs
            if row.judge == grader
        )
        shown.append(Series(f"the paper, {grader}", "paper", marks))
    title = f"Gap in {rows[0].metric}, instruct − base"
    yield from interval_chart("gaps", title, "points; right of zero instruct solves more", shown)


def _clustered(row: GapRow) -> str:
    shared = row.gap.clusters < row.gap.problems
    return points_interval(row.gap.clustered) if shared else DASH


def _sampled(row: GapRow) -> str:
    if row.sampled.problems == row.gap.problems:
        return DASH
    return f"{points_interval(row.sampled.difference)} ({row.sampled.problems})"


GAP_COLUMNS: tuple[Column[GapRow], ...] = (
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("base arm", lambda row: row.base.arm),
    label("instruct arm", lambda row: row.instruct.arm),
    label("judge", lambda row: judge_name(row.judge)),
    label("score", lambda row: row.metric),
    Column("problems", lambda row: str(row.gap.problems)),
    Column("base", lambda row: percent(row.gap.base)),
    Column("instruct", lambda row: percent(row.gap.instruct)),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
    Column("clusters", lambda row: str(row.gap.clusters)),
    Column("clustered (95 %)", _clustered),
    Column("base only", lambda row: str(row.gap.base_only)),
    Column("instruct only", lambda row: str(row.gap.instruct_only)),
    Column("p", lambda row: p_value(row.gap.p)),
    Column("Holm", lambda row: p_value(row.holm)),
    Column("gap, both sampled", _sampled),
    Column("detectable", lambda row: percent(row.detectable)),
)
COMPACT_GAP_COLUMNS: tuple[Column[GapRow], ...] = (
    label("judge", lambda row: judge_name(row.judge)),
    label("family", lambda row: row.base.family),
    label("dataset", lambda row: row.base.dataset),
    label("prompt", lambda row: row.base.prompt),
    label("score", lambda row: row.metric),
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference)),
    Column("McNemar p", lambda row: p_value(row.gap.p)),
)
