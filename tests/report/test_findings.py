from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.report import build_report, write_report
from distlab.report.findings import findings
from distlab.report.markdown_report import render_markdown
from distlab.report.question import Finding
from distlab.store.cell import ProblemFailure
from tests.report.answers import COT, PROBLEMS, WARM, arm
from tests.runs.written import Make, Samples


def nothing(make_run: Make) -> Path:
    return make_run([], [])


def no_verdicts(make_run: Make) -> Path:
    return make_run([COT, WARM], PROBLEMS)


def one_cell_missing(make_run: Make) -> Path:
    return make_run([COT, WARM], PROBLEMS, arm(COT, 30))


def one_arm(make_run: Make) -> Path:
    return make_run([WARM], PROBLEMS, arm(WARM, 30))


def one_sample(make_run: Make) -> Path:
    cells = [replace(cell, n=1) for cell in (COT, WARM)]
    rows = [Samples(cell, p.id, "1") for cell in cells for p in PROBLEMS[:3]]
    return make_run(cells, PROBLEMS[:3], rows)


def one_problem(make_run: Make) -> Path:
    rows = [Samples(COT, "p00", "0001"), Samples(WARM, "p00", "0000")]
    return make_run([COT, WARM], PROBLEMS[:1], rows)


def all_failed(make_run: Make) -> Path:
    failures = [ProblemFailure(c.key, p.id, "too long") for c in (COT, WARM) for p in PROBLEMS]
    return make_run([COT, WARM], PROBLEMS, [Samples(COT, "p00", "1")], failures)


def no_problem_in_common(make_run: Make) -> Path:
    rows = [*arm(COT, 30)[:20], *arm(WARM, 30)[20:]]
    return make_run([COT, WARM], PROBLEMS, rows)


def no_answers(make_run: Make) -> Path:
    rows = [Samples(cell, p.id, "----") for cell in (COT, WARM) for p in PROBLEMS]
    return make_run([COT, WARM], PROBLEMS, rows)


@pytest.mark.parametrize(
    ("study", "sentences"),
    [
        (nothing, ["No verdict is stored"]),
        (no_verdicts, ["No verdict is stored"]),
        (one_cell_missing, [f"{WARM.key} has no verdicts", "there is no perturbation drop"]),
        (one_arm, ["has one variant only", "One family was run"]),
        (one_sample, ["has one sample per problem"]),
        (one_problem, ["One grader was used"]),
        (all_failed, ["One extractor was used"]),
        (no_problem_in_common, ["there is no perturbation drop"]),
        (no_answers, ["there is no perturbation drop"]),
    ],
)
def test_a_study_that_says_little_says_what_it_cannot(
    make_run: Make, tmp_path: Path, study: Callable[[Make], Path], sentences: Sequence[str]
) -> None:
    tables = build_report(study(make_run))
    answered: tuple[Finding, ...] = findings(tables)
    assert all(finding.statements for finding in answered)
    for sentence in sentences:
        assert any(sentence in cannot for cannot in tables.cannot)
    text = render_markdown(tables, answered)
    assert "nan" not in text
    page = write_report(tmp_path / "report", tables).read_text(encoding="utf-8")
    for finding in answered:
        assert finding.question in page.replace("&#39;", "'")
        assert finding.question in text
    assert "solves more. " not in text
