import pytest

from distlab.report import build_report
from distlab.report.table import StudyTables
from tests.report.studies import HOSTILE, write_run
from tests.runs.written import make_run

__all__ = ["make_run"]


@pytest.fixture(scope="session")
def full_study(tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    """One family's study with something to say on every question but size."""
    run = tmp_path_factory.mktemp("study") / "run"
    write_run(run, "qwen3-8b", ("zero-shot", "few-shot"), HOSTILE)
    return build_report(run)
