"""Does the instruct model solve more than its base?

The headline, so it reads the controls in the tables of the other questions.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.gap_table import GAP_TERMS, GAPS, GapRow, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.decoding import CONTROLS, ControlRow
from distlab.report.questions.ends import OUTCOMES, OutcomeRow
from distlab.report.questions.guessing import BEYOND_NULL, REASONED_GAPS, ReasonedGapRow
from distlab.report.questions.judges import WINNERS, WinnerRow
from distlab.report.questions.scale import SCALE, GapSource
from distlab.report.score_table import SCORE_TERMS, SCORES, ScoreRow
from distlab.report.table import StudyTables
from distlab.report.wording import judge_name, setting
from distlab.store.cell import Cell
from distlab.tables.numbers import decimal, p_value, percent, points_range

# Level of the exact test.
_ALPHA: Final = 0.05
# Difference of two arms' shares of cut off or unanswered samples that is warned of (ours).
_UNLIKE: Final = 0.10


@dataclass(frozen=True, slots=True)
class _Check:
    """What one control says of the gap; a warning where it speaks against it."""

    text: str
    warns: bool = False


def _statements(study: StudyTables) -> Iterator[Statement]:
    """One sentence per headline gap."""
    rows = headline_gaps(study)
    if not rows:
        yield cannot_say("no dataset and prompt has verdicts for both a base and an instruct arm")
    yield from (_statement(study, row) for row in rows)


def _statement(study: StudyTables, row: GapRow) -> Statement:
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


def _controls(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    yield from _exact_test(row)
    yield from _decoding(study, row)
    yield from _reasoning(study, row)
    yield from _null(study, row)
    yield from _judges(study, row)
    yield from _other_scores(study, row)
    yield from _samples(study, row)
    yield from _problems(study, row)


def _exact_test(row: GapRow) -> Iterator[_Check]:
    sign = row.gap.difference.sign
    if not sign:
        return
    if not math.isnan(row.holm):
        text = f"exact McNemar test: p {_p(row.gap.p)}; after Holm over the table {_p(row.holm)}."
        if row.holm < _ALPHA:
            yield _Check(f"The {text}")
        else:
            yield _Check(f"The interval alone names a winner; the {text}", warns=True)
    clustered = row.gap.clustered
    if row.gap.clusters < row.gap.problems and clustered.sign != sign:
        yield _Check(
            f"Problems share {row.gap.clusters} sources; with errors clustered on them the gap is "
            f"{points_range(clustered)}, which names no winner.",
            warns=True,
        )


def _p(p: float) -> str:
    shown = p_value(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _decoding(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    if row.base.decoding == row.instruct.decoding:
        return
    control = _control(study, row)
    if control is None:
        yield _Check(
            "The two arms differ in decoding as well as in model, and this run has no arms to tell "
            "the two apart: run again with decoding=grid.",
            warns=True,
        )
        return
    parts = control.parts
    yield _Check(
        f"In parts: model {points_range(parts.model)}, decoding "
        f"{points_range(parts.decoding)}, interaction {points_range(parts.interaction)}."
    )
    sign = row.gap.difference.sign
    if sign and parts.model.sign != sign:
        turned = "the winner turns" if parts.model.sign else "no winner is left"
        yield _Check(
            f"Decoding explains it away: with both variants decoded as {row.base.decoding}, the "
            f"gap is {points_range(parts.model)}, and {turned}.",
            warns=True,
        )


def _control(study: StudyTables, row: GapRow) -> ControlRow | None:
    same = (r for r in study.rows(CONTROLS) if (r.base, r.instruct) == (row.base, row.instruct))
    return next((r for r in same if r.judge == row.judge), None)


def _reasoning(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    reasoned = _reasoned(study, row)
    if reasoned is None or math.isnan(reasoned.gap.difference.value):
        return
    difference, sign = reasoned.gap.difference, row.gap.difference.sign
    counted = f"counting only samples that reason, the gap is {points_range(difference)}"
    if sign and difference.sign != sign:
        left = "the winner turns" if difference.sign else "no winner is left"
        text = f"Answers without reasoning explain it away: {counted}, and {left}."
        yield _Check(text, warns=True)
    else:
        yield _Check(f"{counted[0].upper()}{counted[1:]}.")


def _reasoned(study: StudyTables, row: GapRow) -> ReasonedGapRow | None:
    same = (
        r for r in study.rows(REASONED_GAPS) if (r.base, r.instruct) == (row.base, row.instruct)
    )
    return next((r for r in same if r.judge == row.judge), None)


def _null(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """The winner beside the null model, or both arms where there is none."""
    sign = row.gap.difference.sign
    arms = {1: (row.instruct,), -1: (row.base,), 0: (row.base, row.instruct)}[sign]
    for excess in study.rows(BEYOND_NULL):
        if excess.cell in arms and excess.judge == row.judge and excess.problems:
            unread = f"answering 0 to {excess.answers - 1} unread"
            figures = (
                f"{percent(excess.pass_n)} against {percent(excess.null)} per cent, "
                f"{points_range(excess.excess)} points"
            )
            if excess.excess.sign > 0:
                yield _Check(f"{excess.cell.arm} solves more than {unread} does: {figures}.")
            else:
                text = f"{excess.cell.arm} is not shown to solve more than {unread}: {figures}."
                yield _Check(text, warns=True)


def _judges(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    found = _winners(study, row)
    if found is None or len(found.winners) < 2:
        return
    winners = set(found.winners.values())
    if len(winners) == 1:
        who = winners.pop()
        yield _Check(f"Under all {len(found.winners)} judges: {who}.")
        return
    listed = ", ".join(f"{judge_name(judge)} says {who}" for judge, who in found.winners.items())
    yield _Check(f"The winner depends on the judge: {listed}.", warns=True)


def _winners(study: StudyTables, row: GapRow) -> WinnerRow | None:
    wanted = (row.base, row.instruct, row.metric)
    rows = (r for r in study.rows(WINNERS) if (r.base, r.instruct, r.metric) == wanted)
    return next(rows, None)


def _other_scores(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    others = [
        other
        for other in study.rows(GAPS)
        if (other.base, other.instruct, other.judge) == (row.base, row.instruct, row.judge)
        and not other.headline
    ]
    if not others:
        return
    sign = row.gap.difference.sign
    listed = ", ".join(f"{o.metric} {points_range(o.gap.difference)}" for o in others)
    if sign and any(other.gap.difference.sign == -sign for other in others):
        yield _Check(f"The winner turns with the score: {listed}.", warns=True)
    else:
        yield _Check(f"The gap in other scores: {listed}.")


def _samples(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """How alike the samples of the two arms are."""
    arms = [_arm(study, cell, row) for cell in (row.base, row.instruct)]
    if all(arm is not None and not math.isnan(arm.distinct) for arm in arms):
        listed = " and ".join(f"{decimal(a.distinct)} in {a.cell.arm}" for a in arms if a)
        yield _Check(f"Distinct answers per problem: {listed}.")
    if all(arm is not None and not math.isnan(arm.missed) for arm in arms):
        listed = " and ".join(f"{percent(a.missed)} per cent in {a.cell.arm}" for a in arms if a)
        yield _Check(f"Samples that hold the gold and are not judged correct: {listed}.")
    ends = [_outcome(study, cell, row) for cell in (row.base, row.instruct)]
    base, instruct = ends
    if base is None or instruct is None:
        return
    for what, first, second in (
        ("cut off at max_tokens", base.truncated, instruct.truncated),
        ("without an answer", base.no_answer, instruct.no_answer),
    ):
        if abs(first - second) >= _UNLIKE:
            yield _Check(
                f"{percent(first)} per cent of the samples of {base.cell.arm} are {what}, and "
                f"{percent(second)} of {instruct.cell.arm}: part of the gap may be that.",
                warns=True,
            )


def _arm(study: StudyTables, cell: Cell, row: GapRow) -> ScoreRow | None:
    return next((a for a in study.rows(SCORES) if a.cell == cell and a.judge == row.judge), None)


def _outcome(study: StudyTables, cell: Cell, row: GapRow) -> OutcomeRow | None:
    return next((o for o in study.rows(OUTCOMES) if o.cell == cell and o.judge == row.judge), None)


def _problems(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """Problems that count as unsolved because they could not be sampled, or count nowhere."""
    sampled = row.sampled
    if sampled.problems != row.gap.problems:
        text = (
            f"over the {sampled.problems} problems that no arm failed the gap is "
            f"{points_range(sampled.difference)}."
        )
        if sampled.difference.sign != row.gap.difference.sign:
            yield _Check(f"Failed problems count as unsolved and decide it: {text}", warns=True)
        else:
            yield _Check(f"Failed problems count as unsolved; {text}")
    for cell in (row.base, row.instruct):
        arm = _arm(study, cell, row)
        if arm is not None and arm.incomplete:
            yield _Check(
                f"{arm.incomplete} of {arm.problems} problems of {cell.arm} lack samples and are "
                f"in no score: finish the run.",
                warns=True,
            )


def _charts(study: StudyTables) -> Iterator[Chart]:
    """Ours under every judge, and the paper's, by family, dataset and prompt."""
    rows = [row for row in study.rows(GAPS) if row.primary and row.headline]
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
    theirs = [
        row
        for row in study.rows(SCALE)
        if row.source == GapSource.PAPER and row.dataset in datasets
    ]
    for grader in dict.fromkeys(row.judge for row in theirs):
        marks = tuple(
            at_label(f"{row.family} on {row.dataset} ({row.prompt or 'prompt not said'})", row.gap)
            for row in theirs
            if row.judge == grader
        )
        shown.append(Series(f"the paper, {grader}", "paper", marks))
    title = f"Gap in {rows[0].metric}, instruct − base"
    yield from interval_chart("gaps", title, "points; right of zero instruct solves more", shown)


QUESTION = Question(
    name="gap",
    text="Does the instruct model solve more than its base?",
    tables=(GAPS, SCORES),
    statements=_statements,
    charts=_charts,
    terms=(*SCORE_TERMS, *GAP_TERMS),
)
