"""Does the winner depend on the grader or the extractor?"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Final

import numpy as np

from distlab.analysis.agreement import Agreement, agreement, flips
from distlab.analysis.claims import Answer, Claim, Kind, any_differs, turns
from distlab.analysis.contrasts import EMPTY, Contrast, Mean, contrast
from distlab.report.charts.kinds import Chart, MatrixChart
from distlab.report.gap_table import GAPS, GapRow, headline_gaps
from distlab.report.question import Question, Statement, cannot_say, samples_of
from distlab.report.questions.paper import published_gap_of
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import between, holm_note, judge_name
from distlab.runs.manifest import JudgePart
from distlab.runs.pairing import metrics
from distlab.runs.scored import Judge, JudgedRuns, SampleKey, VerdictTable
from distlab.runs.scores import ProblemScores
from distlab.runs.verdicts import read_answers
from distlab.scoring.types import CORRECT, NO_VERDICT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import (
    decimal_interval,
    percent,
    percent_interval,
    points,
    points_interval,
    points_range,
    share_of,
)

# Examples per dataset, extractor and ordered pair of graders (ours).
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """A comparison under each judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        metric: Name of the score, as in "Pass@20".
        gaps: Judge to the gap under it.
        differences: Every two judges to the gap under the second minus that under the first, over
            the problems that both score.
    """

    base: Cell
    instruct: Cell
    metric: str
    gaps: Mapping[Judge, Contrast]
    differences: Mapping[tuple[Judge, Judge], Contrast]

    @property
    def key(self) -> tuple[Cell, Cell, str]:
        """Under which it is claimed that the gap depends on the judge."""
        return self.base, self.instruct, self.metric


def _winner_rows(scored: ScoredStudy) -> Iterator[WinnerRow]:
    """The gap of each pair of arms under each judge."""
    groups: dict[tuple[Cell, Cell, str], list[GapRow]] = {}
    for row in scored.rows(GAPS):
        if row.primary:
            groups.setdefault((row.base, row.instruct, row.metric), []).append(row)
    for (base, instruct, metric), rows in groups.items():
        yield WinnerRow(
            base=base,
            instruct=instruct,
            metric=metric,
            gaps={row.judge: row.gap.difference for row in rows},
            differences={
                (one.judge, two.judge): _difference(scored, one, two)
                for one, two in combinations(rows, 2)
            },
        )


def _difference(scored: ScoredStudy, one: GapRow, two: GapRow) -> Contrast:
    """The gap under a second judge minus that under a first, paired by problem."""
    until_solved = one.base.until_solved or one.instruct.until_solved
    named = metrics(min(one.base.n, one.instruct.n), until_solved)
    metric = next(metric for metric in named if metric.name == one.metric)
    gaps = [
        metric.of(scored.scores[row.instruct.key, row.judge])
        - metric.of(scored.scores[row.base.key, row.judge])
        for row in (one, two)
    ]
    sources = scored.scores[one.base.key, one.judge].table.sources
    return contrast(Mean(gaps[1] - gaps[0], sources, bound=2.0))


def _winner_columns(study: StudyTables) -> Columns[WinnerRow]:
    """One column of gaps per judge, and one of differences per two judges."""

    def under(judge: Judge) -> Column[WinnerRow]:
        return Column(
            f"gap, {judge_name(judge)} (95 %)",
            lambda row: points_interval(row.gaps.get(judge, EMPTY).estimate),
        )

    def between(both: tuple[Judge, Judge]) -> Column[WinnerRow]:
        one, two = map(judge_name, both)
        return Column(
            f"{two} − {one} (95 %)",
            lambda row: points_interval(row.differences.get(both, EMPTY).estimate),
        )

    return (
        label("family", lambda row: row.base.family),
        label("dataset", lambda row: row.base.dataset),
        label("prompt", lambda row: row.base.prompt),
        label("score", lambda row: row.metric),
        *map(under, study.judges),
        *map(between, combinations(study.judges, 2)),
    )


def _winner_records(row: WinnerRow) -> Iterator[Record]:
    """One record per judge, and one per two judges."""
    labels = dict(flat("base", row.base)) | dict(flat("instruct", row.instruct))
    pairs = {(judge, None): gap for judge, gap in row.gaps.items()}
    for (judge, against), figure in [*pairs.items(), *row.differences.items()]:
        yield {
            **labels,
            **dict(flat("judge", judge)),
            "minus_extractor": "" if against is None else against.extractor,
            "minus_grader": "" if against is None else against.grader,
            "metric": row.metric,
            **dict(flat("figure", figure)),
        }


WINNERS = Table(
    "winners", "Gap under each judge, in points", _winner_rows, _winner_columns, _winner_records
)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Two judges that differ in one part, on the same samples.

    Attributes:
        cell: The cell whose samples both judge.
        part: What differs.
        held: Name of the part that does not.
        first: Name of the first grader or extractor.
        second: Name of the second.
        agreement: How far the two agree on samples.
        first_solves: Problems that are solved (any of n) under the first alone.
        second_solves: Problems that are solved under the second alone.
    """

    cell: Cell
    part: JudgePart
    held: str
    first: str
    second: str
    agreement: Agreement
    first_solves: int
    second_solves: int


