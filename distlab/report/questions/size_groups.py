"""Do the largest families differ from the smallest?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Answer, Claim, Kind, differs
from distlab.analysis.scale import SizeGroups, size_groups
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.questions.scale import (
    SETTING_COLUMNS,
    GapSource,
    SettingRow,
    by_setting,
    over_sizes,
    stands,
)
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import holm_note
from distlab.tables.column import Column, Columns
from distlab.tables.numbers import percent, points, points_interval, points_range

# "Below about 3B" and "above 70B", as the paper puts it: its smallest families have 0.6 to 3.2
# billion parameters, its largest 70.6 billion and more.
_LIMITS: Final = (3.5e9, 70e9)


@dataclass(frozen=True, slots=True)
class GroupRow(SettingRow):
    """Large families against small ones, in one setting.

    Attributes:
        groups: The comparison.
    """

    groups: SizeGroups


def _rows(scored: ScoredStudy) -> Iterator[GroupRow]:
    """Every setting with a family in either group."""
    for key, found in by_setting(scored).items():
        groups = size_groups(*over_sizes(found), _LIMITS)
        if groups.small and groups.large:
            yield GroupRow(*key, groups)


_COLUMNS: Columns[GroupRow] = (
    *SETTING_COLUMNS,
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
    """Those with a difference, of settings that are shown."""
    is_shown = stands(study)
    rows = study.rows(SIZE_GROUPS)
    return [row for row in rows if is_shown(row) and not math.isnan(row.groups.difference.value)]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That large families have another gap than small ones."""
    for row in _shown(study):
        margin = study.margins.equivalence
        yield differs(Kind.SIZES, row.key, row.where, row.groups.difference, margin)


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
    return (
        f"{row.opening}{said[decision.answer]}: {points_range(groups.difference.estimate)} points "
        f"between {groups.large} of 70 billion parameters or more ({points(groups.large_mean)}) "
        f"and {groups.small} below 3.5 ({points(groups.small_mean)}), of {groups.lineages} "
        "lineages."
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
