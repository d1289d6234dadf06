"""Do the largest families differ from the smallest?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.scale import SizeGroups, size_groups
from distlab.report.gap_table import headline_gaps
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.scale import SCALE, GapSource, ScaleRow, lineage
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note, judge_name
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH, percent, points, points_interval, points_range

# "Below about 3B" and "above 70B", as the paper puts it: its smallest families have 0.6 to 3.2
# billion parameters, its largest 70.6 billion and more.
_LIMITS: Final = (3.5e9, 70e9)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Large families against small ones, in one setting.

    Attributes:
        source: Whose gaps they are.
        dataset: Name of the dataset.
        prompt: Name of the prompt; empty where the paper does not say.
        judge: As in ``ScaleRow``.
        metric: Name of the score, as in "Pass@20".
        groups: The comparison.
    """

    source: GapSource
    dataset: str
    prompt: str
    judge: str
    metric: str
    groups: SizeGroups

    @property
    def key(self) -> tuple[GapSource, str, str, str, str]:
        """Under which it is claimed that the groups differ."""
        return self.source, self.dataset, self.prompt, self.judge, self.metric


def _rows(scored: ScoredStudy) -> Iterator[GroupRow]:
    """Every setting with a family in either group."""
    settings: dict[tuple[GapSource, str, str, str, str], list[ScaleRow]] = {}
    for row in scored.rows(SCALE):
        key = (row.source, row.dataset, row.prompt, row.judge, row.metric)
        settings.setdefault(key, []).append(row)
    for key, found in settings.items():
        groups = size_groups(
            np.array([row.parameters for row in found]),
            np.array([row.gap.value for row in found]),
            np.array([row.error for row in found]),
            [lineage(row.family) for row in found],
            _LIMITS,
        )
        if groups.small and groups.large:
            yield GroupRow(*key, groups)


_COLUMNS: Columns[GroupRow] = (
    label("source", lambda row: row.source),
    label("dataset", lambda row: row.dataset),
    label("prompt", lambda row: row.prompt or DASH),
    label("judge", lambda row: row.judge),
    label("score", lambda row: row.metric),
    Column("small families", lambda row: str(row.groups.small)),
    Column("large families", lambda row: str(row.groups.large)),
    Column("lineages", lambda row: str(row.groups.lineages)),
    Column("gap, small", lambda row: points(row.groups.small_mean)),
    Column("gap, large", lambda row: points(row.groups.large_mean)),
    Column("large − small (95 %)", lambda row: points_interval(row.groups.difference.estimate)),
)
SIZE_GROUPS = Table(
    "size_groups", "Gaps of large and of small families, in points", _rows, _COLUMNS
)


def _shown(study: StudyTables) -> list[GroupRow]:
    """Those with a difference: ours under the judges that stand for a cell, and the paper's."""
    stand = {judge_name(row.judge) for row in headline_gaps(study)}
    return [
        row
        for row in study.rows(SIZE_GROUPS)
        if (row.source == GapSource.PAPER or row.judge in stand)
        and not math.isnan(row.groups.difference.value)
    ]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That large families have another gap than small ones."""
    for row in _shown(study):
        where = ", ".join(part for part in row.key if part)
        margin = study.margins.equivalence
        yield differs(Kind.SIZES, row.key, where, row.groups.difference, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Large families against small ones, ours and the paper's."""
    rows = _shown(study)
    ours = [row for row in rows if row.source == GapSource.OURS]
    if not ours:
        yield cannot_say(
            f"a comparison of ours needs a family of at most {_LIMITS[0] / 1e9:g} billion "
            f"parameters, one of {_LIMITS[1] / 1e9:g} or more, and three lineages over both; run a "
            "sweep over model"
        )
    published = {row.dataset for row in rows if row.source == GapSource.PAPER}
    for row in rows:
        missing = row.source == GapSource.OURS and row.dataset not in published
        beside = ("The paper's figure: not published.",) if missing else ()
        yield Statement(_sentence(study, row), beside)


def _sentence(study: StudyTables, row: GroupRow) -> str:
    decision, groups = study.decision(Kind.SIZES, row.key), row.groups
    towards = study.sides.second if decision.direction > 0 else study.sides.first
    said = {
        Answer.YES: f"large families lie further towards {towards} ({holm_note(decision)})",
        Answer.NO: (
            "large and small families have the same gap, within "
            f"{percent(study.margins.equivalence)} points"
        ),
        Answer.CANNOT_TELL: "whether large and small families differ cannot be told here",
    }
    whose = "our figures" if row.source == GapSource.OURS else "the paper's figures"
    return (
        f"{row.dataset} ({row.prompt or 'prompt not said'}, {row.judge}), {whose}: "
        f"{said[decision.answer]}: {points_range(groups.difference.estimate)} points between "
        f"{groups.large} of 70 billion parameters or more ({points(groups.large_mean)}) and "
        f"{groups.small} below 3.5 ({points(groups.small_mean)}), of {groups.lineages} lineages."
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "gap, small; gap, large",
        "weighted mean gap of the families of at most 3.5 billion parameters, and of 70 billion or "
        "more; random-effects fit, sizes of one lineage count once.",
    ),
)
QUESTION = Question(
    name="size-groups",
    text="Do the largest families differ from the smallest?",
    tables=(SIZE_GROUPS,),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
