import pytest

from distlab.analysis.claims import MARGINS, Margins
from distlab.errors import UserError
from distlab.report.margins import AS_CONFIGURED, AskedMargins
from distlab.runs.manifest import Manifest


def run(name: str, **report: float) -> Manifest:
    return Manifest(name, "command", "store", (), config={"report": report} if report else {})


def test_margins_are_those_of_the_config() -> None:
    found = AS_CONFIGURED.settle([run("a", margin=0.03, replication_margin=0.2)])
    assert found == Margins(equivalence=0.03, replication=0.2)


def test_runs_without_the_key_have_the_usual_ones() -> None:
    assert AS_CONFIGURED.settle([run("a"), run("b", margin=0.05)]) == MARGINS


def test_what_is_asked_for_goes_first() -> None:
    asked = AskedMargins(equivalence=0.01)
    found = asked.settle([run("a", margin=0.03), run("b", margin=0.04)])
    assert found == Margins(equivalence=0.01, replication=MARGINS.replication)


def test_runs_with_two_margins_share_no_report() -> None:
    with pytest.raises(UserError, match=r"have `report.margin` at 0\.03 and 0\.04, .* --margin"):
        AS_CONFIGURED.settle([run("a", margin=0.03), run("b", margin=0.04)])
