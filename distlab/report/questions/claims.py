"""What does this report assert, and how sure is it of all of that at once?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from distlab.analysis.claims import ALPHA, Answer, Family, Kind
from distlab.errors import counted
from distlab.report.question import Question, Statement, cannot_say
from distlab.report.table import ScoredStudy, StudyTables, Table, Term
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import p_value, percent


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of the study's family with its answer.

    Attributes:
        claim: What is claimed.
        subject: What of.
        answer: What holds over the whole family.
        p_yes: p that speaks for yes, alone.
        holm_yes: The same, adjusted over the family.
        p_no: p that speaks for no, alone; NaN where there is no such test.
        holm_no: The same, adjusted over the family.
    """

    claim: Kind
    subject: str
    answer: Answer
    p_yes: float
    holm_yes: float
    p_no: float
    holm_no: float


def claim_rows(family: Family) -> Iterator[ClaimRow]:
    """One row per claim, in the order of the questions."""
    for decision in family.decisions.values():
        claim = decision.claim
        yield ClaimRow(
            claim=claim.kind,
            subject=claim.subject,
            answer=decision.answer,
            p_yes=claim.yes,
            holm_yes=decision.yes,
            p_no=claim.no,
            holm_no=decision.no,
        )


def _undecided(_: ScoredStudy) -> tuple[ClaimRow, ...]:
    """None: claims are decided once the rows of all other tables are there."""
    return ()


_COLUMNS: Columns[ClaimRow] = (
    label("claim", lambda row: row.claim),
    label("of", lambda row: row.subject),
    label("answer", lambda row: row.answer),
    Column("p, yes", lambda row: p_value(row.p_yes)),
    Column("Holm, yes", lambda row: p_value(row.holm_yes)),
    Column("p, no", lambda row: p_value(row.p_no)),
    Column("Holm, no", lambda row: p_value(row.holm_no)),
)
CLAIMS = Table("claims", "Everything that this report may assert", _undecided, _COLUMNS)


def _statements(study: StudyTables) -> Iterator[Statement]:
    """The family, by its answers."""
    rows = study.rows(CLAIMS)
    if not rows:
        yield cannot_say("nothing was compared, so nothing is asserted")
        return
    counts = Counter(row.answer for row in rows)
    listed = ", ".join(f"{answer} {counts[answer]}" for answer in Answer)
    margins = study.margins
    yield Statement(
        f"The report makes {counted(len(rows), 'claim')}, decided together as one family of "
        f"{counted(study.family.tests, 'test')} "
        f"with Holm's adjustment: {listed}. The chance that any yes or no of this report is false "
        f"is at most {percent(ALPHA)} per cent.",
        (
            f"Differences within {percent(margins.equivalence)} points count as none, and within "
            f"{percent(margins.replication)} points of the paper's figures.",
        ),
    )


_TERMS: Final[tuple[Term, ...]] = (
    (
        "p, yes; p, no; Holm",
        "p of the null hypothesis that the answer yes, or no, must reject; the same adjusted over "
        "all tests of the report. An answer is given where its adjusted p is below 0.05; else it "
        "is cannot tell.",
    ),
)
QUESTION = Question(
    name="claims",
    text="How sure is all of this at once?",
    tables=(CLAIMS,),
    statements=_statements,
    terms=_TERMS,
)
