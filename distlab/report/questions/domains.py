"""Is it so on every dataset?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from distlab.analysis.claims import Answer, Claim, Kind, any_differs
from distlab.analysis.contrasts import Contrast, Mean, contrast
from distlab.report.gap_table import GAPS, GapRow, headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table
from distlab.report.wording import holm_note, judge_name
from distlab.runs.pairing import metrics
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import percent, points_interval, points_range


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """The gap on one dataset against that on another, each under the judge that stands for it.

    Attributes:
        first: The instruct arm on the first dataset.
        second: The instruct arm on the second.
        judges: The judge of either, as people read them.
        metrics: Name of the score on either, as in "Pass@20".
        difference: Gap on the second minus gap on the first.
    """

    first: Cell
    second: Cell
    judges: str
    metrics: str
    difference: Contrast


def _rows(scored: ScoredStudy) -> Iterator[DatasetRow]:
    """Every two datasets of one family and prompt."""
    gaps = [row for row in scored.rows(GAPS) if _stands(scored, row)]
    for one, two in combinations(gaps, 2):
        if (one.base.family, one.base.prompt) == (two.base.family, two.base.prompt):
            judges = dict.fromkeys(judge_name(row.judge) for row in (one, two))
            names = dict.fromkeys(row.metric for row in (one, two))
            difference = contrast(_part(scored, two, 1.0), _part(scored, one, -1.0))
            yield DatasetRow(
                one.instruct, two.instruct, " → ".join(judges), " → ".join(names), difference
            )


def _stands(scored: ScoredStudy, row: GapRow) -> bool:
    """Whether it is a headline gap."""
    is_own = (row.base, row.instruct) in scored.ends
    return is_own and row.headline and scored.headlines[row.instruct.key] == row.judge


def _part(scored: ScoredStudy, row: GapRow, weight: float) -> Mean:
    base = scored.scores[row.base.key, row.judge]
    instruct = scored.scores[row.instruct.key, row.judge]
    until_solved = row.base.until_solved or row.instruct.until_solved
    metric = metrics(min(row.base.n, row.instruct.n), until_solved)[0]
    return Mean(metric.of(instruct) - metric.of(base), base.table.sources, weight)


_COLUMNS: Columns[DatasetRow] = (
    label("family", lambda row: row.first.family),
    label("prompt", lambda row: row.first.prompt),
    label("datasets", lambda row: f"{row.first.dataset} → {row.second.dataset}"),
    label("judge", lambda row: row.judges),
    label("score", lambda row: row.metrics),
    Column("change of the gap (95 %)", lambda row: points_interval(row.difference.estimate)),
    Column(
        "if problems were independent (95 %)",
        lambda row: points_interval(row.difference.independent),
    ),
)
DATASETS = Table("datasets", "Gap on one dataset and another, in points", _rows, _COLUMNS)


def _groups(study: StudyTables) -> dict[tuple[str, str], list[DatasetRow]]:
    """The testable differences, by family and prompt."""
    groups: dict[tuple[str, str], list[DatasetRow]] = {}
    for row in study.rows(DATASETS):
        if not math.isnan(row.difference.p):
            groups.setdefault((row.first.family, row.first.prompt), []).append(row)
    return groups


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That the gap depends on the dataset."""
    for key, rows in _groups(study).items():
        where, margin = f"{key[0]} ({key[1]})", study.margins.equivalence
        differences = [row.difference for row in rows]
        yield any_differs(Kind.DATASETS, key, where, differences, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Whether the gap depends on the dataset, by family and prompt."""
    groups = _groups(study)
    if not groups:
        yield cannot_say("no family has a gap on two datasets; run with gsm8k and medcalc, say")
    for (family, prompt), rows in groups.items():
        decision = study.decision(Kind.DATASETS, (family, prompt))
        margin = percent(study.margins.equivalence)
        most = min(rows, key=lambda row: row.difference.p)
        said = {
            Answer.YES: (
                f"the gap depends on the dataset: from {most.first.dataset} to "
                f"{most.second.dataset} it changes by {points_range(most.difference.estimate)} "
                f"points ({holm_note(decision)})"
            ),
            Answer.NO: f"on no two datasets the gap differs by {margin} points or more",
            Answer.CANNOT_TELL: "whether the gap depends on the dataset cannot be told here",
        }
        gaps = [
            row
            for row in headline_gaps(study)
            if (row.base.family, row.base.prompt) == (family, prompt)
        ]
        # The first gap of a dataset is the one that is compared.
        mine = {row.base.dataset: row for row in reversed(gaps)}
        listed = ", ".join(
            f"{name} {points_range(row.gap.difference.estimate)}"
            for name, row in reversed(mine.items())
        )
        yield Statement(f"{family} ({prompt}): {said[decision.answer]}.", (f"Gaps: {listed}.",))


QUESTION = Question(
    name="domains",
    text="Is it so on every dataset?",
    tables=(DATASETS,),
    statements=_statements,
    claims=_claims,
)