def _agreement_rows(scored: ScoredStudy) -> Iterator[AgreementRow]:
    """How far judges agree, pair by pair."""
    for cell in scored.cells:
        for first, second in combinations(scored.judges, 2):
            one = scored.scores.get((cell.key, first))
            two = scored.scores.get((cell.key, second))
            if one is None or two is None or cell.stops_early:
                continue
            if first.extractor == second.extractor:
                yield _agreement_row(one, two, "grader", first.extractor)
            elif first.grader == second.grader:
                yield _agreement_row(one, two, "extractor", first.grader)


def _agreement_row(
    first: ProblemScores, second: ProblemScores, part: JudgePart, held: str
) -> AgreementRow:
    n = first.table.cell.n
    solves = flips(first.pass_at(n), second.pass_at(n))
    return AgreementRow(
        cell=first.table.cell,
        part=part,
        held=held,
        first=getattr(first.table, part),
        second=getattr(second.table, part),
        agreement=agreement(first.table.codes, second.table.codes, first.table.sources),
        first_solves=solves[0],
        second_solves=solves[1],
    )


_AGREEMENT_COLUMNS: Columns[AgreementRow] = (
    label("cell", lambda row: row.cell.key),
    label("part", lambda row: row.part),
    label("held", lambda row: row.held),
    label("first", lambda row: row.first),
    label("second", lambda row: row.second),
    Column("samples", lambda row: str(row.agreement.samples)),
    Column("agree (95 %)", lambda row: percent_interval(row.agreement.rate)),
    Column("kappa (95 %)", lambda row: decimal_interval(row.agreement.kappa)),
    Column("samples, first only", lambda row: str(row.agreement.first_only)),
    Column("samples, second only", lambda row: str(row.agreement.second_only)),
    Column("problems, first only", lambda row: str(row.first_solves)),
    Column("problems, second only", lambda row: str(row.second_solves)),
)
AGREEMENT = Table(
    "agreement", "Graders and extractors, pairwise", _agreement_rows, _AGREEMENT_COLUMNS
)


@dataclass(frozen=True, slots=True)
class AcceptRow:
    """What one grader (or extractor) lets pass that another does not, over a dataset's cells.

    Attributes:
        dataset: Name of the dataset.
        part: What differs.
        held: Name of the part that does not.
        accepts: Name of the one under which the samples are correct.
        rejects: Name of the one under which they are not.
        samples: Samples with a verdict under both.
        count: Samples that are correct under the one and not under the other.
    """

    dataset: str
    part: JudgePart
    held: str
    accepts: str
    rejects: str
    samples: int
    count: int


def _accept_rows(scored: ScoredStudy) -> Iterator[AcceptRow]:
    """The agreements of a dataset's cells, added up, both ways round."""
    groups: dict[tuple[str, JudgePart, str, str, str], list[AgreementRow]] = {}
    for row in scored.rows(AGREEMENT):
        key = (row.cell.dataset, row.part, row.held, row.first, row.second)
        groups.setdefault(key, []).append(row)
    for (dataset, part, held, first, second), found in groups.items():
        samples = sum(row.agreement.samples for row in found)
        first_only = sum(row.agreement.first_only for row in found)
        second_only = sum(row.agreement.second_only for row in found)
        yield AcceptRow(dataset, part, held, first, second, samples, first_only)
        yield AcceptRow(dataset, part, held, second, first, samples, second_only)


