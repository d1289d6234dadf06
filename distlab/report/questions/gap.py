"""Does the instruct model solve more than its base?

The headline, so it reads the controls in the tables of the other questions.
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import (
    Answer,
    Claim,
    Explanation,
    Kind,
    differs,
    explains,
    turns,
)
from distlab.analysis.contrasts import EMPTY, Contrast
from distlab.analysis.power import smallest_detectable
from distlab.errors import counted
from distlab.report.charts.kinds import Chart, Series, at_label, interval_chart
from distlab.report.decided_table import (
    DECIDED,
    DECIDED_TERMS,
    SHORT_DECIDED,
    decided_claims,
    decided_statements,
)
from distlab.report.gap_table import GAP_TERMS, GAPS, GapRow, first_gap, headline_gaps
from distlab.report.question import Question, Statement, cannot_say, problems_of
from distlab.report.questions.decoding import CONTROLS, ControlRow
from distlab.report.questions.ends import ENDING_DIFFERENCES
from distlab.report.questions.formats import FORMATS
from distlab.report.questions.guessing import (
    BEYOND_NULL,
    REASONED_GAPS,
    BeyondNullRow,
    ReasonedGapRow,
)
from distlab.report.questions.judges import find_winners, judge_verdict
from distlab.report.questions.scale import GapSource, ScaleRow, drawn
from distlab.report.score_table import SCORE_TERMS, SCORES, ScoreRow
from distlab.report.table import StudyTables
from distlab.report.wording import (
    alone_note,
    between,
    holm_note,
    judge_name,
    stages_of,
    who_solves_more,
)
from distlab.runs.styles import prompt_format
from distlab.store.cell import Cell
from distlab.tables.numbers import decimal, percent, points_range

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
    if not rows and not study.rows(DECIDED):
        first, second = study.sides.first, study.sides.second
        yield cannot_say(
            f"no dataset and prompt has verdicts for both a {first} and an {second} arm"
        )
    yield from decided_statements(study)
    yield from (_statement(study, row) for row in rows)


def _statement(study: StudyTables, row: GapRow) -> Statement:
    """The sentence of a gap with its controls and warnings."""
    said = tuple(_controls(study, row))
    return Statement(
        text=_sentence(study, row),
        controls=tuple(each.text for each in said if not each.warns),
        warnings=tuple(each.text for each in said if each.warns),
        samples=problems_of(row.base, solved="some"),
    )


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm solves more, that the winner turns with the score, that failures explain it."""
    margin = study.margins.equivalence
    yield from decided_claims(study)
    for row in headline_gaps(study):
        if not row.gap.problems:
            continue
        where = f"{between(row.base, row.instruct)}, {row.metric}"
        yield differs(Kind.GAP, row.key, where, row.gap.difference, margin)
        if first := _first(study, row):
            named = f"{between(row.base, row.instruct)}, {first.metric}"
            yield differs(Kind.FIRST, first.key, named, first.gap.difference, margin)
        scores = [other.gap.difference for other in _other_rows(study, row)]
        if scores:
            yield turns(Kind.SCORES, row.key, where, (row.gap.difference, *scores))
        if row.sampled.problems and not math.isnan(row.failures.p):
            split = Explanation(row.gap.difference, row.failures, row.sampled.difference)
            yield explains(Kind.FAILURES_EXPLAIN, row.key, where, split, margin)


def _sentence(study: StudyTables, row: GapRow) -> str:
    where = between(row.base, row.instruct)
    if row.gap.problems == 0:
        return f"{where}: no problem has a score in both arms, so there is no gap."
    measured = (
        f"{row.metric} of {row.instruct.arm} minus {row.base.arm} is "
        f"{points_range(row.gap.difference.estimate)} points over "
        f"{counted(row.gap.problems, 'problem')}"
    )
    if row.gap.clusters < row.gap.problems:
        measured += f" from {counted(row.gap.clusters, 'source')}"
        measured += ", too few for an interval" if math.isnan(row.gap.difference.error) else ""
    arms, margin = (row.base, row.instruct), study.margins.equivalence
    said = who_solves_more(study.decision(Kind.GAP, row.key), arms, margin, "which arm solves more")
    text = f"{where}: {said}. {measured} ({judge_name(row.judge)})."
    first = _first(study, row)
    if first is None:
        return text
    alone = study.decision(Kind.FIRST, first.key)
    told = who_solves_more(alone, arms, margin, "which of them solves more")
    shown = points_range(first.gap.difference.estimate)
    return f"{text} With one sample {told}: {first.metric} {shown} points."


