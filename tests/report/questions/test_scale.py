from dataclasses import replace
from pathlib import Path

from distlab.report import build_report
from distlab.report.charts.kinds import SizeChart, size_ticks
from distlab.report.table import StudyTables
from tests.report.answers import COT, PROBLEMS, WARM, answers, arm, chart_of
from tests.runs.written import Make, Samples, make_problem


def trend(
    make_run: Make,
    tmp_path: Path,
    families: int,
    *,
    step: int,
    problems: int = 40,
    growth: float = 10.0,
) -> str:
    """The answer over families of ever more parameters, of which instruct solves ever fewer."""
    items, runs = [make_problem(f"q{place}") for place in range(problems)], []
    for place in range(families):
        cells = [replace(cell, family=f"f{place}") for cell in (COT, WARM)]
        solved = (problems // 2, problems // 2 - step * place - 1)
        rows = [
            Samples(cell, p.id, "0001" if at < count else "0000")
            for cell, count in zip(cells, solved, strict=True)
            for at, p in enumerate(items)
        ]
        config = {"model": {"parameters": 1e8 * growth**place}}
        run = make_run(cells, items, rows, config=config)
        runs.append(run.rename(tmp_path / f"run-{place}"))
    return answers(build_report(*runs), "scale")[0].text


def test_a_trend_over_families(make_run: Make, tmp_path: Path) -> None:
    said = trend(make_run, tmp_path, 9, step=2)
    assert "our figures: the gap moves towards base with size (p = 0.0" in said
    assert "over 9 families of 9 lineages, from 100 M to 1e+04 T parameters." in said


def test_a_trend_that_cannot_be_told(make_run: Make, tmp_path: Path) -> None:
    said = trend(make_run, tmp_path, 4, step=2)
    assert "our figures: whether the gap moves with size cannot be told here" in said


def test_no_trend(make_run: Make, tmp_path: Path) -> None:
    said = trend(make_run, tmp_path, 8, step=0, problems=80)
    assert "our figures: the gap moves less than 5.0 points for ten times the size" in said


def test_a_trend_says_what_sizes_it_is_of(make_run: Make, tmp_path: Path) -> None:
    said = trend(make_run, tmp_path, 4, step=2, growth=1.2)
    assert said.endswith(
        "from 100 M to 173 M parameters: less than ten times, so the figure goes beyond what was "
        "measured."
    )


def test_sizes_of_one_lineage_are_counted_once(make_run: Make, tmp_path: Path) -> None:
    runs = []
    for family, size in (("qwen3-0.6b", 6e8), ("qwen3-8b", 8e9), ("qwen3-14b", 1.4e10)):
        cells = [replace(cell, family=family) for cell in (COT, WARM)]
        rows = [*arm(cells[0], 20), *arm(cells[1], 18)]
        run = make_run(cells, PROBLEMS, rows, config={"model": {"parameters": size}})
        runs.append(run.rename(tmp_path / family))
    said = answers(build_report(*runs), "scale")
    assert said[0].text.startswith("Cannot be said: a trend of ours needs three lineages")


def test_gaps_of_ours_and_of_the_paper_stand_at_their_sizes(full_study: StudyTables) -> None:
    scale = chart_of(full_study, "scale")
    assert isinstance(scale, SizeChart)
    ours = {size for panel in scale.panels for sizes in panel.sizes for size in sizes}
    assert ours == {8.2e9}
    everyone = chart_of(replace(full_study, paper="all"), "scale")
    assert isinstance(everyone, SizeChart)
    assert [panel.title for panel in everyone.panels] == [
        *(panel.title for panel in scale.panels),
        "medcalc",
    ]
    assert "kimi-k2" in {name for _, name in size_ticks(everyone.panels[0])}
