"""Control tables: the same verdicts, asked what else could have made the gap."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distlab.analysis.answers import share
from distlab.analysis.arrays import FloatArray
from distlab.analysis.codes import CORRECT, ERROR, INCORRECT, MISSING, NO_ANSWER, TIMEOUT
from distlab.analysis.controls import decompose, grid_effects
from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import proportion_interval
from distlab.analysis.nulls import any_correct, reasons
from distlab.report.pairing import Comparison, Metric, ScoreMap, metrics
from distlab.report.records import (
    ControlRow,
    GridRow,
    Judge,
    OutcomeRow,
    PromptRow,
    ReasonedGapRow,
    ReasoningRow,
    StratumRow,
)
from distlab.report.scores import ProblemScores
from distlab.store.cell import Cell


def control_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[ControlRow]:
    """Split the study's gaps where all four arms of the 2 x 2 grid are there."""
    for pair in pairs:
        base, instruct = pair.base, pair.instruct
        if not pair.primary or base.decoding == instruct.decoding:
            continue
        # The base model decoded as the instruct arm is, and the other way round.
        crossed = replace(base, decoding=instruct.decoding), replace(base, variant="instruct")
        keys = [cell.key for cell in (base, *crossed, instruct)]
        for judge in judges:
            if all((key, judge) in scores for key in keys):
                arms = [scores[key, judge] for key in keys]
                metric = metrics(min(arm.table.cell.n for arm in arms))[0]
                parts = decompose(*map(metric.of, arms))
                yield ControlRow(base, instruct, judge, metric.name, parts)


def grid_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[GridRow]:
    """Every decoding that both variants have, in settings with at least two of them.

    Arms are compared at one k. Greedy decoding has one sample, so it joins at pass@1 only, and the
    grid is made twice: at the k of the wide arms, and at k = 1 with all arms (ours).
    """
    for judge in judges:
        for columns in _grids(cells, judge, scores):
            sizes = sorted({min(base.n, instruct.n) for base, instruct in columns})
            # Of what is drawn until solved there is no pass@1.
            whole = not any(cell.until_solved for pair in columns for cell in pair)
            for k in sorted({1, sizes[-1]} if whole else {sizes[-1]}, reverse=True):
                wide = [pair for pair in columns if min(pair[0].n, pair[1].n) >= k]
                if len(wide) > 1:
                    yield from _grid(wide, metrics(k)[0], judge, scores)


def _grids(
    cells: Sequence[Cell], judge: Judge, scores: ScoreMap
) -> Iterator[list[tuple[Cell, Cell]]]:
    """The (base, instruct) cells of equal decoding, for each family, dataset and prompt."""
    scored = {cell.key: cell for cell in cells if (cell.key, judge) in scores}
    grids: dict[tuple[str, str, str], list[tuple[Cell, Cell]]] = {}
    for cell in scored.values():
        twin = scored.get(replace(cell, variant="instruct").key)
        if cell.variant == "base" and twin is not None:
            grids.setdefault((cell.family, cell.dataset, cell.prompt), []).append((cell, twin))
    yield from grids.values()


def _grid(
    columns: Sequence[tuple[Cell, Cell]], metric: Metric, judge: Judge, scores: ScoreMap
) -> Iterator[GridRow]:
    effects = grid_effects(
        [metric.of(scores[base.key, judge]) for base, _ in columns],
        [metric.of(scores[instruct.key, judge]) for _, instruct in columns],
    )
    for place, (base, instruct) in enumerate(columns):
        yield GridRow(
            base=base,
            instruct=instruct,
            judge=judge,
            metric=metric.name,
            problems=effects.problems,
            gap=effects.gaps[place],
            effect=effects.decodings[place],
            model=effects.model,
            interaction=effects.interactions[place],
        )


def reasoning_row(judge: Judge, scores: ProblemScores) -> ReasoningRow:
    """Pass@n of a cell without the samples that give an answer and no reasoning."""
    table = scores.table
    return ReasoningRow(
        cell=table.cell,
        judge=judge,
        share=share(reasons(table.facts.answers, table.facts.starts), table.facts.present),
        pass_n=proportion_interval(scores.pass_at(table.cell.n)),
        reasoned=proportion_interval(_reasoned(scores, table.cell.n)),
    )


