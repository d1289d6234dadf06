"""StudyTables in; the report's questions out, each answered with what the intervals allow."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from distlab.report.figures import (
    judge_name,
    percent,
    percent_range,
    points_range,
    share_of,
    sides_name,
)
from distlab.report.gap_statements import gap_statement, headline_gaps, setting
from distlab.report.records import (
    AcceptRow,
    ControlRow,
    DropRow,
    Finding,
    GapRow,
    PromptRow,
    Statement,
    StratumRow,
    StudyTables,
    TrendRow,
    WinnerRow,
)
from distlab.report.scale import OURS

# Share of samples cut off or unanswered from which an arm is named (ours).
_MANY: Final = 0.10
_WINNERS: Final = {"base": "base", "instruct": "instruct", "undecided": "neither"}


def findings(study: StudyTables) -> tuple[Finding, ...]:
    """Every question, also those that this study cannot answer."""
    return tuple(
        Finding(name, question, tuple(answer(study)), tables)
        for name, question, answer, tables in _QUESTIONS
    )


def _gap(study: StudyTables) -> Iterator[Statement]:
    rows = headline_gaps(study)
    if not rows:
        yield _cannot("no dataset and prompt has verdicts for both a base and an instruct arm")
    yield from (gap_statement(study, row) for row in rows)


def _domains(study: StudyTables) -> Iterator[Statement]:
    groups: dict[tuple[str, str], list[GapRow]] = {}
    for row in headline_gaps(study):
        groups.setdefault((row.base.family, row.base.prompt), []).append(row)
    several = {key: rows for key, rows in groups.items() if len(rows) > 1}
    if not several:
        yield _cannot("no family has a gap on two datasets; run with gsm8k and medcalc, say")
    for (family, prompt), rows in several.items():
        said = {-1: "base solves more", 1: "instruct solves more", 0: "neither is shown to"}
        listed = []
        for sign, who in said.items():
            sets = [row.base.dataset for row in rows if row.gap.difference.sign == sign]
            if sets:
                listed.append(f"{who} on {', '.join(sets)}")
        yield Statement(f"{family} ({prompt}): {'; '.join(listed)}.")


def _decoding(study: StudyTables) -> Iterator[Statement]:
    rows = [r for r in study.controls if r.judge == study.headlines[r.instruct.key]]
    if not rows:
        yield _cannot(
            "the split needs both variants under both decodings of the study; "
            "run with decoding=grid, or with the experiment controls"
        )
    yield from (_split(study, row) for row in rows)


def _split(study: StudyTables, row: ControlRow) -> Statement:
    parts = row.parts
    named = [
        name
        for name, part in (
            ("the model", parts.model),
            ("the decoding", parts.decoding),
            ("their interaction", parts.interaction),
        )
        if part.sign
    ]
    shown = f"the part of {' and of '.join(named)}" if named else "no part"
    text = (
        f"{setting(row.base)}: of a gap of {points_range(parts.total)} points the model makes "
        f"{points_range(parts.model)}, decoding {points_range(parts.decoding)} and their "
        f"interaction {points_range(parts.interaction)}; {shown} is told from zero."
    )
    grid = [
        r
        for r in study.grid
        if setting(r.base) == setting(row.base) and (r.judge, r.metric) == (row.judge, row.metric)
    ]
    controls = [f"Under {r.base.decoding} for both: {points_range(r.gap)}." for r in grid]
    if grid:
        controls.append(f"Over the grid's decodings: {points_range(grid[0].model)}.")
    return Statement(text, tuple(controls))


def _guessing(study: StudyTables) -> Iterator[Statement]:
    if not study.nulls:
        yield _cannot("the null model was not graded; run python -m distlab.score on this run")
    for dataset, grader in dict.fromkeys((row.dataset, row.grader) for row in study.nulls):
        rows = [r for r in study.nulls if (r.dataset, r.grader) == (dataset, grader)]
        listed = ", ".join(
            f"0 to {row.answers - 1} solves {percent_range(row.solved)} per cent" for row in rows
        )
        yield Statement(f"{dataset} ({grader}), without reading a question: answering {listed}.")
    for row in study.reasoning:
        if row.judge == study.headlines[row.cell.key] and not math.isnan(row.pass_n.value):
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent(row.share)} per cent of the "
                f"samples reason before they answer; Pass@{row.cell.n} is "
                f"{percent_range(row.pass_n)}, and {percent_range(row.reasoned)} counting "
                "those samples alone."
            )


def _drops(study: StudyTables) -> Iterator[Statement]:
    rows = [row for row in study.drops if row.judge == study.headlines[row.cell.key]]
    if not rows:
        yield _cannot("no two problems of this run are a pair of original and perturbation")
    yield from (_drop(row) for row in rows)
    for gap in study.drop_gaps:
        if gap.judge == study.headlines[gap.instruct.key]:
            who = {1: "the base arm loses more", -1: "the instruct arm loses more"}
            yield Statement(
                f"{gap.base.family} ({gap.base.prompt}), {sides_name(gap.sides)}: "
                f"{who.get(gap.difference.sign, 'neither arm is shown to lose more')}; drop of "
                f"{gap.instruct.arm} minus drop of {gap.base.arm} is "
                f"{points_range(gap.difference)} points over {gap.pairs} pairs."
            )
    yield from _paper_drops(study)


def _drop(row: DropRow) -> Statement:
    change = row.drop.change
    said = {1: "solves more", -1: "solves less"}.get(change.sign, "is not shown to change")
    text = (
        f"{row.cell.family} {row.cell.arm} ({row.cell.prompt}), {sides_name(row.sides)}: {said} on "
        f"the perturbed side: {row.metric} {points_range(change)} points over {row.drop.pairs} "
        f"pairs ({judge_name(row.judge)})."
    )
    beside = f"Unpaired, the two sets differ by {points_range(row.unpaired)} points"
    if row.unpaired.sign and row.unpaired.sign != change.sign:
        return Statement(text, warnings=(f"{beside}; that does not hold problem by problem.",))
    return Statement(text, controls=(f"{beside}.",))


def _paper_drops(study: StudyTables) -> Iterator[Statement]:
    for row in study.unpaired:
        if not row.level and row.judge == study.headlines[row.cell.key]:
            cut = [
                f"From level {r.level} alone, as all of {r.cell.dataset} is: "
                f"{points_range(r.change)} points."
                for r in study.unpaired
                if r.level and (r.cell, r.judge) == (row.cell, row.judge)
            ]
            if not math.isnan(row.published.value):
                cut.append(f"The paper's figure: {points_range(row.published)}.")
            yield Statement(
                f"{row.cell.family} {row.cell.arm} ({row.cell.prompt}), as the paper compares, "
                f"from all of {row.before} to all of {row.cell.dataset}: "
                f"{points_range(row.change)} points.",
                tuple(cut),
            )


def _judges(study: StudyTables) -> Iterator[Statement]:
    headlines = {(r.base, r.instruct): r.metric for r in headline_gaps(study)}
    rows = [r for r in study.winners if headlines.get((r.base, r.instruct)) == r.metric]
    if len(study.judges) < 2:
        yield _cannot("one extractor and one grader were used; run with two of either")
        return
    yield from (_winner(row) for row in rows)
    yield from _accepted(study)


def _winner(row: WinnerRow) -> Statement:
    who = {_WINNERS[winner] for winner in row.winners.values()}
    listed = ", ".join(f"{judge_name(j)}: {_WINNERS[w]}" for j, w in row.winners.items())
    warnings = ("Even the sign of the gap differs between judges.",) if row.flips else ()
    if len(who) == 1:
        text = f"no; under all {len(row.winners)} judges {who.pop()} wins {row.metric}"
    else:
        text = f"yes; winner of {row.metric}: {listed}"
    return Statement(f"{setting(row.base)}: {text}.", warnings=warnings)


def _accepted(study: StudyTables) -> Iterator[Statement]:
    counts: dict[tuple[str, str, str, frozenset[str]], list[AcceptRow]] = {}
    for row in study.accepts:
        pair = frozenset((row.accepts, row.rejects))
        counts.setdefault((row.dataset, row.part, row.held, pair), []).append(row)
    for first, second in counts.values():
        yield Statement(
            f"{first.dataset}, {first.part}s {first.accepts} and {first.rejects} (with "
            f"{first.held}): of {first.samples} samples {first.count} "
            f"({share_of(first.count, first.samples)} per cent) are correct under {first.accepts} "
            f"alone and {second.count} ({share_of(second.count, second.samples)}) under "
            f"{second.accepts} alone."
        )


def _prompts(study: StudyTables) -> Iterator[Statement]:
    rows = [row for row in study.prompts if row.judge == study.headlines[row.first.key]]
    if not rows:
        yield _cannot("every arm was run with one prompt; run with zero-shot and few-shot")
    yield from (_prompt(row) for row in rows)


def _prompt(row: PromptRow) -> Statement:
    said = {1: "solves more", -1: "solves less"}.get(row.change.sign, "is not shown to change")
    return Statement(
        f"{row.first.family} {row.first.arm} on {row.first.dataset}: {said} with "
        f"{row.second.prompt} than with {row.first.prompt}: {row.metric} "
        f"{points_range(row.change)} points over {row.problems} problems "
        f"({judge_name(row.judge)})."
    )


def _ends(study: StudyTables) -> Iterator[Statement]:
    rows = [
        row for row in study.outcomes if row.judge == study.headlines[row.cell.key] and row.samples
    ]
    if not rows:
        drawn = any(cell.until_solved for cell in study.manifest.cells)
        yield _cannot("samples were drawn until solved" if drawn else "no sample has a verdict")
        return
    for row in rows:
        if max(row.truncated, row.no_answer, row.unjudged) >= _MANY:
            yield Statement(
                f"{row.cell.arm}, {setting(row.cell)}: {percent(row.correct)} per cent of "
                f"{row.samples} samples are correct, {percent(row.wrong)} wrong, "
                f"{percent(row.no_answer)} without an answer, {percent(row.truncated)} cut off, "
                f"{percent(row.unjudged)} not judged."
            )
    calm = [r for r in rows if max(r.truncated, r.no_answer, r.unjudged) < _MANY]
    if calm:
        lost = max(row.truncated + row.no_answer + row.unjudged for row in calm)
        which = "every arm" if len(calm) == len(rows) else f"the other {len(calm)} arms"
        yield Statement(
            f"In {which}, at most {percent(lost)} per cent of the samples are cut off, without an "
            "answer or not judged."
        )


def _strata(study: StudyTables) -> Iterator[Statement]:
    groups: dict[tuple[str, str], list[StratumRow]] = {}
    for row in study.strata:
        if row.judge == study.headlines[row.instruct.key]:
            groups.setdefault((setting(row.base), row.stratum), []).append(row)
    several = {key: rows for key, rows in groups.items() if len(rows) > 1}
    if not several:
        yield _cannot("the problems of this run are of one kind, or no gap was measured")
    for (where, stratum), rows in several.items():
        signs = Counter(row.gap.difference.sign for row in rows)
        yield Statement(
            f"{where}, by {stratum}: base solves more in {signs[-1]} of {len(rows)} kinds, "
            f"instruct in {signs[1]}; in {signs[0]} neither is shown to."
        )


def _scale(study: StudyTables) -> Iterator[Statement]:
    ours = [row for row in study.trends if row.source == OURS]
    if not any(row.trend.families > 2 for row in ours):
        yield _cannot("a trend of ours needs three families of two sizes; run a sweep over model")
    stand = {judge_name(row.judge) for row in headline_gaps(study)}
    for row in study.trends:
        if row.source == OURS and row.judge not in stand:
            continue
        if row.trend.families > 2 and not math.isnan(row.trend.slope.value):
            yield Statement(_trend(row))


def _trend(row: TrendRow) -> str:
    slope = row.trend.slope
    said = {1: "moves towards instruct", -1: "moves towards base"}
    whose = "our figures" if row.source == OURS else "the paper's figures"
    return (
        f"{row.dataset} ({row.prompt or 'prompt not said'}, {row.judge}), {whose}: the gap "
        f"{said.get(slope.sign, 'is not shown to move')} with size: {points_range(slope)} "
        f"points for ten times the parameters, over {row.trend.families} families."
    )


def _paper(study: StudyTables) -> Iterator[Statement]:
    rows = study.replications
    if not rows:
        yield _cannot("no arm of this run is one that the paper gives a figure for")
        return
    counts = Counter(row.judgement for row in rows)
    listed = ", ".join(f"{count} {judgement}" for judgement, count in counts.items())
    yield Statement(f"Of {len(rows)} figures that we have too: {listed}.")
    for row in rows:
        if not row.reason:
            shown = percent_range if row.figure in ("base", "instruct") else points_range
            yield Statement(
                f"{setting(row.cell)}, {row.figure} ({judge_name(row.judge)}): {row.judgement}; "
                f"the paper {shown(row.published)}, ours {shown(row.ours)}."
            )


def _cannot(why: str) -> Statement:
    return Statement(f"Cannot be said: {why}.")


_Answer = Callable[[StudyTables], Iterator[Statement]]
_QUESTIONS: Final[tuple[tuple[str, str, _Answer, tuple[str, ...]], ...]] = (
    ("gap", "Does the instruct model solve more than its base?", _gap, ("gaps", "scores")),
    ("decoding", "Is it the model, or the decoding?", _decoding, ("controls", "grid")),
    ("domains", "Is it so on every dataset?", _domains, ()),
    (
        "guessing",
        "Could it be had without reasoning?",
        _guessing,
        ("nulls", "beyond_null", "reasoning", "reasoned_gaps"),
    ),
    (
        "judges",
        "Does the winner depend on the grader or the extractor?",
        _judges,
        ("winners", "agreement", "accepts", "disagreements"),
    ),
    (
        "drops",
        "What is lost on perturbed problems?",
        _drops,
        ("drops", "drop_differences", "unpaired_drops"),
    ),
    ("prompts", "Does the prompt matter?", _prompts, ("prompts",)),
    ("strata", "Is the gap the same for all kinds of problems?", _strata, ("strata",)),
    ("scale", "Does the gap change with size?", _scale, ("scale", "trends")),
    ("ends", "Where do samples end?", _ends, ("outcomes", "curves")),
    ("paper", "Are the paper's figures found again?", _paper, ("paper",)),
)
