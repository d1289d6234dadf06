"""Two run folders in; a Comparison out: scores by the report, differences by ``analysis``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from distlab.analysis.gaps import holm, paired_gap
from distlab.compare.comparison import ChangeRow, Comparison, DifferenceRow, Pair, Shared
from distlab.compare.differing import setting_rows
from distlab.compare.matching import cannot, match
from distlab.runs.folder import RunFolder
from distlab.runs.pairing import metrics
from distlab.runs.scored import Judge, JudgedRuns, SampleKey, VerdictTable
from distlab.runs.scores import ProblemScores, problem_scores
from distlab.runs.verdicts import read_answers, read_study
from distlab.scoring.types import BY_CODE, CORRECT, NO_VERDICT

_Tables = tuple[VerdictTable, VerdictTable]


def compare(runs: Sequence[Path]) -> tuple[Comparison, ...]:
    """Compare the first of several runs with each of the others.

    Args:
        runs: Run folders, two or more.

    Raises:
        UserError: One is no run folder, has no verdicts, or a file in it cannot be read.
    """
    first, *others = [_read(run) for run in runs]
    return tuple(
        _compare(match(first, other), (runs[0], run))
        for other, run in zip(others, runs[1:], strict=True)
    )


def _read(run: Path) -> JudgedRuns:
    study = read_study([run])
    folder = RunFolder(run)
    if not (study.tables and folder.is_scored):
        raise folder.unscored(study.manifest)
    # Copies of a run, scored apart, have one name inside.
    return replace(study, manifest=replace(study.manifest, run=run.resolve().name))


def _compare(pair: Pair, runs: tuple[Path, Path]) -> Comparison:
    together = list(_tables(pair))
    scores = [(problem_scores(one), problem_scores(other)) for one, other in together]
    differences = [row for both in scores for row in _differences(pair, *both)]
    adjusted = holm([row.gap.difference.p for row in differences])
    return Comparison(
        first=pair.first.manifest.run,
        second=pair.second.manifest.run,
        settings=setting_rows(pair),
        differences=tuple(
            replace(row, holm=float(p)) for row, p in zip(differences, adjusted, strict=True)
        ),
        changes=_with_answers([row for both in together for row in _changes(pair, *both)], runs),
        cannot=(*cannot(pair), *_unscored(pair, together)),
    )


def _tables(pair: Pair) -> Iterator[_Tables]:
    """The verdicts of both runs for each pair of cells and judges."""
    ours, theirs = _by_name(pair.first), _by_name(pair.second)
    for mine, other in pair.cells:
        for judge, by in pair.judges:
            if (mine.key, judge) in ours and (other.key, by) in theirs:
                yield ours[mine.key, judge], theirs[other.key, by]


def _by_name(study: JudgedRuns) -> dict[tuple[str, Judge], VerdictTable]:
    return {(t.cell.key, Judge(t.extractor, t.grader)): t for t in study.tables}


def _differences(
    pair: Pair, first: ProblemScores, second: ProblemScores
) -> Iterator[DifferenceRow]:
    mine, other = first.table.cell, second.table.cell
    shared = pair.shared[mine.dataset]
    until_solved = mine.until_solved or other.until_solved
    if mine.until_decided or other.until_decided:
        return
    # Of samples drawn until solved Pass@n alone can be said, and only of as many.
    if until_solved and mine.n != other.n:
        return
    for metric in metrics(min(mine.n, other.n), until_solved):
        # A vote of 20 is no vote of 8; pass@k is estimated from however many there are.
        if metric.name == "one answer" and mine.n != other.n:
            continue
        gap = paired_gap(
            metric.of(first)[shared.first], metric.of(second)[shared.second], shared.clusters
        )
        if gap.problems:
            judges = _judge(first.table), _judge(second.table)
            yield DifferenceRow(mine, other, *judges, metric.name, gap, np.nan)


def _judge(table: VerdictTable) -> Judge:
    return Judge(table.extractor, table.grader)


def _changes(pair: Pair, first: VerdictTable, second: VerdictTable) -> Iterator[ChangeRow]:
    shared = pair.shared[first.cell.dataset]
    same = first.cell.fingerprint == second.cell.fingerprint
    yield from (_samples if same else _problems)(shared, first, second)


def _samples(shared: Shared, first: VerdictTable, second: VerdictTable) -> Iterator[ChangeRow]:
    """Samples that both runs hold, with another verdict."""
    n = min(first.cell.n, second.cell.n)
    before, after = first.codes[shared.first, :n], second.codes[shared.second, :n]
    changed = (before != after) & (before != NO_VERDICT) & (after != NO_VERDICT)
    for place, rank in zip(*np.nonzero(changed), strict=True):
        yield replace(
            _row(shared, first, second, int(place)),
            rank=int(rank),
            before=BY_CODE[before[place, rank]].value,
            after=BY_CODE[after[place, rank]].value,
        )


def _problems(shared: Shared, first: VerdictTable, second: VerdictTable) -> Iterator[ChangeRow]:
    """Problems that one run solves and the other does not, from different samples."""
    before, after = first.codes[shared.first], second.codes[shared.second]
    judged = (before != NO_VERDICT).any(axis=1) & (after != NO_VERDICT).any(axis=1)
    solved = (before == CORRECT).any(axis=1), (after == CORRECT).any(axis=1)
    for place in np.flatnonzero(judged & (solved[0] != solved[1])).tolist():
        row = _row(shared, first, second, place)
        yield replace(row, before=_share(before[place]), after=_share(after[place]))


def _share(codes: np.ndarray[tuple[int], np.dtype[np.int8]]) -> str:
    return f"{int((codes == CORRECT).sum())} of {int((codes != NO_VERDICT).sum())} correct"


def _row(shared: Shared, first: VerdictTable, second: VerdictTable, place: int) -> ChangeRow:
    """A problem's row, before it is said what changed in it."""
    return ChangeRow(
        cell=first.cell.key,
        other=second.cell.key,
        judge=_judge(first),
        by=_judge(second),
        problem=shared.names[place],
        rank=-1,
        before="",
        after="",
        before_answer="",
        after_answer="",
        gold=first.problems[int(shared.first[place])].gold.text,
    )


def _with_answers(rows: Sequence[ChangeRow], runs: tuple[Path, Path]) -> tuple[ChangeRow, ...]:
    """The rows with what each run's extractor read."""
    keys = [
        (
            SampleKey(row.cell, row.judge.extractor, row.problem, row.rank),
            SampleKey(row.other, row.by.extractor, row.problem, row.rank),
        )
        for row in rows
    ]
    wanted = [{both[place] for both in keys if both[place].rank >= 0} for place in (0, 1)]
    found = [read_answers([run], some) for run, some in zip(runs, wanted, strict=True)]
    return tuple(
        replace(row, before_answer=found[0].get(one, ""), after_answer=found[1].get(other, ""))
        for row, (one, other) in zip(rows, keys, strict=True)
    )


def _unscored(pair: Pair, together: Sequence[_Tables]) -> Iterator[str]:
    """Cells that match and have no verdicts on one side."""
    scored = {first.cell.key for first, _ in together}
    for mine, _ in pair.cells:
        if pair.judges and mine.key not in scored:
            yield f"{mine.key} has no verdicts of a shared judge in one of the runs."
