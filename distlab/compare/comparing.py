"""Two sides in; a Comparison out: scores by the report, differences by ``analysis``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from distlab.analysis.claims import MARGINS, Answer, Claim, Kind, decide, differs
from distlab.analysis.gaps import paired_gap
from distlab.analysis.power import smallest_detectable
from distlab.compare.asked import Asked, Sides, chosen
from distlab.compare.changing import Tables, change_rows
from distlab.compare.comparison import Comparison, DifferenceRow, Pair
from distlab.compare.differing import setting_rows
from distlab.compare.matching import cannot, match
from distlab.compare.problem_pairs import pairing_sentences
from distlab.compare.side import Side, is_log, read_sides
from distlab.errors import UserError, counted
from distlab.runs.pairing import ONE_ANSWER, metrics
from distlab.runs.scored import Judge, JudgedRuns, VerdictTable
from distlab.runs.scores import ProblemScores, problem_scores

_EVERYTHING = Asked()


def compare(places: Sequence[Path], asked: Asked = _EVERYTHING) -> tuple[Comparison, ...]:
    """Compare the first of several runs or logs with each of the others.

    Args:
        places: Run folders or logs of other tools, two or more.
        asked: What of them, and how.

    Raises:
        UserError: One is neither, has no verdicts, a file in it cannot be read, or nothing of two
            can be compared.
    """
    first, *others = read_sides(places)
    return tuple(_compare((first, other), asked) for other in others)


def _compare(sides: tuple[Side, Side], asked: Asked) -> Comparison:
    studies = chosen(Sides(sides[0].study, sides[1].study), asked)
    pair = match(studies, any_judges=bool(asked.choices.get("judge")))
    together = list(_tables(pair))
    margin = MARGINS.equivalence if asked.margin is None else asked.margin
    scores = [(problem_scores(one), problem_scores(other)) for one, other in together]
    differences = [row for both in scores for row in _differences(pair, margin, *both)]
    few = dict.fromkeys(_few_sources(differences))
    unable = (*cannot(pair), *_unscored(pair, together), *_remarks(studies), *few)
    pairing = tuple(
        said
        for (mine, other), shared in pair.shared.items()
        for said in pairing_sentences(mine if mine == other else f"{mine} and {other}", shared)
    )
    if not differences:
        raise _incomparable(studies, (*unable, *pairing))
    return Comparison(
        first=studies.first.manifest.run,
        second=studies.second.manifest.run,
        settings=setting_rows(pair),
        differences=_decided(differences),
        changes=change_rows(pair, together, sides),
        pairing=pairing,
        cannot=unable,
    )


def _incomparable(studies: Sides, why: Sequence[str]) -> UserError:
    names = f"{studies.first.manifest.run} and {studies.second.manifest.run}"
    return UserError(
        f"nothing of {names} can be compared. {' '.join(why)} --arm, --dataset, --prompt, --family "
        "and --judge choose what goes together; give one twice for another name on either side"
    )


def _few_sources(rows: Sequence[DifferenceRow]) -> Iterator[str]:
    """Cells whose problems share so few sources that no difference has an interval."""
    for row in rows:
        gap = row.gap
        if gap.clusters < gap.problems and np.isnan(gap.difference.error):
            yield (
                f"The {counted(gap.problems, 'problem')} of {row.cell.key} share "
                f"{counted(gap.clusters, 'source')}, too few for an interval or a test: it takes "
                "five, and more where a few of them hold most problems. More problems of the same "
                "sources do not help."
            )


def _remarks(studies: Sides) -> Iterator[str]:
    """What the reading of logs found; a run says its own in its report."""
    for study in studies:
        if is_log(study):
            yield from study.remarks


def _decided(rows: Sequence[DifferenceRow]) -> tuple[DifferenceRow, ...]:
    """The rows with what may be said of them, all being one family of claims."""
    claims = [_claim(place, row) for place, row in enumerate(rows)]
    family = decide(claims)
    decisions = [family.of(claim.kind, claim.key) for claim in claims]
    return tuple(
        replace(row, answer=decision.answer, holm=decision.yes)
        for row, decision in zip(rows, decisions, strict=True)
    )


def _claim(place: int, row: DifferenceRow) -> Claim:
    return differs(Kind.GAP, place, row.metric, row.gap.difference, row.margin)


def _tables(pair: Pair) -> Iterator[Tables]:
    """The verdicts of both runs for each pair of cells and judges."""
    ours, theirs = _by_name(pair.first), _by_name(pair.second)
    for mine, other in pair.cells:
        for judge, by in pair.judges:
            if (mine.key, judge) in ours and (other.key, by) in theirs:
                yield Tables(ours[mine.key, judge], theirs[other.key, by])


def _by_name(study: JudgedRuns) -> dict[tuple[str, Judge], VerdictTable]:
    return {(t.cell.key, Judge(t.extractor, t.grader)): t for t in study.tables}


def _differences(
    pair: Pair, margin: float, first: ProblemScores, second: ProblemScores
) -> Iterator[DifferenceRow]:
    mine, other = first.table.cell, second.table.cell
    shared = pair.problems(mine, other)
    until_solved = mine.until_solved or other.until_solved
    if mine.until_decided or other.until_decided:
        return
    # Of samples drawn until solved Pass@n alone can be said, and only of as many.
    if until_solved and mine.n != other.n:
        return
    # A vote of 20 is no vote of 8, and logs tell no answers to vote with; pass@k is estimated from
    # however many samples there are.
    no_vote = mine.n != other.n or is_log(pair.first) or is_log(pair.second)
    for metric in metrics(min(mine.n, other.n), until_solved):
        if metric.name == ONE_ANSWER and no_vote:
            continue
        gap = paired_gap(
            metric.of(first)[shared.first], metric.of(second)[shared.second], shared.clusters
        )
        if gap.problems:
            judges = _judge(first.table), _judge(second.table)
            yield DifferenceRow(
                cell=mine,
                other=other,
                judge=judges[0],
                by=judges[1],
                metric=metric.name,
                gap=gap,
                margin=margin,
                within=gap.difference.within(margin),
                detectable=smallest_detectable(gap),
                answer=Answer.CANNOT_TELL,
                holm=np.nan,
            )


def _judge(table: VerdictTable) -> Judge:
    return Judge(table.extractor, table.grader)


def _unscored(pair: Pair, together: Sequence[Tables]) -> Iterator[str]:
    """Cells that match and have no verdicts on one side."""
    scored = {first.cell.key for first, _ in together}
    for mine, _ in pair.cells:
        if pair.judges and mine.key not in scored:
            yield f"{mine.key} has no verdicts of a shared judge in one of the runs."