_ACCEPT_COLUMNS: Columns[AcceptRow] = (
    label("dataset", lambda row: row.dataset),
    label("part", lambda row: row.part),
    label("held", lambda row: row.held),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    Column("samples of both", lambda row: str(row.samples)),
    Column("accepted by the first alone", lambda row: str(row.count)),
    Column("per cent", lambda row: share_of(row.count, row.samples)),
)
ACCEPTS = Table("accepts", "What one accepts and another rejects", _accept_rows, _ACCEPT_COLUMNS)


@dataclass(frozen=True, slots=True)
class DisagreementRow:
    """A sample that one grader calls correct and another does not.

    Attributes:
        sample: Cell, extractor, problem and rank of the sample.
        accepts: Name of the grader that calls it correct.
        rejects: Name of the grader that does not.
        gold: The gold as the dataset publishes it.
        answer: What the extractor read; hostile.
    """

    sample: SampleKey
    accepts: str
    rejects: str
    gold: str
    answer: str


def _disagreement_rows(scored: ScoredStudy) -> Iterator[DisagreementRow]:
    """Examples of what one grader accepts and another rejects, one per problem.

    The verdicts are read once more, for the answers, which no array holds.
    """
    rows = tuple(_examples(scored.study))
    answers = read_answers(scored.study.runs, {row.sample for row in rows})
    yield from (replace(row, answer=answers[row.sample]) for row in rows)


def _examples(study: JudgedRuns) -> Iterator[DisagreementRow]:
    """The examples, without their answers."""
    shown: Counter[tuple[str, ...]] = Counter()
    seen: set[tuple[str, ...]] = set()
    for accepts, rejects in permutations(study.tables, 2):
        if (accepts.cell, accepts.extractor) != (rejects.cell, rejects.extractor):
            continue
        group = (accepts.cell.dataset, accepts.extractor, accepts.grader, rejects.grader)
        for row in _examples_of(accepts, rejects):
            if shown[group] == EXAMPLES:
                break
            if (*group, row.sample.problem_id) not in seen:
                seen.add((*group, row.sample.problem_id))
                shown[group] += 1
                yield row


def _examples_of(accepts: VerdictTable, rejects: VerdictTable) -> Iterator[DisagreementRow]:
    judged = (accepts.codes != NO_VERDICT) & (rejects.codes != NO_VERDICT)
    split = judged & (accepts.codes == CORRECT) & (rejects.codes != CORRECT)
    for place in np.flatnonzero(split.any(axis=1)):
        problem = accepts.problems[place]
        rank = int(np.argmax(split[place]))
        key = SampleKey(accepts.cell.key, accepts.extractor, problem.id, rank)
        yield DisagreementRow(key, accepts.grader, rejects.grader, problem.gold.text, "")


_DISAGREEMENT_COLUMNS: Columns[DisagreementRow] = (
    label("cell", lambda row: row.sample.cell),
    label("extractor", lambda row: row.sample.extractor),
    label("problem", lambda row: row.sample.problem_id),
    Column("rank", lambda row: str(row.sample.rank)),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    label("gold", lambda row: row.gold),
    label("answer", lambda row: row.answer),
)
DISAGREEMENTS = Table(
    "disagreements",
    "Samples on which graders disagree",
    _disagreement_rows,
    _DISAGREEMENT_COLUMNS,
)


def _headline_rows(study: StudyTables) -> list[WinnerRow]:
    """The study's gaps that several judges score."""
    headlines = {(r.base, r.instruct, r.metric) for r in headline_gaps(study)}
    return [r for r in study.rows(WINNERS) if r.key in headlines and _compared(r)]


