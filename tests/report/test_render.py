import io
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from distlab.report import build_report, render_terminal
from distlab.report.__main__ import main
from distlab.report.findings import findings
from distlab.report.markdown_report import render_markdown
from distlab.report.questions.order import QUESTIONS
from distlab.store.cell import ProblemFailure
from tests.runs.written import Make, Samples, make_cell, make_problem

COT = make_cell("base/cot", n=20)
WARM = make_cell("instruct/t0.05", n=20)


@pytest.fixture
def run(make_run: Make) -> Path:
    problems = []
    for i in range(6):
        problems.append(make_problem(f"s{i}", pair=f"p{i}", side="seed"))
        problems.append(make_problem(f"t{i}", pair=f"p{i}", side="twin"))
    rows = [
        Samples(cell, p.id, ("1" if place % step else "0") * 20, grader=grader)
        for cell, step in ((COT, 5), (WARM, 2))
        for place, p in enumerate(problems[:-1])
        for grader in ("standard", "math-verify")
    ]
    hostile = "<script>alert(1)</script> | \x1b[31m\n[red]too long[/red] \ud800"
    return make_run(
        [COT, WARM],
        problems,
        rows,
        [ProblemFailure(WARM.key, "t5", hostile)],
        notes=["one packaged checkpoint under both protocols", "[/x] \x1b[2J"],
        versions={"vllm": "0.32.0", "distlab_commit": "abc"},
        datasets={"gsm-symbolic": {"rows": 12, "notes": ["<img src=x>"]}},
        timings_s={"sample": 1.25},
        command="python -m distlab.run\n# injected",
    )


def report(run: Path) -> str:
    tables = build_report(run)
    return render_markdown(tables, findings(tables))


def printed(run: Path, width: int = 160) -> str:
    out = io.StringIO()
    render_terminal(build_report(run), Console(file=out, width=width, force_terminal=True))
    return out.getvalue()


def test_report_has_every_section(run: Path) -> None:
    text = report(run)
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    asked = [question.text for question in QUESTIONS if question.name != "ladder"]
    # Questions that this run cannot answer stand in one list, with the reason.
    unanswered = [each for each in asked if f"- **{each}** Cannot be said: " in text]
    assert unanswered
    assert titles == [
        *(each for each in asked if each not in unanswered),
        "What cannot be said",
        "Failed problems",
        "What the columns mean",
        "Methods",
        "Cells",
        "Datasets",
        "Versions and timings",
    ]
    assert "| Pass@20 |" in text
    assert "one packaged checkpoint under both protocols" in text
    assert "f00d" in text
    assert "0.32.0" in text


def test_tables_are_rectangular(run: Path) -> None:
    lines = report(run).splitlines()
    for above, line in pairwise(lines):
        if above.startswith("|") and line.startswith("|"):
            assert above.count("|") == line.count("|")


def test_hostile_text_stays_text(run: Path) -> None:
    text = report(run)
    # The command stands in a code block, where nothing is markup.
    prose = text.replace("    python -m distlab.run", "")
    for part in ("<script", "<img", "\x1b", "\n# injected"):
        assert part not in prose
    shown = printed(run)
    assert "\x1b[2J" not in shown
    assert r"[/x] \x1b[2J" in shown


def test_terminal_tables(run: Path) -> None:
    shown = printed(run)
    for part in ("Pass@20", "pass@1", "base/cot", "gap", "cut"):
        assert part in shown
    assert "11 of 12" in shown


def test_the_default_study_fits_eighty_columns(run: Path) -> None:
    assert "…" not in printed(run, width=80)


def test_narrow_terminal_does_not_raise(run: Path) -> None:
    assert printed(run, width=20)


def test_runs_that_say_little_still_render(make_run: Make) -> None:
    single = make_cell("instruct/t0.05", n=1)
    for rows in ([], [Samples(single, "a", "1")]):
        run = make_run([single], [make_problem("a")], rows)
        assert "## What cannot be said" in report(run)
        assert "Note:" in printed(run)


def test_no_cells_and_no_problems(make_run: Make) -> None:
    assert printed(make_run([], []))
    assert printed(make_run([COT], []))


def test_main(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run)]) == 0
    assert "report.html" in capsys.readouterr().out.replace("\n", "")
    for name in ("report.html", "report.md", "results/gaps.csv", "results/figures/gaps-0.svg"):
        assert (run / name).stat().st_size > 0


def test_main_names_bad_input_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "manifest.json" in error
    assert error.count("\n") == 1


def test_main_needs_a_place_for_several_runs(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run), str(run)]) == 2
    assert "--into" in capsys.readouterr().err
