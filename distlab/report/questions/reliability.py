"""How reliably are problems solved?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import Claim, Kind, differs
from distlab.analysis.estimate import Estimate
from distlab.analysis.gaps import Gap, paired_gap
from distlab.analysis.shares import solved_interval
from distlab.errors import counted
from distlab.report.gap_table import PAIRED_COLUMNS
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.report.wording import between, judge_name, who_solves_more
from distlab.runs.scored import Judge
from distlab.store.cell import Cell
from distlab.tables.column import Column, Columns, label
from distlab.tables.flat import Record, flat
from distlab.tables.numbers import percent_interval, points_interval, points_range

# Shares of the samples that are shown, and the one by which arms are compared (ours).
_TAUS: Final = (0.25, 0.5, 0.75, 1.0)
_COMPARED: Final = 0.5


@dataclass(frozen=True, slots=True)
class CoverRow:
    """Problems that a cell solves in at least some share of its samples.

    Attributes:
        cell: The cell.
        judge: Extractor and grader.
        pass_n: Share of problems with any correct sample.
        covers: cover@tau for every tau that is shown.
    """

    cell: Cell
    judge: Judge
    pass_n: Estimate
    covers: tuple[Estimate, ...]


def _cover_rows(scored: ScoredStudy) -> Iterator[CoverRow]:
    for (_, judge), row in scored.whole.items():
        if row.table.cell.n > 1:
            sources = row.table.sources
            yield CoverRow(
                row.table.cell,
                judge,
                solved_interval(row.pass_at(row.table.cell.n), sources),
                tuple(solved_interval(row.cover_at(tau), sources) for tau in _TAUS),
            )


def _cover(place: int) -> Column[CoverRow]:
    return Column(f"cover@{_TAUS[place]:g} (95 %)", lambda row: percent_interval(row.covers[place]))


_COVER_COLUMNS: Columns[CoverRow] = (
    label("cell", lambda row: row.cell.key),
    label("judge", lambda row: judge_name(row.judge)),
    Column("n", lambda row: str(row.cell.n)),
    Column("Pass@n (95 %)", lambda row: percent_interval(row.pass_n)),
    *map(_cover, range(len(_TAUS))),
)


def _cover_records(row: CoverRow) -> Iterator[Record]:
    """One record per tau."""
    labels = dict(flat("cell", row.cell)) | dict(flat("judge", row.judge))
    yield from (
        {**labels, "tau": tau, **dict(flat("cover", cover))}
        for tau, cover in zip(_TAUS, row.covers, strict=True)
    )


COVERS = Table(
    "covers", "Problems solved reliably, per cent", _cover_rows, _COVER_COLUMNS, _cover_records
)


@dataclass(frozen=True, slots=True)
class ReliableGapRow:
    """The study's gap in cover@tau at the tau by which arms are compared.

    Attributes:
        base: The study's base arm.
        instruct: The study's instruct arm.
        judge: Extractor and grader.
        metric: Name of the score, as in "cover@0.5".
        gap: Over all problems scored in both arms.
    """

    base: Cell
    instruct: Cell
    judge: Judge
    metric: str
    gap: Gap

    @property
    def key(self) -> tuple[Cell, Cell, Judge]:
        """Under which it is claimed that one arm solves more."""
        return self.base, self.instruct, self.judge


def _gap_rows(scored: ScoredStudy) -> Iterator[ReliableGapRow]:
    for pair, judge, base, instruct in scored.own_arms():
        early = pair.base.stops_early or pair.instruct.stops_early
        if early or min(pair.base.n, pair.instruct.n) == 1:
            continue
        covers = base.cover_at(_COMPARED), instruct.cover_at(_COMPARED)
        gap = paired_gap(*covers, base.table.sources)
        yield ReliableGapRow(pair.base, pair.instruct, judge, f"cover@{_COMPARED:g}", gap)


_GAP_COLUMNS: Columns[ReliableGapRow] = (
    *PAIRED_COLUMNS,
    Column("gap (95 %)", lambda row: points_interval(row.gap.difference.estimate)),
)
RELIABLE_GAPS = Table(
    "reliable_gaps", "Gap in problems solved reliably, in points", _gap_rows, _GAP_COLUMNS
)


def _headline_rows(study: StudyTables) -> list[ReliableGapRow]:
    rows = study.rows(RELIABLE_GAPS)
    return [row for row in rows if study.is_headline(row.instruct, row.judge) and row.gap.problems]


def _claims(study: StudyTables) -> Iterator[Claim]:
    """That one arm solves more problems in at least half of its samples."""
    for row in _headline_rows(study):
        where, margin = (
            f"{between(row.base, row.instruct)}, {row.metric}",
            study.margins.equivalence,
        )
        yield differs(Kind.RELIABLE, row.key, where, row.gap.difference, margin)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """Who solves more reliably, and what each arm covers at every tau."""
    rows = _headline_rows(study)
    if not rows:
        yield cannot_say("no two arms have several samples per problem, all of them drawn")
    yield from (_statement(study, row) for row in rows)


def _statement(study: StudyTables, row: ReliableGapRow) -> Statement:
    decision = study.decision(Kind.RELIABLE, row.key)
    margin = study.margins.equivalence
    told = who_solves_more(
        decision, (row.base, row.instruct), margin, "which arm solves more reliably"
    )
    covers = [
        found
        for found in study.rows(COVERS)
        if found.cell in (row.base, row.instruct) and found.judge == row.judge
    ]
    where = between(row.base, row.instruct)
    return Statement(
        f"{where}: counting a problem as solved where at least half of its samples are correct, "
        f"{told}. {row.metric} of {row.instruct.arm} minus {row.base.arm} is "
        f"{points_range(row.gap.difference.estimate)} points over "
        f"{counted(row.gap.problems, 'problem')} "
        f"({judge_name(row.judge)}).",
        tuple(map(_listed, covers)),
    )


def _listed(row: CoverRow) -> str:
    """As in "base/cot: Pass@20 97.7 [96.7, 98.4], cover@0.25 ..."."""
    covers = ", ".join(
        f"cover@{tau:g} {percent_interval(cover)}"
        for tau, cover in zip(_TAUS, row.covers, strict=True)
    )
    return f"{row.cell.arm}: Pass@{row.cell.n} {percent_interval(row.pass_n)}, {covers}."


_TERMS: Final[tuple[Term, ...]] = (
    (
        "cover@tau",
        "share of problems of which at least the share tau of all n samples is correct (arXiv "
        "2510.08325); tau = 1/n is Pass@n. CoT-decoding's samples are its branches, of which each "
        "counts once.",
    ),
)
QUESTION = Question(
    name="reliability",
    text="How reliably are problems solved?",
    tables=(COVERS, RELIABLE_GAPS),
    statements=_statements,
    claims=_claims,
    terms=_TERMS,
)
