"""The paper's figures, shipped as ``published.csv``, put beside ours."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import Estimate, proportion_interval
from distlab.analysis.replication import Judgement, judge, published_gap, published_share
from distlab.report.pairing import ScoreMap
from distlab.report.records import Judge, ReplicationRow
from distlab.report.scores import ProblemScores
from distlab.samples.cell import Cell

# The paper's two arms, and its samples a problem.
BASE_KIND = "cot"
INSTRUCT_DECODING = "t0.05"
SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Published:
    """One row of the paper.

    Attributes:
        family: Name of the family.
        dataset: Name of the dataset.
        prompt: Prompt style, or None where the paper does not say.
        grader: "standard" (undefined in the paper) or "math-verify".
        base: Pass@20 of base/cot as a share, or None.
        instruct: Pass@20 of instruct/t0.05 as a share, or None.
        problems: Problems behind the figures.
        source: Where they are from.
    """

    family: str
    dataset: str
    prompt: str | None
    grader: str
    base: float | None
    instruct: float | None
    problems: int
    source: str


@cache
def published_figures() -> tuple[Published, ...]:
    """All rows of ``published.csv``, shares instead of per cent."""
    text = files("distlab.report").joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(
        Published(
            family=row["family"],
            dataset=row["dataset"],
            prompt=row["prompt"] or None,
            grader=row["grader"],
            base=_share(row["base"]),
            instruct=_share(row["instruct"]),
            problems=int(row["problems"]),
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def _share(per_cent: str) -> float | None:
    return float(per_cent) / 100 if per_cent else None


def replication_rows(judges: Sequence[Judge], scores: ScoreMap) -> Iterator[ReplicationRow]:
    """Every published figure that one of our cells answers to."""
    for figure in published_figures():
        for by in judges:
            if by.grader == figure.grader:
                mine = [row for (_, other), row in scores.items() if other == by]
                yield from _beside(figure, by, mine)


def _beside(
    figure: Published, by: Judge, mine: Sequence[ProblemScores]
) -> Iterator[ReplicationRow]:
    base = [row for row in mine if _answers(row.table.cell, figure, "base")]
    instruct = [row for row in mine if _answers(row.table.cell, figure, "instruct")]
    if figure.base is not None:
        yield from (_arm(row, by, figure, figure.base) for row in base)
    if figure.instruct is not None:
        yield from (_arm(row, by, figure, figure.instruct) for row in instruct)
    if figure.base is not None and figure.instruct is not None:
        theirs = published_gap(figure.base, figure.instruct, figure.problems)
        for first, second in product(base, instruct):
            if first.table.cell.prompt == second.table.cell.prompt:
                yield _gap(first, second, by, figure, theirs)


def _arm(row: ProblemScores, by: Judge, figure: Published, share: float) -> ReplicationRow:
    ours = proportion_interval(row.pass_at(row.table.cell.n))
    theirs = published_share(share, figure.problems)
    return _row(row.table.cell, by, row.table.cell.variant, theirs, ours, _reason(figure, row))


def _gap(
    base: ProblemScores, instruct: ProblemScores, by: Judge, figure: Published, theirs: Estimate
) -> ReplicationRow:
    k = min(base.table.cell.n, instruct.table.cell.n)
    ours = paired_gap(base.pass_at(k), instruct.pass_at(k)).difference
    return _row(instruct.table.cell, by, "gap", theirs, ours, _reason(figure, base, instruct))


def _row(
    cell: Cell, by: Judge, what: str, theirs: Estimate, ours: Estimate, reason: str
) -> ReplicationRow:
    judgement = Judgement.CANNOT_TELL if reason else judge(ours, theirs)
    return ReplicationRow(cell, by, what, theirs, ours, judgement, reason)


def _reason(figure: Published, *rows: ProblemScores) -> str:
    """Why our figure is not the paper's measurement; empty where it is."""
    for row in rows:
        if row.table.cell.n != SAMPLES:
            return f"n = {row.table.cell.n}, the paper's is {SAMPLES}"
        if (scored := int(row.scored.sum())) != figure.problems:
            return f"{scored} problems scored, the paper has {figure.problems}"
    return ""


def _answers(cell: Cell, figure: Published, variant: str) -> bool:
    """Whether a cell is the paper's, as far as the paper says what it is."""
    decoded = cell.kind == BASE_KIND if variant == "base" else cell.decoding == INSTRUCT_DECODING
    return (
        (cell.family, cell.dataset, cell.variant) == (figure.family, figure.dataset, variant)
        and figure.prompt in (None, cell.prompt)
        and decoded
    )