def _first(study: StudyTables, row: GapRow) -> GapRow | None:
    """The gap with one sample, where it can be tested beside the one with all."""
    first = first_gap(study, row)
    return None if first is None or not first.gap.problems else first


def _controls(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    if not row.gap.problems:
        return
    yield from _tests(study, row)
    yield from _decoding(study, row)
    yield from _reasoning(study, row)
    yield from _null(study, row)
    yield from _judges(study, row)
    yield from _other_scores(study, row)
    yield from _samples(study, row)
    yield from _problems(study, row)


def _tests(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """What the gap would be called alone, as if independent, and how small it could have been."""
    decision = study.decision(Kind.GAP, row.key)
    if decision.alone:
        yield _Check(alone_note(decision), warns=True)
    if row.gap.clusters < row.gap.problems:
        independent = points_range(row.gap.difference.independent)
        few = math.isnan(row.gap.difference.error)
        taken = "which the interval and the test take into account"
        yield _Check(
            f"Problems share {counted(row.gap.clusters, 'source')}, "
            f"{'too few for an interval' if few else taken}; as if problems were independent the "
            f"gap would be {independent}."
        )
    detectable = smallest_detectable(row.gap, study.family.level)
    if decision.answer is Answer.CANNOT_TELL and not math.isnan(detectable):
        yield _Check(f"A true gap below {percent(detectable)} points would mostly go unseen.")


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
        f"In parts: model {points_range(parts.model.estimate)}, decoding "
        f"{points_range(parts.decoding.estimate)}, interaction "
        f"{points_range(parts.interaction.estimate)}."
    )
    yield from _format(study, row)
    equal = f"with both variants decoded as {row.base.decoding}"
    key = (row.base, row.instruct, row.judge)
    yield from _explained(study, row, (Kind.DECODING_EXPLAINS, key), "Decoding", equal)


def _format(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """That the model part is not the checkpoint's alone, where it is not."""
    first, second = (prompt_format(study.manifest, cell) for cell in (row.base, row.instruct))
    if first is None or first == second:
        return
    crossed = any(
        (other.base.family, other.base.dataset) == (row.base.family, row.base.dataset)
        for other in study.rows(FORMATS)
    )
    told = "the crossed formats below tell" if crossed else "run with prompt=crossed to tell"
    yield _Check(
        f"The model part holds the prompt's format, too ({first} for {row.base.arm}, {second} for "
        f"{row.instruct.arm}): {told} checkpoint and format apart."
    )


def _explained(
    study: StudyTables, row: GapRow, claim: tuple[Kind, Hashable], cause: str, equal: str
) -> Iterator[_Check]:
    """Whether something explains away a gap that is there; nothing where none is told."""
    sign = study.decision(Kind.GAP, row.key).direction
    decision = study.family.find(*claim)
    if not sign or decision is None:
        return
    left = points_range(_remainder(study, row, claim[0]).estimate)
    margin = percent(study.margins.equivalence)
    singular = "explains" if cause == "Decoding" else "explain"
    does = "does" if cause == "Decoding" else "do"
    if decision.answer is Answer.YES:
        text = f"{cause} {singular} it away: {equal}, the gap is {left}, within {margin} points"
        yield _Check(f"{text} of zero ({holm_note(decision)}).", warns=True)
    elif decision.answer is Answer.NO and decision.claim.direction == sign:
        yield _Check(f"{cause} {does} not explain it away: {equal}, a gap of {left} stays.")
    elif decision.answer is Answer.NO:
        text = f"{cause} {singular} more than all of it: {equal}, the gap is {left}"
        yield _Check(f"{text}, and the winner turns.", warns=True)
    else:
        text = f"Whether {cause[0].lower()}{cause[1:]} {singular} it away cannot be told apart here"
        yield _Check(f"{text}: {equal}, the gap is {left}.", warns=True)


def _remainder(study: StudyTables, row: GapRow, kind: Kind) -> Contrast:
    """What stays of the gap."""
    if kind is Kind.FAILURES_EXPLAIN:
        return row.sampled.difference
    if kind is Kind.DECODING_EXPLAINS:
        control = _control(study, row)
        return EMPTY if control is None else control.parts.model
    reasoned = _reasoned(study, row)
    return EMPTY if reasoned is None else reasoned.gap.difference


def _control(study: StudyTables, row: GapRow) -> ControlRow | None:
    same = (r for r in study.rows(CONTROLS) if (r.base, r.instruct) == (row.base, row.instruct))
    return next((r for r in same if r.judge == row.judge), None)


def _reasoning(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    reasoned = _reasoned(study, row)
    if reasoned is None or math.isnan(reasoned.gap.difference.value):
        return
    if reasoned.silent:
        named = " or ".join(cell.arm for cell in reasoned.silent)
        yield _Check(
            f"No sample of {named} reasons before its answer, so no gap is counted over samples "
            "that reason.",
            warns=True,
        )
        return
    shown = points_range(reasoned.gap.difference.estimate)
    yield _Check(f"Counting only samples that reason, the gap is {shown}.")
    cause, equal = "Answers without reasoning", "counting only samples that reason"
    key = (row.base, row.instruct, row.judge)
    yield from _explained(study, row, (Kind.GUESSING_EXPLAINS, key), cause, equal)


def _reasoned(study: StudyTables, row: GapRow) -> ReasonedGapRow | None:
    same = (
        r for r in study.rows(REASONED_GAPS) if (r.base, r.instruct) == (row.base, row.instruct)
    )
    return next((r for r in same if r.judge == row.judge), None)


def _null(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """The winner beside the null model, or both arms where there is none."""
    sign = study.decision(Kind.GAP, row.key).direction
    arms = {1: (row.instruct,), -1: (row.base,), 0: (row.base, row.instruct)}[sign]
    for excess in study.rows(BEYOND_NULL):
        decision = study.family.find(Kind.BEYOND_NULL, (excess.cell, excess.judge))
        if excess.cell in arms and excess.judge == row.judge and decision is not None:
            yield _Check(*_beyond(excess, decision.answer))


def _beyond(excess: BeyondNullRow, answer: Answer) -> tuple[str, bool]:
    """What an arm solves beyond answering unread, and whether that is a warning."""
    unread = f"answering 0 to {excess.answers - 1} without reading the question does"
    said = {
        Answer.YES: f"{excess.cell.arm} solves more than {unread}",
        Answer.NO: f"{excess.cell.arm} solves less than {unread}",
        Answer.CANNOT_TELL: f"Whether {excess.cell.arm} solves more than {unread} cannot be told",
    }
    figures = (
        f"{percent(excess.pass_n)} against {percent(excess.null)} per cent, "
        f"{points_range(excess.excess.estimate)} points"
    )
    return f"{said[answer]}: {figures}.", answer is not Answer.YES


def _judges(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    found = find_winners(study, row.base, row.instruct, row.metric)
    if found is None:
        return
    text, turned = judge_verdict(study, found)
    decision = study.decision(Kind.JUDGES, found.key)
    yield _Check(f"{text[0].upper()}{text[1:]}", warns=decision.answer is Answer.YES)
    if turned:
        yield _Check(turned, warns=True)


def _other_rows(study: StudyTables, row: GapRow) -> list[GapRow]:
    """The gaps of the same arms and judge in other scores that can be tested."""
    return [
        other
        for other in study.rows(GAPS)
        if (other.base, other.instruct, other.judge) == (row.base, row.instruct, row.judge)
        and not other.headline
        and not math.isnan(other.gap.difference.p)
    ]


def _other_scores(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    others = _other_rows(study, row)
    if not others:
        return
    listed = ", ".join(f"{o.metric} {points_range(o.gap.difference.estimate)}" for o in others)
    answer = study.decision(Kind.SCORES, row.key).answer
    said = {
        Answer.YES: "The winner turns with the score",
        Answer.NO: "The winner is the same in all scores",
        Answer.CANNOT_TELL: "Whether the winner turns with the score cannot be told here",
    }
    yield _Check(f"{said[answer]}: {listed}.", warns=answer is Answer.YES)


def _samples(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """How alike the samples of the two arms are."""
    arms = [_arm(study, cell, row) for cell in (row.base, row.instruct)]
    if all(arm is not None and not math.isnan(arm.distinct) for arm in arms):
        listed = " and ".join(f"{decimal(a.distinct)} in {a.cell.arm}" for a in arms if a)
        yield _Check(f"Distinct answers per problem: {listed}.")
    if all(arm is not None and not math.isnan(arm.missed.value) for arm in arms):
        listed = " and ".join(
            f"{percent(a.missed.value)} per cent in {a.cell.arm}" for a in arms if a
        )
        yield _Check(f"Samples that hold the gold and are not judged correct: {listed}.")
    yield from _endings(study, row)


def _endings(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """That many more samples of one arm are lost."""
    for ends in study.rows(ENDING_DIFFERENCES):
        if (ends.base, ends.instruct, ends.judge) != (row.base, row.instruct, row.judge):
            continue
        decision = study.family.find(Kind.ENDS, ends.key)
        told = decision is not None and decision.answer is Answer.YES
        if told and abs(ends.difference.value) >= _UNLIKE:
            yield _Check(
                f"{percent(ends.first.value)} per cent of the samples of {ends.base.arm} are "
                f"{ends.ending}, and {percent(ends.second.value)} of {ends.instruct.arm}: part of "
                "the gap may be that.",
                warns=True,
            )


def _arm(study: StudyTables, cell: Cell, row: GapRow) -> ScoreRow | None:
    return next((a for a in study.rows(SCORES) if a.cell == cell and a.judge == row.judge), None)


def _problems(study: StudyTables, row: GapRow) -> Iterator[_Check]:
    """Problems that count as unsolved because they could not be sampled, or count nowhere."""
    sampled = row.sampled
    if sampled.problems != row.gap.problems:
        shown = points_range(sampled.difference.estimate)
        without = f"over the {counted(sampled.problems, 'problem')} that no arm failed"
        yield _Check(f"Failed problems count as unsolved; {without} the gap is {shown}.")
        claim = (Kind.FAILURES_EXPLAIN, row.key)
        yield from _explained(study, row, claim, "Failed problems", without)
    for cell in (row.base, row.instruct):
        arm = _arm(study, cell, row)
        if arm is not None and arm.incomplete:
            yield _Check(
                f"{arm.incomplete} of {arm.problems} problems of {cell.arm} lack samples and are "
                f"in no score: finish the run.",
                warns=True,
            )


def _charts(study: StudyTables) -> Iterator[Chart]:
    """Ours under every judge, and the paper's: a figure per dataset, a row per setting."""
    rows = [row for row in study.rows(GAPS) if row.primary and row.headline]
    paper = [row for row in drawn(study) if rows and row.source == GapSource.PAPER]
    datasets = dict.fromkeys((*(r.base.dataset for r in rows), *(r.dataset for r in paper)))
    sides = study.sides
    for place, dataset in enumerate(datasets):
        ours = [row for row in rows if row.base.dataset == dataset]
        theirs = [row for row in paper if row.dataset == dataset]
        yield from interval_chart(
            f"gaps-{place}",
            f"Gap in {rows[0].metric} on {dataset}, {sides.second} − {sides.first}",
            f"← {sides.first} · points · {sides.second} →",
            [*_our_series(study, ours), *_their_series(theirs)],
        )


def _our_series(study: StudyTables, rows: Sequence[GapRow]) -> Iterator[Series]:
    for place, judge in enumerate(study.judges):
        marks = tuple(
            at_label(
                f"{row.base.family} ({row.base.prompt}){stages_of(row.base, row.instruct)}",
                row.gap.difference.estimate,
            )
            for row in rows
            if row.judge == judge
        )
        if marks:
            yield Series(judge_name(judge), "ours" if place == 0 else "other", marks)


def _their_series(rows: Sequence[ScaleRow]) -> Iterator[Series]:
    for grader in dict.fromkeys(row.judge for row in rows):
        marks = tuple(
            at_label(f"{row.family} ({row.prompt or 'prompt not said'})", row.gap)
            for row in rows
            if row.judge == grader
        )
        yield Series(f"the paper, {grader}", "paper", marks)


QUESTION = Question(
    name="gap",
    text="Does the instruct model solve more than its base?",
    of_ladder="Does the last stage solve more than the first?",
    tables=(DECIDED, GAPS, SCORES),
    statements=_statements,
    charts=_charts,
    claims=_claims,
    short_tables=(SHORT_DECIDED,),
    terms=(*SCORE_TERMS, *GAP_TERMS, *DECIDED_TERMS),
)
