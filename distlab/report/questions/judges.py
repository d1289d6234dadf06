"""Does the winner depend on the grader or the extractor?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Final

import numpy as np

from distlab.analysis.agreement import Agreement, agreement, flips, winner, winner_depends
from distlab.report.charts.kinds import Chart, MatrixChart
from distlab.report.gap_table import GAPS, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import judge_name, setting
from distlab.runs.manifest import JudgePart
from distlab.runs.scored import Judge, JudgedRuns, SampleKey, VerdictTable
from distlab.runs.scores import ProblemScores
from distlab.runs.verdicts import read_answers
from distlab.scoring.types import CORRECT, NO_VERDICT
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import DASH, decimal, percent, share_of

_WHO: Final = {"base": "base", "instruct": "instruct", "undecided": "neither"}
# Examples per dataset, extractor and ordered pair of graders (ours).
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """Who wins a comparison under each judge.

    Attributes:
        base: The base arm's cell.
        instruct: The instruct arm's cell.
        metric: Name of the score, as in "Pass@20".
        winners: Judge to "base", "instruct" or "undecided", by the interval of the gap.
        flips: Whether the sign of the gap itself differs between judges.
    """

    base: Cell
    instruct: Cell
    metric: str
    winners: Mapping[Judge, str]
    flips: bool


def _winner_rows(scored: ScoredStudy) -> Iterator[WinnerRow]:
    """The winner of each pair of arms under each judge."""
    gaps = scored.rows(GAPS)
    questions = dict.fromkeys((row.base, row.instruct, row.metric) for row in gaps if row.primary)
    for base, instruct, metric in questions:
        rows = [
            row for row in gaps if (row.base, row.instruct, row.metric) == (base, instruct, metric)
        ]
        yield WinnerRow(
            base=base,
            instruct=instruct,
            metric=metric,
            winners={row.judge: winner(row.gap.difference) for row in rows},
            flips=winner_depends([row.gap.difference for row in rows]),
        )


def _winner_columns(study: StudyTables) -> Columns[WinnerRow]:
    """One column of winners per judge."""

    def under(judge: Judge) -> Column[WinnerRow]:
        return label(f"winner, {judge_name(judge)}", lambda row: row.winners.get(judge, DASH))

    return (
        label("family", lambda row: row.base.family),
        label("dataset", lambda row: row.base.dataset),
        label("prompt", lambda row: row.base.prompt),
        label("score", lambda row: row.metric),
        *map(under, study.judges),
        label("sign flips", lambda row: "yes" if row.flips else "no"),
    )


def _winner_records(row: WinnerRow) -> Iterator[Record]:
    """One record per judge."""
    labels = dict(flat("base", row.base)) | dict(flat("instruct", row.instruct))
    for judge, won in row.winners.items():
        yield {
            **labels,
            **dict(flat("judge", judge)),
            "metric": row.metric,
            "winner": won,
            "flips": row.flips,
        }


WINNERS = Table(
    "winners", "Winner under each judge", _winner_rows, _winner_columns, _winner_records
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
            if one is None or two is None or cell.until_solved:
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
        agreement=agreement(first.table.codes, second.table.codes),
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
    Column("agree", lambda row: percent(row.agreement.rate)),
    Column("kappa", lambda row: decimal(row.agreement.kappa)),
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


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Whether the judges name one winner, and how they agree."""
    headlines = {(r.base, r.instruct): r.metric for r in headline_gaps(study)}
    rows = [r for r in study.rows(WINNERS) if headlines.get((r.base, r.instruct)) == r.metric]
    if len(study.judges) < 2:
        yield cannot_say("one extractor and one grader were used; run with two of either")
        return
    yield from (_winner_statement(row) for row in rows)
    yield from _accept_statements(study)


def _winner_statement(row: WinnerRow) -> Statement:
    who = {_WHO[winner] for winner in row.winners.values()}
    listed = ", ".join(f"{judge_name(j)}: {_WHO[w]}" for j, w in row.winners.items())
    warnings = ("Even the sign of the gap differs between judges.",) if row.flips else ()
    if len(who) == 1:
        text = f"no; under all {len(row.winners)} judges {who.pop()} wins {row.metric}"
    else:
        text = f"yes; winner of {row.metric}: {listed}"
    return Statement(f"{setting(row.base)}: {text}.", warnings=warnings)


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
    text="Does the winner depend on the grader or the extractor?",
    tables=(WINNERS, AGREEMENT, ACCEPTS, DISAGREEMENTS),
    statements=_statements,
    charts=_charts,
)
