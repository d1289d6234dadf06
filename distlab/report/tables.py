"""A Study in; StudyTables out. Chooses what is put beside what; the figures are ``analysis``'s."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from distlab.analysis.agreement import agreement, flips, winner, winner_depends
from distlab.analysis.answers import distinct_answers, share
from distlab.analysis.arrays import FloatArray
from distlab.analysis.codes import CORRECT, ERROR, NO_ANSWER, TIMEOUT
from distlab.analysis.gaps import holm, paired_gap
from distlab.analysis.intervals import mean_interval, proportion_interval
from distlab.analysis.power import smallest_detectable
from distlab.report.controls import (
    control_rows,
    grid_rows,
    outcome_row,
    prompt_rows,
    reasoned_gap_rows,
    reasoning_row,
    stratum_rows,
)
from distlab.report.drops import drop_gap_rows, drop_rows, unpaired_rows
from distlab.report.nulls import excess_rows, null_rows
from distlab.report.pairing import Comparison, Metric, ScoreMap, comparisons, metrics
from distlab.report.published import replication_rows
from distlab.report.records import (
    AcceptRow,
    AgreementRow,
    ArmRow,
    CurveRow,
    DisagreementRow,
    GapRow,
    Judge,
    Study,
    StudyTables,
    WinnerRow,
)
from distlab.report.scale import scale_rows, trend_rows
from distlab.report.scores import ProblemScores, score
from distlab.runfolder import Manifest
from distlab.store.cell import Cell


def build_tables(study: Study, disagreements: tuple[DisagreementRow, ...] = ()) -> StudyTables:
    """Compute every table of the report.

    Args:
        study: The run.
        disagreements: Examples that were read for it.
    """
    scores = {
        (table.cell.key, Judge(table.extractor, table.grader)): score(table)
        for table in study.tables
    }
    # Of a cell that is drawn until solved, which samples there are depends on what they are.
    whole = {key: row for key, row in scores.items() if not row.table.cell.until_solved}
    judges = tuple(dict.fromkeys(judge for _, judge in scores))
    pairs = tuple(comparisons(study.manifest.cells))
    gaps = _gap_rows(pairs, judges, scores)
    drops = tuple(drop_rows(judges, scores))
    agreements = tuple(_agreement_rows(study.manifest.cells, judges, scores))
    scale = tuple(scale_rows(gaps, study.parameters))
    return StudyTables(
        manifest=study.manifest,
        judges=judges,
        headlines=_headlines(scores),
        arms=tuple(_arm_row(judge, row) for (_, judge), row in scores.items()),
        outcomes=tuple(outcome_row(judge, row) for (_, judge), row in whole.items()),
        curves=tuple(
            CurveRow(row.table.cell, judge, _column_means(row.curve))
            for (_, judge), row in scores.items()
        ),
        gaps=gaps,
        drops=drops,
        drop_gaps=tuple(drop_gap_rows(pairs, judges, scores)),
        unpaired=tuple(unpaired_rows(judges, scores)),
        agreements=agreements,
        accepts=tuple(_accept_rows(agreements)),
        winners=tuple(_winner_rows(gaps)),
        disagreements=disagreements,
        controls=tuple(control_rows(pairs, judges, scores)),
        grid=tuple(grid_rows(study.manifest.cells, judges, scores)),
        reasoning=tuple(reasoning_row(judge, row) for (_, judge), row in whole.items()),
        reasoned_gaps=tuple(reasoned_gap_rows(pairs, judges, whole)),
        nulls=tuple(null_rows(study.nulls)),
        excesses=tuple(excess_rows(study.nulls, scores)),
        prompts=tuple(prompt_rows(study.manifest.cells, judges, scores)),
        strata=tuple(stratum_rows(pairs, judges, scores)),
        scale=scale,
        trends=tuple(trend_rows(scale)),
        replications=tuple(replication_rows(judges, scores)),
        cannot=tuple(_cannot(study.manifest, pairs, judges, scores, bool(drops))),
        remarks=study.remarks,
    )


def _headlines(scores: ScoreMap) -> dict[str, Judge]:
    most: dict[str, int] = {}
    headlines: dict[str, Judge] = {}
    for (key, judge), row in scores.items():
        scored = int(row.scored.sum())
        if scored > most.get(key, -1):
            most[key], headlines[key] = scored, judge
    return headlines


def _arm_row(judge: Judge, scores: ProblemScores) -> ArmRow:
    table, facts = scores.table, scores.table.facts
    codes, present = table.codes, scores.table.facts.present
    distinct = distinct_answers(facts.answers[scores.complete])
    if table.cell.until_solved:
        present, distinct = np.zeros_like(present), distinct[:0]
    return ArmRow(
        cell=table.cell,
        judge=judge,
        problems=len(table.problems),
        scored=int(scores.scored.sum()),
        failed=int(scores.failed.sum()),
        outside=int(scores.outside.sum()),
        incomplete=int((~scores.scored & ~scores.outside).sum()),
        pass_n=proportion_interval(scores.pass_at(table.cell.n)),
        pass_1=mean_interval(scores.pass_at(1)),
        majority=proportion_interval(scores.majority),
        largest_delta=proportion_interval(scores.largest_delta),
        aggregate_delta=proportion_interval(scores.aggregate_delta),
        samples=int(facts.present.sum()),
        no_answer=share(codes == NO_ANSWER, present),
        truncated=share(facts.truncated, present),
        distinct=float(distinct.mean()) if distinct.size else math.nan,
        unjudged=int(np.isin(codes, (TIMEOUT, ERROR)).sum()),
        missed=share(facts.gold_in_text & (codes != CORRECT), present),
    )


def _column_means(curve: FloatArray) -> FloatArray:
    scored = ~np.isnan(curve).any(axis=1)
    if not scored.any():
        return np.full(curve.shape[1], np.nan)
    return np.asarray(curve[scored].mean(axis=0), dtype=np.float64)


def _gap_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> tuple[GapRow, ...]:
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


def _winner_rows(gaps: Sequence[GapRow]) -> Iterator[WinnerRow]:
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


def _agreement_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[AgreementRow]:
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


def _accept_rows(rows: Sequence[AgreementRow]) -> Iterator[AcceptRow]:
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


def _cannot(
    manifest: Manifest,
    pairs: Sequence[Comparison],
    judges: Sequence[Judge],
    scores: ScoreMap,
    has_drops: bool,
) -> Iterator[str]:
    """What the data do not give, and what would."""
    if not scores:
        yield "No verdict is stored, so there is nothing to report: run python -m distlab.score."
        return
    judged = {key for key, _ in scores}
    for cell in manifest.cells:
        if cell.key not in judged:
            yield f"{cell.key} has no verdicts, so it is in no table."
    for cell in manifest.cells:
        if cell.n == 1 and cell.kind != "greedy":
            yield f"{cell.key} has one sample a problem, so there is no pass@k beyond pass@1."
    yield from _one_sided(manifest.cells, pairs)
    yield from _until_solved(manifest.cells, scores)
    for pair in pairs:
        if pair.primary and pair.base.n != pair.instruct.n:
            yield (
                f"{pair.base.key} has {pair.base.n} samples a problem and {pair.instruct.arm} "
                f"{pair.instruct.n}: they are compared at k = {min(pair.base.n, pair.instruct.n)}."
            )
    if len({cell.family for cell in manifest.cells}) == 1:
        yield "One family was run, so how the gap changes with size cannot be said."
    if not has_drops:
        yield "No two problems of this run are a pair, so there is no perturbation drop."
    if len({judge.grader for judge in judges}) == 1:
        yield "One grader was used, so how far the result depends on it cannot be said."
    if len({judge.extractor for judge in judges}) == 1:
        yield "One extractor was used, so how far the result depends on it cannot be said."


def _until_solved(cells: Sequence[Cell], scores: ScoreMap) -> Iterator[str]:
    """What drawing until solved takes away, and where it did not even leave Pass@n."""
    if not any(cell.until_solved for cell in cells):
        return
    yield (
        "Problems were drawn until solved (decoding.until=solved), so the samples that exist "
        "depend on which are correct: Pass@n is exact, and pass@k for k < n, maj@n, CoT-decoding's "
        "max and agg, distinct answers, agreement of judges and every rate of samples would be "
        "biased and are left out. Run with decoding.until=all to draw the others."
    )
    for (key, judge), row in scores.items():
        open_problems = int((~row.scored & ~row.outside).sum())
        if row.table.cell.until_solved and open_problems:
            yield (
                f"{key} has {open_problems} problems that stopped early and are not solved under "
                f"{judge.extractor} and {judge.grader}, so its Pass@{row.table.cell.n} cannot be "
                "said under them: run again with them."
            )


def _one_sided(cells: Sequence[Cell], pairs: Sequence[Comparison]) -> Iterator[str]:
    compared = {(pair.base.family, pair.base.dataset, pair.base.prompt) for pair in pairs}
    settings = dict.fromkeys((cell.family, cell.dataset, cell.prompt) for cell in cells)
    for family, dataset, prompt in settings:
        if (family, dataset, prompt) not in compared:
            yield f"{family} has one variant only on {dataset} ({prompt}), so there is no gap."
