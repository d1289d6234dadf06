from dataclasses import replace
from pathlib import Path

import pytest

from distlab.report import build_report
from distlab.report.question import Statement
from tests.report.answers import COT, WARM, answers
from tests.runs.written import Make, Samples, make_problem

SMALL, LARGE, MIDDLE = 1e9, 1e12, 1e10


def groups(
    make_run: Make, tmp_path: Path, sizes: dict[float, int], families: int, problems: int
) -> tuple[Statement, ...]:
    """Families of some sizes; of each size so many problems are solved by instruct."""
    items, runs = [make_problem(f"q{place:03d}") for place in range(problems)], []
    for size, solved in sizes.items():
        for place in range(families):
            cells = [replace(cell, family=f"f{size:.0f}x{place}") for cell in (COT, WARM)]
            rows = [
                Samples(cell, p.id, "0001" if at < count else "0000")
                for cell, count in zip(cells, (problems // 2, solved), strict=True)
                for at, p in enumerate(items)
            ]
            config = {"model": {"parameters": size}}
            run = make_run(cells, items, rows, config=config)
            runs.append(run.rename(tmp_path / f"run-{len(runs)}"))
    return answers(build_report(*runs), "size-groups")


def test_large_families_lie_further_towards_base(make_run: Make, tmp_path: Path) -> None:
    """What lies between has no say."""
    sizes = {SMALL: 40, MIDDLE: 20, LARGE: 2}
    said = groups(make_run, tmp_path, sizes, 4, 40)[0]
    assert "our figures: large families lie further towards base (p " in said.text
    assert "−95.0 (" in said.text
    assert "between 4 of 70 billion parameters or more (−45.0) and 4 below 3.5 (+50.0)" in said.text
    assert said.controls == ("The paper's figure: not published.",)


@pytest.mark.parametrize(
    ("sizes", "families", "problems", "words"),
    [
        ({SMALL: 120, LARGE: 120}, 4, 240, "have the same gap, within 5.0 points"),
        ({SMALL: 22, LARGE: 18}, 2, 40, "whether large and small families differ cannot be told"),
    ],
)
def test_groups_that_are_alike(
    make_run: Make,
    tmp_path: Path,
    sizes: dict[float, int],
    families: int,
    problems: int,
    words: str,
) -> None:
    assert words in groups(make_run, tmp_path, sizes, families, problems)[0].text


def test_one_group_alone_says_nothing(make_run: Make, tmp_path: Path) -> None:
    said = groups(make_run, tmp_path, {SMALL: 20, MIDDLE: 20}, 2, 40)
    assert said[0].text.startswith("Cannot be said: a comparison of ours needs a family of at most")