def reasoned_gap_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[ReasonedGapRow]:
    """The study's gaps, counting only samples that reason before they answer."""
    for pair in pairs:
        for judge in judges:
            base = scores.get((pair.base.key, judge))
            instruct = scores.get((pair.instruct.key, judge))
            if pair.primary and base is not None and instruct is not None:
                k = min(pair.base.n, pair.instruct.n)
                gap = paired_gap(_reasoned(base, k), _reasoned(instruct, k))
                yield ReasonedGapRow(pair.base, pair.instruct, judge, metrics(k)[0].name, gap)


def _reasoned(scores: ProblemScores, k: int) -> FloatArray:
    """[problems]: a correct sample that reasons among the first k; NaN where there is no score."""
    table = scores.table
    solved = (table.codes == CORRECT) & reasons(table.facts.answers, table.facts.starts)
    return np.where(scores.scored, any_correct(solved[:, :k]), np.nan)


def outcome_row(judge: Judge, scores: ProblemScores) -> OutcomeRow:
    """Where the samples of a cell end; a sample that is cut off and correct is correct."""
    codes, truncated = scores.table.codes, scores.table.facts.truncated
    judged = codes != MISSING
    correct = codes == CORRECT
    whole = judged & ~correct & ~truncated
    return OutcomeRow(
        cell=scores.table.cell,
        judge=judge,
        samples=int(judged.sum()),
        correct=share(correct, judged),
        wrong=share(whole & (codes == INCORRECT), judged),
        no_answer=share(whole & (codes == NO_ANSWER), judged),
        truncated=share(truncated & ~correct, judged),
        unjudged=share(whole & np.isin(codes, (TIMEOUT, ERROR)), judged),
    )


def prompt_rows(
    cells: Sequence[Cell], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[PromptRow]:
    """Each arm's other prompts against its first one."""
    for judge in judges:
        firsts: dict[tuple[str, str, str], Cell] = {}
        for cell in cells:
            if (cell.key, judge) not in scores:
                continue
            first = firsts.setdefault((cell.family, cell.arm, cell.dataset), cell)
            if first is not cell:
                yield _prompt_row(first, cell, judge, scores)


def _prompt_row(first: Cell, second: Cell, judge: Judge, scores: ScoreMap) -> PromptRow:
    metric = metrics(min(first.n, second.n))[0]
    change = paired_gap(metric.of(scores[first.key, judge]), metric.of(scores[second.key, judge]))
    return PromptRow(
        first=first,
        second=second,
        judge=judge,
        metric=metric.name,
        problems=change.problems,
        before=change.base,
        after=change.instruct,
        change=change.difference,
        p=change.p,
    )


def stratum_rows(
    pairs: Sequence[Comparison], judges: Sequence[Judge], scores: ScoreMap
) -> Iterator[StratumRow]:
    """The study's gaps within every stratum of their problems."""
    for pair in pairs:
        for judge in judges:
            base = scores.get((pair.base.key, judge))
            instruct = scores.get((pair.instruct.key, judge))
            if pair.primary and base is not None and instruct is not None:
                yield from _strata(pair, judge, base, instruct)


def _strata(
    pair: Comparison, judge: Judge, base: ProblemScores, instruct: ProblemScores
) -> Iterator[StratumRow]:
    metric = metrics(min(pair.base.n, pair.instruct.n))[0]
    first, second = metric.of(base), metric.of(instruct)
    members: dict[tuple[str, str], list[int]] = {}
    for place, problem in enumerate(base.table.problems):
        for label in problem.strata.items():
            members.setdefault(label, []).append(place)
    for (name, value), places in sorted(members.items()):
        clusters = [base.table.problems[place].cluster for place in places]
        gap = paired_gap(first[places], second[places], clusters)
        yield StratumRow(pair.base, pair.instruct, judge, metric.name, name, value, gap)
