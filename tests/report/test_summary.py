"""What a terminal shows at the end of a run, at three widths."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from distlab.report import build_report, render_terminal
from distlab.report.table import StudyTables
from tests.report.studies import write_run

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"
FIGURE = re.compile(r"[+−]?\d+\.\d \[[^\]]*\]")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    folder = tmp_path_factory.mktemp("runs")
    for family in ("qwen3-8b", "huge"):
        write_run(folder / family, family, ("zero-shot", "few-shot"), "a note", ("gsm8k",))
    return build_report(folder)


def shown(study: StudyTables, width: int) -> str:
    out = io.StringIO()
    render_terminal(study, Console(file=out, width=width))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_end_of_a_run_is_as_it_was_looked_at(study: StudyTables, width: int) -> None:
    assert shown(study, width) == (GOLDEN / f"{width}.txt").read_text(encoding="utf-8")


def test_no_figure_is_cut_and_no_line_too_long(study: StudyTables) -> None:
    whole = FIGURE.findall(shown(study, 200))
    assert len(whole) == 4
    for width in (60, 80, 100, 140):
        text = shown(study, width)
        assert FIGURE.findall(text) == whole
        assert max(map(len, text.splitlines())) <= width


def test_where_there_is_no_room_at_all_figures_stay_whole(study: StudyTables) -> None:
    assert FIGURE.findall(shown(study, 20)) == FIGURE.findall(shown(study, 200))
