from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distlab.report import build_report
from distlab.report.questions.prompts import PROMPTS
from distlab.report.questions.spread import SPREAD
from distlab.runs.styles import Varied
from distlab.store.cell import Cell
from tests.report.answers import answers
from tests.report.prompted import fields
from tests.runs.written import Make, Samples, make_cell, make_problem

PROBLEMS = [make_problem(f"p{i:03d}") for i in range(200)]
WORDINGS = ("zero-shot", "wording-1", "wording-2", "wording-3")


def written(
    make_run: Make, cells: Mapping[Cell, int], prompts: Mapping[str, dict[str, str]]
) -> Path:
    """A run whose cells solve so many of the first problems."""
    rows = [
        Samples(cell, problem.id, "0001" if place < solved else "0000")
        for cell, solved in cells.items()
        for place, problem in enumerate(PROBLEMS)
    ]
    prints = {cell.key: fields(cell, **prompts.get(cell.prompt, {})) for cell in cells}
    return make_run(list(cells), PROBLEMS, rows, fingerprints=prints)


def wordings(make_run: Make, base: Sequence[int], instruct: Sequence[int]) -> Path:
    cells = {
        replace(make_cell(arm), prompt=prompt): count
        for arm, solved in (("base/cot", base), ("instruct/t0.05", instruct))
        for prompt, count in zip(WORDINGS, solved, strict=True)
    }
    return written(make_run, cells, {name: {"instruction": f"{name}!"} for name in WORDINGS})


def test_the_spread_over_wordings_of_arms_and_gap(make_run: Make) -> None:
    study = build_report(wordings(make_run, (100, 110, 60, 150), (120, 110, 140, 130)))
    rows = {row.what: row for row in study.rows(SPREAD)}
    assert set(rows) == {"base/cot", "instruct/t0.05", "instruct/t0.05 − base/cot"}
    gap = rows["instruct/t0.05 − base/cot"].found
    assert gap.means == pytest.approx([0.1, 0.0, 0.4, -0.1])
    (said,) = answers(study, "spread")
    assert "4 wordings: instruct/t0.05 − base/cot in Pass@4 is −10.0 to +40.0 points" in said.text
    assert "instruct leads under 50.0 per cent of them. It moves with the wording (p" in said.text
    assert "base/cot in Pass@4 is 30.0 to 75.0 per cent, median 52.5" in said.controls[0]
    # What is in the spread is not asked again, prompt by prompt.
    assert not study.rows(PROMPTS)
    records = SPREAD.as_records(study)
    assert [record["prompt"] for record in records[:4]] == list(WORDINGS)


@pytest.mark.parametrize(
    ("base", "sentence"),
    [
        ((100,) * 4, "Under no two of them does it differ by 5.0 points or more"),
        ((100, 104, 98, 101), "Whether it moves with the wording cannot be told here"),
    ],
)
def test_what_does_not_move_and_what_cannot_be_told(
    make_run: Make, base: Sequence[int], sentence: str
) -> None:
    (said,) = answers(build_report(wordings(make_run, base, (100,) * 4)), "spread")
    assert any(sentence in text for text in (said.text, *said.controls))


def test_draws_of_exemplars_are_a_set_and_other_shots_are_not(make_run: Make) -> None:
    prompts = {
        f"exemplars-{seed}": {"shots": "8", "seed": str(seed), "exemplars": f'["e{seed}"]'}
        for seed in range(3)
    }
    cells = {replace(make_cell(), prompt=prompt): 100 for prompt in (*prompts, "zero-shot")}
    study = build_report(written(make_run, cells, prompts))
    (row,) = study.rows(SPREAD)
    assert row.varied is Varied.EXEMPLARS
    assert [cell.prompt for cell in row.cells] == list(prompts)
    assert [row.second.prompt for row in study.rows(PROMPTS)] == ["zero-shot"]


def test_temperatures_are_a_set_and_other_decodings_are_not(make_run: Make) -> None:
    arms = [f"{v}/{t}" for v in ("base", "instruct") for t in ("t0.05", "t0.4", "t1.0", "cot")]
    cells = {make_cell(arm): 80 if arm.startswith("base") else 120 for arm in arms}
    study = build_report(written(make_run, cells, {}))
    rows = {row.what: row for row in study.rows(SPREAD)}
    assert set(rows) == {"base", "instruct", "instruct − base"}
    assert rows["instruct − base"].found.means == pytest.approx([0.2, 0.2, 0.2])
    (said,) = answers(study, "spread")
    assert "3 temperatures: instruct − base in Pass@4 is +20.0 to +20.0 points" in said.text


def test_two_settings_are_no_set_and_runs_that_say_nothing_have_none(make_run: Make) -> None:
    cells = {replace(make_cell(), prompt=name): 100 for name in WORDINGS[:2]}
    study = build_report(written(make_run, cells, {"wording-1": {"instruction": "?"}}))
    assert not study.rows(SPREAD)
    (said,) = answers(study, "spread")
    assert said.text.startswith("Cannot be said: no three cells differ")
