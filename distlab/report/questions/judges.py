"""Does the winner depend on the grader or the extractor?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path
from typing import Final

import numpy as np

from distlab.analysis.agreement import agreement, flips, winner, winner_depends
from distlab.analysis.codes import CORRECT, MISSING
from distlab.report.charts.kinds import Chart, MatrixChart
from distlab.report.records import (
    AcceptRow,
    AgreementRow,
    DisagreementRow,
    GapRow,
    Statement,
    StudyTables,
    WinnerRow,
)
from distlab.report.wording import cannot_say, headline_gaps, judge_name, setting
from distlab.runs.pairing import ScoreMap
from distlab.runs.records import Judge, SampleKey, Study, VerdictTable
from distlab.runs.scores import ProblemScores
from distlab.runs.verdicts import read_answers
from distlab.store.cell import Cell
from distlab.tables.column import Column, label
from distlab.tables.numbers import DASH, decimal, percent, share_of
from distlab.tables.records import Record, flat

_WINNERS: Final = {"base": "base", "instruct": "instruct", "undecided": "neither"}


def say_judges(study: StudyTables) -> Iterator[Statement]:
    """Whether the judges name one winner, and how they agree."""
    headlines = {(r.base, r.instruct): r.metric for r in headline_gaps(study)}
    rows = [r for r in study.winners if headlines.get((r.base, r.instruct)) == r.metric]
    if len(study.judges) < 2:
        yield cannot_say("one extractor and one grader were used; run with two of either")
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


def winner_rows(gaps: Sequence[GapRow]) -> Iterator[WinnerRow]:
    """The winner of each pair of arms under each judge."""
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


def agreement_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[AgreementRow]:
    """How far judges agree, pair by pair."""
    for cell in cells:
        for first, second in combinations(judges, 2):
            one, two = scores.get((cell.key, first)), scores.get((cell.key, second))
            if one is None or two is None or cell.until_solved:
                continue
            if first.extractor == second.extractor:
                yield _agreement_row(one, two, "grader", first.extractor)
            elif first.grader == second.grader:
                yield _agreement_row(one, two, "extractor", first.grader)


def _agreement_row(
    first: ProblemScores, second: ProblemScores, part: str, held: str
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


def accept_rows(rows: Sequence[AgreementRow]) -> Iterator[AcceptRow]:
    """The agreements of a dataset's cells, added up, both ways round."""
    groups: dict[tuple[str, str, str, str, str], list[AgreementRow]] = {}
    for row in rows:
        key = (row.cell.dataset, row.part, row.held, row.first, row.second)
        groups.setdefault(key, []).append(row)
    for (dataset, part, held, first, second), found in groups.items():
        samples = sum(row.agreement.samples for row in found)
        first_only = sum(row.agreement.first_only for row in found)
        second_only = sum(row.agreement.second_only for row in found)
        yield AcceptRow(dataset, part, held, first, second, samples, first_only)
        yield AcceptRow(dataset, part, held, second, first, samples, second_only)


def winner_record(row: WinnerRow) -> Iterator[Record]:
    """A row for each judge."""
    labels = dict(flat("base", row.base)) | dict(flat("instruct", row.instruct))
    for judge, won in row.winners.items():
        yield {
            **labels,
            **dict(flat("judge", judge)),
            "metric": row.metric,
            "winner": won,
            "flips": row.flips,
        }


# Examples for each dataset, extractor and ordered pair of graders (ours).
EXAMPLES: Final = 5


def read_disagreements(runs: Sequence[Path], study: Study) -> tuple[DisagreementRow, ...]:
    """Examples of what one grader accepts and another rejects, one for each problem.

    Args:
        runs: The run folders; their verdicts are read once more, for the answers.
        study: The same runs, read.
    """
    rows = tuple(_find(study))
    answers = read_answers(runs, {row.sample for row in rows})
    return tuple(replace(row, answer=answers[row.sample]) for row in rows)


def _find(study: Study) -> Iterator[DisagreementRow]:
    """The examples, without their answers."""
    shown: Counter[tuple[str, ...]] = Counter()
    seen: set[tuple[str, ...]] = set()
    for accepts, rejects in permutations(study.tables, 2):
        if (accepts.cell, accepts.extractor) != (rejects.cell, rejects.extractor):
            continue
        group = (accepts.cell.dataset, accepts.extractor, accepts.grader, rejects.grader)
        for row in _of_pair(accepts, rejects):
            if shown[group] == EXAMPLES:
                break
            if (*group, row.sample.problem_id) not in seen:
                seen.add((*group, row.sample.problem_id))
                shown[group] += 1
                yield row


def _of_pair(accepts: VerdictTable, rejects: VerdictTable) -> Iterator[DisagreementRow]:
    judged = (accepts.codes != MISSING) & (rejects.codes != MISSING)
    split = judged & (accepts.codes == CORRECT) & (rejects.codes != CORRECT)
    for place in np.flatnonzero(split.any(axis=1)):
        problem = accepts.problems[place]
        rank = int(np.argmax(split[place]))
        key = SampleKey(accepts.cell.key, accepts.extractor, problem.id, rank)
        yield DisagreementRow(key, accepts.grader, rejects.grader, problem.gold.text, "")


ACCEPT_COLUMNS: tuple[Column[AcceptRow], ...] = (
    label("dataset", lambda row: row.dataset),
    label("part", lambda row: row.part),
    label("held", lambda row: row.held),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    Column("samples of both", lambda row: str(row.samples)),
    Column("accepted by the first alone", lambda row: str(row.count)),
    Column("per cent", lambda row: share_of(row.count, row.samples)),
)


def winner_columns(judges: Sequence[Judge]) -> tuple[Column[WinnerRow], ...]:
    """A column of winners for each judge."""

    def under(judge: Judge) -> Column[WinnerRow]:
        return label(f"winner, {judge_name(judge)}", lambda row: row.winners.get(judge, DASH))

    return (
        label("family", lambda row: row.base.family),
        label("dataset", lambda row: row.base.dataset),
        label("prompt", lambda row: row.base.prompt),
        label("score", lambda row: row.metric),
        *map(under, judges),
        label("sign flips", lambda row: "yes" if row.flips else "no"),
    )


def judge_charts(study: StudyTables) -> Iterator[Chart]:
    """The gaps under each judge, and the judges' agreement."""
    groups: dict[tuple[str, str, str], list[AcceptRow]] = {}
    for row in study.accepts:
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


AGREEMENT_COLUMNS: tuple[Column[AgreementRow], ...] = (
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
DISAGREEMENT_COLUMNS: tuple[Column[DisagreementRow], ...] = (
    label("cell", lambda row: row.sample.cell),
    label("extractor", lambda row: row.sample.extractor),
    label("problem", lambda row: row.sample.problem_id),
    Column("rank", lambda row: str(row.sample.rank)),
    label("accepts", lambda row: row.accepts),
    label("rejects", lambda row: row.rejects),
    label("gold", lambda row: row.gold),
    label("answer", lambda row: row.answer),
)
