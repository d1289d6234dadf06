"""Are the paper's figures found again?"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Final, Literal

from distlab.analysis.drops import unpaired_drop
from distlab.analysis.gaps import paired_gap
from distlab.analysis.intervals import NOTHING, Estimate, proportion_interval
from distlab.analysis.replication import (
    Judgement,
    judge,
    published_difference,
    published_gap,
    published_share,
)
from distlab.checkpoints.checkpoint import Variant
from distlab.decoding.cot import CoT
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import judge_name, setting
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent_interval, percent_range, points_interval, points_range

# The paper's two arms, and its samples per problem.
BASE_KIND = CoT.kind
INSTRUCT_DECODING = "t0.05"
SAMPLES = 20
# The paper's perturbation drop is between the means of these two sets.
DROP_SETS = ("math-500", "math-perturb-hard")


@dataclass(frozen=True, slots=True)
class PublishedFigure:
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
        parameters: Parameters of the family's checkpoints (their model cards).
    """

    family: str
    dataset: str
    prompt: str | None
    grader: str
    base: float | None
    instruct: float | None
    problems: int
    source: str
    parameters: float


@cache
def published_figures() -> tuple[PublishedFigure, ...]:
    """All rows of ``published.csv``, shares instead of per cent."""
    text = files("distlab.report").joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(
        PublishedFigure(
            family=row["family"],
            dataset=row["dataset"],
            prompt=row["prompt"] or None,
            grader=row["grader"],
            base=_share(row["base"]),
            instruct=_share(row["instruct"]),
            problems=int(row["problems"]),
            source=row["source"],
            parameters=float(row["parameters"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


def _share(per_cent: str) -> float | None:
    return float(per_cent) / 100 if per_cent else None


def published_drop_of(cell: Cell, by: Judge) -> Estimate:
    """The paper's drop of the arm that a cell of the perturbed set is; NaN where it has none."""
    figures = _drop_figures(cell, by)
    if figures is None:
        return NOTHING
    before, after = figures
    assert before.instruct is not None
    assert after.instruct is not None
    return published_difference(before.instruct, before.problems, after.instruct, after.problems)


def _drop_figures(cell: Cell, by: Judge) -> tuple[PublishedFigure, PublishedFigure] | None:
    """The two figures behind that drop."""
    known = {
        figure.dataset: figure
        for figure in published_figures()
        if (figure.family, figure.grader) == (cell.family, by.grader)
        and figure.instruct is not None
    }
    if (cell.variant, cell.decoding) != ("instruct", INSTRUCT_DECODING):
        return None
    if not set(DROP_SETS) <= set(known):
        return None
    return known[DROP_SETS[0]], known[DROP_SETS[1]]


PaperFigure = Variant | Literal["gap", "drop"]
"""Pass@20 of one of the arms, their gap, or the drop from one set to another."""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A figure of the paper beside ours.

    Attributes:
        cell: Our cell (of the instruct arm, for a gap).
        judge: Extractor and grader.
        figure: What it is of.
        published: The paper's figure, with the interval that its number of problems gives.
        ours: Our figure, of that cell.
        judgement: Whether ours is theirs.
        reason: Why it is another measurement than the paper's; empty where it is the same.
    """

    cell: Cell
    judge: Judge
    figure: PaperFigure
    published: Estimate
    ours: Estimate
    judgement: Judgement
    reason: str


def _rows(scored: ScoredStudy) -> Iterator[PaperRow]:
    """Every published figure that one of our cells answers to."""
    for by in scored.judges:
        mine = [row for (_, other), row in scored.scores.items() if other == by]
        for figure in published_figures():
            if by.grader == figure.grader:
                yield from _beside(figure, by, mine)
        yield from _drops(by, mine)


def _drops(by: Judge, mine: Sequence[ProblemScores]) -> Iterator[PaperRow]:
    """The paper's drops, from all of one set to all of another."""
    befores = [row for row in mine if row.table.cell.dataset == DROP_SETS[0]]
    afters = [row for row in mine if row.table.cell.dataset == DROP_SETS[1]]
    for first, second in product(befores, afters):
        one, two = first.table.cell, second.table.cell
        figures = _drop_figures(two, by)
        same_arm = (one.family, one.arm, one.prompt) == (two.family, two.arm, two.prompt)
        if same_arm and figures is not None:
            ours = unpaired_drop(first.pass_at(one.n), second.pass_at(two.n))
            reason = _reason(figures[0], first) or _reason(figures[1], second)
            yield _row(two, by, "drop", published_drop_of(two, by), ours, reason)


def _beside(
    figure: PublishedFigure, by: Judge, mine: Sequence[ProblemScores]
) -> Iterator[PaperRow]:
    base = [row for row in mine if _answers(row.table.cell, figure, "base")]
    instruct = [row for row in mine if _answers(row.table.cell, figure, "instruct")]
    if figure.base is not None:
        yield from (_arm(row, by, "base", figure, figure.base) for row in base)
    if figure.instruct is not None:
        yield from (_arm(row, by, "instruct", figure, figure.instruct) for row in instruct)
    if figure.base is not None and figure.instruct is not None:
        theirs = published_gap(figure.base, figure.instruct, figure.problems)
        for first, second in product(base, instruct):
            if first.table.cell.prompt == second.table.cell.prompt:
                yield _gap(first, second, by, figure, theirs)


def _arm(
    row: ProblemScores, by: Judge, variant: Variant, figure: PublishedFigure, share: float
) -> PaperRow:
    ours = proportion_interval(row.pass_at(row.table.cell.n))
    theirs = published_share(share, figure.problems)
    return _row(row.table.cell, by, variant, theirs, ours, _reason(figure, row))


def _gap(
    base: ProblemScores,
    instruct: ProblemScores,
    by: Judge,
    figure: PublishedFigure,
    theirs: Estimate,
) -> PaperRow:
    k = min(base.table.cell.n, instruct.table.cell.n)
    ours = paired_gap(base.pass_at(k), instruct.pass_at(k)).difference
    return _row(instruct.table.cell, by, "gap", theirs, ours, _reason(figure, base, instruct))


def _row(
    cell: Cell, by: Judge, what: PaperFigure, theirs: Estimate, ours: Estimate, reason: str
) -> PaperRow:
    judgement = Judgement.CANNOT_TELL if reason else judge(ours, theirs)
    return PaperRow(cell, by, what, theirs, ours, judgement, reason)


def _reason(figure: PublishedFigure, *rows: ProblemScores) -> str:
    """Why our figure is not the paper's measurement; empty where it is."""
    for row in rows:
        if row.table.cell.n != SAMPLES:
            return f"n = {row.table.cell.n}, the paper's is {SAMPLES}"
        if (scored := int(row.scored.sum())) != figure.problems:
            return f"{scored} problems scored, the paper has {figure.problems}"
    return ""


def _answers(cell: Cell, figure: PublishedFigure, variant: Variant) -> bool:
    """Whether a cell is the paper's, as far as the paper says what it is."""
    decoded = cell.kind == BASE_KIND if variant == "base" else cell.decoding == INSTRUCT_DECODING
    return (
        (cell.family, cell.dataset, cell.variant) == (figure.family, figure.dataset, variant)
        and figure.prompt in (None, cell.prompt)
        and decoded
    )


def _figure(row: PaperRow, estimate: Estimate) -> str:
    return (percent_interval if row.figure in ("base", "instruct") else points_interval)(estimate)


_COLUMNS: Columns[PaperRow] = (
    label("family", lambda row: row.cell.family),
    label("dataset", lambda row: row.cell.dataset),
    label("prompt", lambda row: row.cell.prompt),
    label("judge", lambda row: judge_name(row.judge)),
    label("figure", lambda row: row.figure),
    Column("paper (95 %)", lambda row: _figure(row, row.published)),
    Column("ours (95 %)", lambda row: _figure(row, row.ours)),
    label("judgement", lambda row: row.judgement),
    label("because", lambda row: row.reason),
)
PAPER = Table("paper", "The paper's figures beside ours", _rows, _COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Each figure of the paper that this study has too."""
    rows = study.rows(PAPER)
    if not rows:
        yield cannot_say("no arm of this run is one that the paper gives a figure for")
        return
    counts = Counter(row.judgement for row in rows)
    listed = ", ".join(f"{count} {judgement}" for judgement, count in counts.items())
    yield Statement(f"Of {len(rows)} figures that we have too: {listed}.")
    for row in rows:
        if not row.reason:
            shown = percent_range if row.figure in ("base", "instruct") else points_range
            yield Statement(
                f"{setting(row.cell)}, {row.figure} ({judge_name(row.judge)}): {row.judgement}; "
                f"the paper {shown(row.published)}, ours {shown(row.ours)}."
            )


_TERMS: Final[tuple[Term, ...]] = (
    ("paper", "the published figure with the interval that its number of problems gives."),
)
QUESTION = Question(
    name="paper",
    text="Are the paper's figures found again?",
    tables=(PAPER,),
    statements=_statements,
    terms=_TERMS,
)
