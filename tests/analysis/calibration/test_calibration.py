"""Every kind of claim is false as rarely as it says; see ``__main__`` for the whole grid."""

import ast
from pathlib import Path

import pytest

import distlab.report
from distlab.analysis.claims import Answer, Kind
from tests.analysis.calibration.nulls import Design, nulls
from tests.analysis.calibration.page import Page, measured
from tests.analysis.calibration.rates import measure, most_allowed

STUDIES = 60
# Per cell, below which docs/calibration.md shows no rate.
STUDIES_OF_PAGE = 40
# Few discordant problems, strong correlation within few sources, and plenty of both.
DESIGNS = (
    Design(30, 0.05, 0.0, shared=False),
    Design(100, 0.5, 0.3, shared=True),
    Design(279, 0.95, 0.1, shared=True),
)
REPORT = Path(distlab.report.__file__).parent


def test_every_kind_of_claim_has_a_null_for_either_answer() -> None:
    simulated = {(null.kind, null.false) for null in nulls()}
    assert simulated == {(kind, answer) for kind in Kind for answer in (Answer.YES, Answer.NO)}


def test_every_null_has_its_rates_on_the_page() -> None:
    page = Page.read()
    assert not [null for null in nulls() if not measured(page, null, STUDIES_OF_PAGE)]


def test_the_report_asserts_by_claims_alone() -> None:
    """No module of the report reads a p, or holds an interval's end against zero."""
    for file in REPORT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare):
                names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                assert not names & {"low", "high", "p", "yes", "no"}, (file.name, node.lineno)


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_false_answers_are_rare(design: Design) -> None:
    most = most_allowed(STUDIES)
    found = [(null, measure(null, design, STUDIES)) for null in nulls()]
    high = [(null.kind, null.what, rate) for null, rate in found if rate.false > most]
    assert not high
