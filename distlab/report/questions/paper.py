"""Do our figures agree with the paper's?"""

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Final, Literal

from distlab.analysis.claims import Answer, Claim, Kind, replicates
from distlab.analysis.contrasts import EMPTY, Contrast, Mean, contrast
from distlab.analysis.drops import unpaired_drop
from distlab.analysis.estimate import NOTHING, Estimate
from distlab.analysis.gaps import paired_gap
from distlab.analysis.power import replication_power
from distlab.analysis.replication import (
    normal_error,
    published_difference,
    published_gap,
    published_share,
)
from distlab.analysis.shares import solved_interval
from distlab.checkpoints.checkpoint import BASE, INSTRUCT, Variant
from distlab.decoding.cot import CoT
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import judge_name, setting, shown_p
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import (
    percent,
    percent_interval,
    percent_range,
    points_interval,
    points_range,
)

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


def published_gap_of(cell: Cell, by: Judge) -> float | None:
    """The paper's gap on a cell's family, dataset and prompt under a grader, as a share."""
    for figure in published_figures():
        same = (figure.family, figure.dataset, figure.grader) == (
            cell.family,
            cell.dataset,
            by.grader,
        )
        if figure.base is None or figure.instruct is None:
            continue
        if same and figure.prompt in (None, cell.prompt):
            return figure.instruct - figure.base
    return None


def published_drop_of(cell: Cell, by: Judge) -> Estimate:
    """The paper's drop of the arm that a cell of the perturbed set is; NaN where it has none."""
    figures = published_drop_figures(cell, by)
    if figures is None:
        return NOTHING
    before, after = figures
    assert before.instruct is not None
    assert after.instruct is not None
    return published_difference(before.instruct, before.problems, after.instruct, after.problems)


def published_drop_figures(cell: Cell, by: Judge) -> tuple[PublishedFigure, PublishedFigure] | None:
    """The figures of both sets behind the paper's drop; None where it has none."""
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
        difference: Ours minus theirs, with the errors of both; empty where it is another
            measurement.
        reason: Why it is another measurement than the paper's; empty where it is the same.
    """

    cell: Cell
    judge: Judge
    figure: PaperFigure
    published: Estimate
    ours: Estimate
    difference: Contrast
    reason: str

    @property
    def key(self) -> tuple[Cell, Judge, str]:
        """Under which it is claimed that the figure is found again."""
        return self.cell, self.judge, self.figure


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
        figures = published_drop_figures(two, by)
        same_arm = (one.family, one.arm, one.prompt) == (two.family, two.arm, two.prompt)
        if same_arm and figures is not None:
            before = Mean(first.pass_at(one.n), first.table.sources)
            ours = unpaired_drop(before, Mean(second.pass_at(two.n), second.table.sources))
            reason = _reason(figures[0], first) or _reason(figures[1], second)
            yield _row(two, by, "drop", published_drop_of(two, by), ours, reason)


def _beside(
    figure: PublishedFigure, by: Judge, mine: Sequence[ProblemScores]
) -> Iterator[PaperRow]:
    base = [row for row in mine if _answers(row.table.cell, figure, BASE)]
    instruct = [row for row in mine if _answers(row.table.cell, figure, INSTRUCT)]
    if figure.base is not None:
        yield from (_arm(row, by, BASE, figure, figure.base) for row in base)
    if figure.instruct is not None:
        yield from (_arm(row, by, INSTRUCT, figure, figure.instruct) for row in instruct)
    if figure.base is not None and figure.instruct is not None:
        theirs = published_gap(figure.base, figure.instruct, figure.problems)
        for first, second in product(base, instruct):
            if first.table.cell.prompt == second.table.cell.prompt:
                yield _gap(first, second, by, figure, theirs)


def _arm(
    row: ProblemScores, by: Judge, variant: Variant, figure: PublishedFigure, share: float
) -> PaperRow:
    solved, sources = row.pass_at(row.table.cell.n), row.table.sources
    mean = contrast(Mean(solved, sources), resamples=0)
    alone, shared = solved_interval(solved), solved_interval(solved, sources)
    ours = replace(mean, estimate=shared, independent=alone)
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
    ours = paired_gap(base.pass_at(k), instruct.pass_at(k), base.table.sources).difference
    return _row(instruct.table.cell, by, "gap", theirs, ours, _reason(figure, base, instruct))


def _row(
    cell: Cell, by: Judge, what: PaperFigure, theirs: Estimate, ours: Contrast, reason: str
) -> PaperRow:
    difference = EMPTY if reason else ours.beyond(theirs, normal_error(theirs))
    return PaperRow(cell, by, what, theirs, ours.estimate, difference, reason)


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
    Column("ours − paper (95 %)", lambda row: points_interval(row.difference.estimate)),
    label("because", lambda row: row.reason),
)
PAPER = Table("paper", "The paper's figures beside ours", _rows, _COLUMNS)


def _tested(study: StudyTables) -> list[PaperRow]:
    """The figures that are the same measurement."""
    return [row for row in study.rows(PAPER) if not math.isnan(row.difference.p)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That each figure is found again."""
    for row in _tested(study):
        where = f"{setting(row.cell)}, {row.figure} ({judge_name(row.judge)})"
        yield replicates(row.key, where, row.difference, study.margins.replication)


_SAID: Final = {
    Answer.YES: "found again",
    Answer.NO: "not found again",
    Answer.CANNOT_TELL: "undecided",
}


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Each figure of the paper that this study has too."""
    rows, tested = study.rows(PAPER), _tested(study)
    if not rows:
        yield cannot_say("no arm of this run is one that the paper gives a figure for")
        return
    counts = Counter(study.decision(Kind.REPLICATION, row.key).answer for row in tested)
    listed = [f"{count} {_SAID[answer]}" for answer, count in counts.items()]
    if len(tested) < len(rows):
        listed.append(f"{len(rows) - len(tested)} measured in another way")
    figures = counted(len(rows), "figure")
    yield Statement(f"Of {figures} of the paper that this study measures too: {', '.join(listed)}.")
    yield from (_statement(study, row) for row in tested)


def _statement(study: StudyTables, row: PaperRow) -> Statement:
    decision = study.decision(Kind.REPLICATION, row.key)
    margin = study.margins.replication
    shown = percent_range if row.figure in ("base", "instruct") else points_range
    said = {
        Answer.YES: f"found again, within {percent(margin)} points",
        Answer.NO: f"not found again (p {shown_p(decision.no)} after Holm)",
        Answer.CANNOT_TELL: "whether it is found again cannot be told here",
    }
    power = replication_power(row.difference.error, margin, study.family.level)
    chance = (
        f"With these errors a figure that is the same would be called found again in "
        f"{percent(power)} per cent of studies like this one."
    )
    return Statement(
        f"{setting(row.cell)}, {row.figure} ({judge_name(row.judge)}): {said[decision.answer]}; "
        f"the paper {shown(row.published)}, ours {shown(row.ours)}, ours minus the paper's "
        f"{points_range(row.difference.estimate)} points.",
        (chance,) if decision.answer is Answer.CANNOT_TELL else (),
    )


_TERMS: Final[tuple[Term, ...]] = (
    ("paper", "the published figure with the interval that its number of problems gives."),
)
QUESTION = Question(
    name="paper",
    text="Do our figures agree with the paper's?",
    tables=(PAPER,),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
