"""What the data of a study do not give, and what would."""

from collections.abc import Iterator, Sequence

from distlab.decoding.decoder import SampleOrder
from distlab.report.questions.drops import DROPS
from distlab.report.table import ScoredStudy
from distlab.runs.pairing import ArmPair, ScoreMap
from distlab.store.cell import Cell


def limits(scored: ScoredStudy) -> Iterator[str]:
    """One sentence per thing that the study cannot say."""
    if not scored.scores:
        yield "No verdict is stored, so there is nothing to report: run python -m distlab.score."
        return
    judged = {key for key, _ in scored.scores}
    for cell in scored.cells:
        if cell.key not in judged:
            yield f"{cell.key} has no verdicts, so it is in no table."
    for cell in scored.cells:
        if cell.n == 1 and cell.order != SampleOrder.SINGLE:
            yield f"{cell.key} has one sample per problem, so there is no pass@k beyond pass@1."
    yield from _one_sided(scored.cells, scored.pairs)
    yield from _until_solved(scored.cells, scored.scores)
    for pair in scored.pairs:
        if pair.primary and pair.base.n != pair.instruct.n:
            yield (
                f"{pair.base.key} has {pair.base.n} samples per problem and {pair.instruct.arm} "
                f"{pair.instruct.n}: they are compared at k = {min(pair.base.n, pair.instruct.n)}."
            )
    if len({cell.family for cell in scored.cells}) == 1:
        yield "One family was run, so how the gap changes with size cannot be said."
    if not scored.rows(DROPS):
        yield "No two problems of this run are a pair, so there is no perturbation drop."
    if len({judge.grader for judge in scored.judges}) == 1:
        yield "One grader was used, so how far the result depends on it cannot be said."
    if len({judge.extractor for judge in scored.judges}) == 1:
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


def _one_sided(cells: Sequence[Cell], pairs: Sequence[ArmPair]) -> Iterator[str]:
    compared = {(pair.base.family, pair.base.dataset, pair.base.prompt) for pair in pairs}
    settings = dict.fromkeys((cell.family, cell.dataset, cell.prompt) for cell in cells)
    for family, dataset, prompt in settings:
        if (family, dataset, prompt) not in compared:
            yield f"{family} has one variant only on {dataset} ({prompt}), so there is no gap."
