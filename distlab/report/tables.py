"""A Study in; StudyTables out. Chooses what is put beside what; the figures are ``analysis``'s."""

from collections.abc import Iterator, Sequence

from distlab.report.questions.decoding import control_rows, grid_rows
from distlab.report.questions.drops import drop_gap_rows, drop_rows, unpaired_rows
from distlab.report.questions.ends import column_means, outcome_row
from distlab.report.questions.gap import gap_rows
from distlab.report.questions.guessing import (
    excess_rows,
    null_rows,
    reasoned_gap_rows,
    reasoning_row,
)
from distlab.report.questions.judges import accept_rows, agreement_rows, winner_rows
from distlab.report.questions.paper import replication_rows
from distlab.report.questions.prompts import prompt_rows
from distlab.report.questions.scale import scale_rows, trend_rows
from distlab.report.questions.scores import arm_row, headlines
from distlab.report.questions.strata import stratum_rows
from distlab.report.records import CurveRow, DisagreementRow, StudyTables
from distlab.runs.manifest import Manifest
from distlab.runs.pairing import Comparison, ScoreMap, comparisons
from distlab.runs.records import Judge, Study
from distlab.runs.scores import score
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
    gaps = gap_rows(pairs, judges, scores)
    drops = tuple(drop_rows(judges, scores))
    agreements = tuple(agreement_rows(study.manifest.cells, judges, scores))
    scale = tuple(scale_rows(gaps, study.parameters))
    return StudyTables(
        manifest=study.manifest,
        judges=judges,
        headlines=headlines(scores),
        arms=tuple(arm_row(judge, row) for (_, judge), row in scores.items()),
        outcomes=tuple(outcome_row(judge, row) for (_, judge), row in whole.items()),
        curves=tuple(
            CurveRow(row.table.cell, judge, column_means(row.curve))
            for (_, judge), row in scores.items()
        ),
        gaps=gaps,
        drops=drops,
        drop_gaps=tuple(drop_gap_rows(pairs, judges, scores)),
        unpaired=tuple(unpaired_rows(judges, scores)),
        agreements=agreements,
        accepts=tuple(accept_rows(agreements)),
        winners=tuple(winner_rows(gaps)),
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
