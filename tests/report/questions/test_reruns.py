from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.report import build_report
from distlab.report.questions.reruns import RERUNS
from distlab.report.table import StudyTables
from distlab.store.cell import Cell
from tests.report.answers import answers
from tests.runs.written import Make, Samples, make_cell, make_problem

PROBLEMS = [make_problem(f"p{i:03d}") for i in range(200)]
COT, WARM = make_cell("base/cot", n=1), make_cell("instruct/t0.05", n=1)
# Which problems an arm solves.
Solved = Mapping[str, Sequence[int]]


def reported(make_run: Make, tmp_path: Path, runs: Sequence[Solved]) -> StudyTables:
    """A run for each, under seeds 0, 1, ...; what is not drawn again is of the first."""
    paths = []
    for seed, solved in enumerate(runs):
        cells = [_addressed(cell, seed if cell.arm in solved else 0) for cell in (COT, WARM)]
        all_solved = {**runs[0], **solved}
        rows = [
            Samples(cell, problem.id, str(int(place in all_solved[cell.arm])))
            for cell in cells
            for place, problem in enumerate(PROBLEMS)
        ]
        fields = {c.key: {"seed": seed if c.arm in solved else 0} for c in cells}
        run = make_run(cells, PROBLEMS, rows, run=str(seed), fingerprints=fields)
        paths.append(run.rename(tmp_path / f"run-{seed}"))
    return build_report(*paths)


def _addressed(cell: Cell, seed: int) -> Cell:
    return replace(cell, fingerprint=f"{cell.arm}-{seed}")


def test_a_gap_over_runs_and_its_arms(make_run: Make, tmp_path: Path) -> None:
    runs = [
        {COT.arm: range(60), WARM.arm: range(140)},
        {COT.arm: range(60), WARM.arm: range(2, 142)},
        {WARM.arm: range(4, 144)},
    ]
    study = reported(make_run, tmp_path, runs)
    rows = {row.what: row for row in study.rows(RERUNS)}
    assert set(rows) == {"instruct/t0.05 − base/cot", "base/cot", "instruct/t0.05"}
    gap = rows["instruct/t0.05 − base/cot"]
    assert gap.names == ("seed 0", "seed 1", "seed 2")
    assert [figure.value for figure in gap.found.figures] == pytest.approx([0.4] * 3)
    # The third run has the base arm of the first, which is one run of it and no more.
    assert rows["base/cot"].names == ("seed 0", "seed 1")
    (said,) = answers(study, "reruns")
    assert (
        "instruct/t0.05 − base/cot in pass@1 is +40.0 points in each of 3 runs (seed 0; seed 1; "
        "seed 2), over 200 problems that all have. Drawing again moves it by 0.8 (0.5 to 1.1) "
        "points (one standard deviation), a part of the standard error of 3.6 that one run has."
        in said.text
    )
    assert "No two runs differ by 5.0 points or more." in said.text
    assert "the instruct arm solves more (p < 0.001 after Holm" in said.text
    assert said.text.endswith("The same arm solves more in each run.")
    assert "Every problem has the same score in all of them." in said.controls[0]
    assert [record["run"] for record in RERUNS.as_records(study)][:3] == list(gap.names)


@pytest.mark.parametrize(
    ("solved", "sentences"),
    [
        (
            (range(100), range(60, 160)),
            (
                "Whether runs differ beyond the chance of draws cannot be told here.",
                "which arm solves more cannot be told here.",
                "Whether the same arm solves more in each run cannot be told here.",
            ),
        ),
        (
            (range(160), range(30)),
            (
                "The runs differ beyond the chance of draws (p < 0.001 after Holm",
                "Which arm solves more turns with the run (p < 0.001 after Holm",
            ),
        ),
        ((range(90), range(90)), ("both arms solve as much, within 5.0 points",)),
    ],
)
def test_what_is_said_of_runs(
    make_run: Make, tmp_path: Path, solved: Sequence[range], sentences: Sequence[str]
) -> None:
    first = {COT.arm: range(90), WARM.arm: solved[0]}
    study = reported(make_run, tmp_path, [first, {WARM.arm: solved[1]}])
    (said,) = answers(study, "reruns")
    assert all(sentence in said.text for sentence in sentences)


def test_runs_without_a_common_problem_cannot_say(make_run: Make, tmp_path: Path) -> None:
    paths = []
    for seed in (0, 1):
        cells = [_addressed(cell, seed) for cell in (COT, WARM)]
        mine = PROBLEMS[seed::2]
        rows = [Samples(cell, problem.id, "1") for cell in cells for problem in mine]
        fields = {cell.key: {"seed": seed} for cell in cells}
        run = make_run(cells, PROBLEMS, rows, run=str(seed), fingerprints=fields)
        paths.append(run.rename(tmp_path / f"run-{seed}"))
    (said,) = answers(build_report(*paths), "reruns")
    assert said.text == "Cannot be said: no problem has a score in every run of a cell."


def test_an_arm_that_alone_was_drawn_again(make_run: Make, tmp_path: Path) -> None:
    paths = []
    for seed, arms in enumerate([(COT, WARM), (COT,)]):
        cells = [_addressed(cell, seed) for cell in arms]
        rows = [Samples(cell, problem.id, "1") for cell in cells for problem in PROBLEMS[:9]]
        fields = {cell.key: {"seed": seed} for cell in cells}
        run = make_run(cells, PROBLEMS, rows, run=str(seed), fingerprints=fields)
        paths.append(run.rename(tmp_path / f"run-{seed}"))
    (said,) = answers(build_report(*paths), "reruns")
    assert said.text.startswith(
        "tiny on gsm-symbolic (zero-shot): base/cot in pass@1 is 100.0 per cent in each of 2 runs "
        "(seed 0; seed 1), over 9 problems that all have."
    )


def test_one_run_cannot_say(make_run: Make, tmp_path: Path) -> None:
    study = reported(make_run, tmp_path, [{COT.arm: range(9), WARM.arm: range(9)}])
    assert not study.rows(RERUNS)
    (said,) = answers(study, "reruns")
    assert said.text.startswith("Cannot be said: no cell was drawn and scored twice")
