"""What can be said of a gap: the sentence that its interval allows, and every control on it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.report.figures import decimal, judge_name, p_value, percent, points_range
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
from distlab.store.cell import Cell

# Level of the exact test.
_ALPHA: Final = 0.05
# Difference of two arms' shares of cut off or unanswered samples that is warned of (ours).
_UNLIKE: Final = 0.10


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence that is a control, or a warning where it speaks against the gap."""

    text: str
    warns: bool = False


def setting(cell: Cell) -> str:
    """As in "qwen3-8b on gsm8k (zero-shot)"."""
    return f"{cell.family} on {cell.dataset} ({cell.prompt})"


def headline_gaps(study: StudyTables) -> list[GapRow]:
    """The study's gaps, each under the judge that stands for its instruct arm."""
    return [
        row
        for row in study.gaps
        if row.primary and row.headline and row.judge == study.headlines[row.instruct.key]
    ]


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