def _compared(row: WinnerRow) -> list[Contrast]:
    """The differences between judges that can be tested."""
    return [each for each in row.differences.values() if not math.isnan(each.p)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the gap depends on the judge, and that the winner turns with it."""
    for row in _headline_rows(study):
        where = f"{between(row.base, row.instruct)}, {row.metric}"
        margin = study.margins.equivalence
        yield any_differs(Kind.JUDGES, row.key, where, _compared(row), margin)
        yield turns(Kind.JUDGES_TURN, row.key, where, row.gaps.values())


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Whether the gap is the same under all judges, and how they agree."""
    if len(study.judges) < 2:
        yield cannot_say("one extractor and one grader were used; run with two of either")
        return
    for row in _headline_rows(study):
        text, turned = judge_verdict(study, row)
        yield Statement(
            f"{between(row.base, row.instruct)}: {text}",
            tuple(_between(row)),
            (turned,) if turned else (),
            samples_of(row.instruct, disagree="graders"),
        )
    yield from _accept_statements(study)


def judge_verdict(study: StudyTables, row: WinnerRow) -> tuple[str, str]:
    """Whether a gap depends on the judge; and that the winner turns, where it does.

    Args:
        study: The study.
        row: A row of ``WINNERS`` for a headline gap.

    Returns:
        Two sentences, the second empty where the winner is not told to turn.
    """
    gaps = ", ".join(
        f"{points_range(gap.estimate)} under {judge_name(judge)}" for judge, gap in row.gaps.items()
    )
    margin = percent(study.margins.equivalence)
    decision = study.decision(Kind.JUDGES, row.key)
    said = {
        Answer.YES: f"the gap depends on the judge ({holm_note(decision)})",
        Answer.NO: f"the gap does not depend on the judge by {margin} points or more",
        Answer.CANNOT_TELL: "whether the gap depends on the judge cannot be told here",
    }
    turned = study.decision(Kind.JUDGES_TURN, row.key).answer
    same = "; it has one sign under all of them" if turned is Answer.NO else ""
    text = f"{said[decision.answer]}{same}: {row.metric} {gaps}."
    return text, f"The winner turns with the judge: {gaps}." if turned is Answer.YES else ""


def _between(row: WinnerRow) -> Iterator[str]:
    """The difference of the gap between every two judges, beside the paper's."""
    for (one, two), difference in row.differences.items():
        if math.isnan(difference.p):
            continue
        gaps = [published_gap_of(row.instruct, judge) for judge in (one, two)]
        theirs = "not published"
        if one.grader != two.grader and gaps[0] is not None and gaps[1] is not None:
            theirs = (
                f"{points(gaps[1] - gaps[0])}, from {points(gaps[0])} to {points(gaps[1])}, "
                "without an interval since both are of the same samples"
            )
        yield (
            f"The gap under {judge_name(two)} minus that under {judge_name(one)} is "
            f"{points_range(difference.estimate)} points; the paper's figure: {theirs}."
        )


def find_winners(study: StudyTables, base: Cell, instruct: Cell, metric: str) -> WinnerRow | None:
    """The row of a headline gap that several judges score, or None."""
    wanted = (base, instruct, metric)
    return next((row for row in _headline_rows(study) if row.key == wanted), None)


def _accept_statements(study: StudyTables) -> Iterator[Statement]:
    counts: dict[tuple[str, str, str, frozenset[str]], list[AcceptRow]] = {}
    for row in study.rows(ACCEPTS):
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


def _charts(study: StudyTables) -> Iterator[Chart]:
    """The gaps under each judge, and the judges' agreement."""
    groups: dict[tuple[str, str, str], list[AcceptRow]] = {}
    for row in study.rows(ACCEPTS):
        groups.setdefault((row.dataset, row.part, row.held), []).append(row)
    for place, ((dataset, part, held), rows) in enumerate(groups.items()):
        labels = tuple(dict.fromkeys(row.accepts for row in rows))
        share = {(r.accepts, r.rejects): 100 * r.count / r.samples for r in rows if r.samples}
        yield MatrixChart(
            name=f"{part}s-{place}",
            title=f"Samples that one {part} accepts and another rejects: {dataset}, with {held}",
            x_axis="rejects",
            y_axis="accepts",
            labels=labels,
            values=tuple(tuple(share.get((a, r), np.nan) for r in labels) for a in labels),
        )


QUESTION = Question(
    name="judges",
    samples="samples?disagree=graders",
    text="Does the winner depend on the grader or the extractor?",
    tables=(WINNERS, AGREEMENT, ACCEPTS, DISAGREEMENTS),
    statements=_statements,
    charts=_charts,
    claims=_claims,
)
