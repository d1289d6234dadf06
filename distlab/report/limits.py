"""What the data of a study do not give, and what would; which of its verdicts to doubt first."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from distlab.analysis.answers import share
from distlab.decoding.decoder import SampleOrder
from distlab.errors import counted
from distlab.report.gap_table import GAPS
from distlab.report.questions.drops import DROPS
from distlab.report.table import ScoredStudy
from distlab.report.wording import judge_name
from distlab.runs.pairing import ArmPair, ScoreMap
from distlab.runs.scored import Judge, VerdictTable
from distlab.scoring.types import CORRECT, NO_VERDICT
from distlab.store.cell import Cell

# A judge accepts almost nothing of what another accepts where it accepts less than this share of
# at least so many samples (ours).
_ALMOST_NOTHING: Final = 0.1
_FEWEST: Final = 10
# Share of cut off samples from which a cell is warned of, whether or not arms differ (ours).
_MUCH_CUT_OFF: Final = 0.2
# Cells that a sentence names, and characters of a gold that it shows (ours).
_CELLS_NAMED: Final = 3
_GOLD_SHOWN: Final = 60


def doubts(scored: ScoredStudy) -> Iterator[str]:
    """What the reader is told before any figure, one sentence each.

    Cells of which much is cut off; and judges that accept nothing, or almost nothing that another
    accepts: so it is where golds or answers are not read as what they are, more often than where
    a model solves nothing.
    """
    yield from _cut_off(scored)
    silent: dict[tuple[str, tuple[Judge, ...]], list[VerdictTable]] = {}
    almost: list[str] = []
    for cell in scored.cells:
        tables = {j: s.table for (key, j), s in scored.scores.items() if key == cell.key}
        judged = {judge: table for judge, table in tables.items() if _judged(table)}
        none = tuple(judge for judge, table in judged.items() if not (table.codes == CORRECT).any())
        if none:
            key = (cell.dataset, () if len(none) == len(judged) else none)
            silent.setdefault(key, []).append(judged[none[0]])
        almost += _outvoted(cell, {j: t for j, t in judged.items() if j not in none})
    yield from (_silence(judges, tables) for (_, judges), tables in silent.items())
    yield from almost


def _cut_off(scored: ScoredStudy) -> Iterator[str]:
    """Cells with many samples that reached max_tokens, those with the most first."""
    shares = {
        row.table.cell: share(row.table.facts.truncated, row.table.facts.present)
        for row in scored.scores.values()
    }
    much = [cell for cell, cut in shares.items() if cut > _MUCH_CUT_OFF]
    if not much:
        return
    much.sort(key=lambda cell: -shares[cell])
    named = [_cut_short(scored, cell, shares[cell]) for cell in much[:_CELLS_NAMED]]
    more = len(much) - len(named)
    others = f" and over {_MUCH_CUT_OFF:.0%} in {more} more cells" if more else ""
    raised = "raise decoding.max_tokens, or the scores measure the limit"
    yield f"Samples are cut off: {', '.join(named)}{others}; {raised}."


def _cut_short(scored: ScoredStudy, cell: Cell, cut: float) -> str:
    """As in "83 % of family/base/cot/gsm8k/zero-shot at 128 tokens"."""
    limit = scored.study.manifest.fingerprints.get(cell.key, {}).get("max_tokens")
    return f"{100 * cut:.0f} % of {cell.key}" + (f" at {limit} tokens" if limit else "")


def _judged(table: VerdictTable) -> int:
    return int((table.codes != NO_VERDICT).sum())


def _silence(judges: Sequence[Judge], tables: Sequence[VerdictTable]) -> str:
    """That no sample is correct: under these judges, or under any where none is named."""
    samples = sum(map(_judged, tables))
    keys = [table.cell.key for table in tables]
    more = len(keys) - _CELLS_NAMED
    cells = ", ".join(keys[:_CELLS_NAMED]) + (f" and {more} more cells" if more > 0 else "")
    under = ", ".join(map(judge_name, judges)) or "any judge"
    golds = [problem.gold for problem in tables[0].problems]
    kinds = " and ".join(sorted({gold.kind.value for gold in golds}))
    return (
        f"None of {samples} samples is correct under {under} ({cells}). Golds are taken as "
        f"{kinds}, the first as {golds[0].text[:_GOLD_SHOWN]!r}: look at golds and answers with "
        "python -m distlab.view before you believe it."
    )


def _outvoted(cell: Cell, tables: Mapping[Judge, VerdictTable]) -> Iterator[str]:
    """Judges that accept almost nothing of what another accepts."""
    for judge, table in tables.items():
        shared = {other: _shared(table, theirs) for other, theirs in tables.items()}
        other, (both, theirs) = max(shared.items(), key=lambda item: item[1][1] - item[1][0])
        if theirs >= _FEWEST and both < _ALMOST_NOTHING * theirs:
            yield (
                f"{judge_name(judge)} accepts {both} of the {theirs} samples of {cell.key} that "
                f"{judge_name(other)} accepts: look at the disagreements before you believe either."
            )


def _shared(table: VerdictTable, other: VerdictTable) -> tuple[int, int]:
    """Samples that both accept, and those that the other accepts, of those that both judge."""
    theirs = (other.codes == CORRECT) & (table.codes != NO_VERDICT)
    return int(np.sum(theirs & (table.codes == CORRECT))), int(theirs.sum())


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
    yield from _few_sources(scored)
    yield from _until_solved(scored.cells, scored.scores)
    yield from _until_decided(scored.cells)
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


def _few_sources(scored: ScoredStudy) -> Iterator[str]:
    """Datasets whose problems share so few sources that no gap has an interval."""
    few = {
        row.base.dataset: row.gap.clusters
        for row in scored.rows(GAPS)
        if row.gap.clusters < row.gap.problems and math.isnan(row.gap.difference.error)
    }
    for dataset, sources in few.items():
        yield (
            f"The problems of {dataset} come from {counted(sources, 'source')}: too few for an "
            "interval, or for a test of anything else than one gap. It takes five, and more where "
            "a few of them hold most problems."
        )


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
                f"{key} stopped early at {counted(open_problems, 'problem')} not solved under "
                f"{judge.extractor} and {judge.grader}, so its Pass@{row.table.cell.n} cannot be "
                "said under them: run again with them."
            )


def _until_decided(cells: Sequence[Cell]) -> Iterator[str]:
    if any(cell.until_decided for cell in cells):
        yield (
            "The study stops once its gaps are known (decoding.until=decided), so the gap with its "
            "anytime-valid interval is all that is claimed: Pass@n and maj@n of unfinished "
            "problems, and intervals made for a fixed number of problems, are left out. Run with "
            "decoding.until=all to draw the others."
        )


def _one_sided(cells: Sequence[Cell], pairs: Sequence[ArmPair]) -> Iterator[str]:
    compared = {(pair.base.family, pair.base.dataset, pair.base.prompt) for pair in pairs}
    settings = dict.fromkeys((cell.family, cell.dataset, cell.prompt) for cell in cells)
    for family, dataset, prompt in settings:
        if (family, dataset, prompt) not in compared:
            yield f"{family} has one variant only on {dataset} ({prompt}), so there is no gap."
