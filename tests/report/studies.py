"""A study with something to say in every section, as a sweep over three families leaves it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa

from distlab.problems import Problem, write_problems
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.cache import commit
from distlab.scoring.verdict_schema import NULLS
from distlab.store.cell import Cell, ProblemFailure
from tests.runs.written import Samples, make_cell, make_problem, write_verdicts

HOSTILE = (
    "<script>window.owned = 1; console.error('owned')</script>"
    '<img src=x onerror="window.owned = 1"> | **b** `c` $\\frac{1}{2}$ \x1b[31m \u202e'
)
PAIRS = 40
FAMILIES = {"tiny": 1e9, "qwen3-8b": 8.2e9, "huge": 1e12}
# Share of problems that an arm solves; instruct falls behind with size and with perturbation.
_RATES = {"base/cot": 0.75, "base/t0.05": 0.45, "instruct/cot": 0.7, "instruct/t0.05": 0.55}
_SHIFTS = {"tiny": 0.25, "qwen3-8b": -0.05, "huge": -0.15}


def write_sweep(folder: Path) -> Path:
    """Write the run folders; returns ``folder``."""
    for job, family in enumerate(FAMILIES):
        write_run(folder / str(job), family, ("zero-shot", "few-shot"), HOSTILE)
    return folder


def write_run(
    path: Path,
    family: str,
    prompts: tuple[str, ...],
    note: str,
    datasets: tuple[str, ...] = ("gsm8k", "math-500", "math-perturb-hard"),
) -> None:
    """Write the run folder of one family, with ``note`` wherever a text is not ours."""
    run = RunFolder(path)
    run.path.mkdir(parents=True)
    problems = {name: list(_problems(name, note)) for name in datasets}
    for name, rows in problems.items():
        write_problems(run.problems(name), rows)
        _write_nulls(run.nulls(name), rows)
    cells = [
        replace(make_cell(arm, dataset), family=family, prompt=prompt)
        for arm, dataset, prompt in product(_RATES, problems, prompts)
    ]
    samples = [row for cell in cells for row in _samples(cell, problems[cell.dataset], note)]
    write_verdicts(run.verdicts, samples)
    run.write_manifest(
        Manifest(
            run=f"{path.name}-{family}",
            command=f"python -m distlab.run model={family}\n# {note}",
            store="store",
            cells=tuple(cells),
            failures=(ProblemFailure(cells[0].key, "gsm8k/0", note),),
            config={
                "model": {"parameters": FAMILIES[family]},
                "grader": {"use": {"standard": {}, "math-verify": {}}},
            },
            datasets={"gsm8k": {"rows": PAIRS, "notes": [note]}},
            versions={"vllm": "0.32.0"},
            timings_s={"sample": 1.25},
            notes=[note],
        )
    )


def _problems(dataset: str, note: str) -> Iterator[Problem]:
    side = {"math-500": "seed", "math-perturb-hard": "hard"}.get(dataset)
    for place in range(PAIRS):
        problem = make_problem(
            f"{dataset}/{place}", dataset, f"p{place}" if side else None, side, f"c{place // 2}"
        )
        level = "5" if dataset == "math-perturb-hard" else str(4 + place % 2)
        yield replace(
            problem, strata={"level": level, "subject": HOSTILE if place % 2 else "Algebra"}
        )


def _write_nulls(file: Path, problems: list[Problem]) -> None:
    rows = [
        {
            "problem_id": problem.id,
            "answer": answer,
            "grader": grader,
            "verdict": "correct" if answer == 7 and place % 4 == 0 else "incorrect",
        }
        for place, problem in enumerate(problems)
        for grader in ("standard", "math-verify")
        for answer in range(20)
    ]
    file.parent.mkdir(exist_ok=True)
    commit(pa.Table.from_pylist(rows, schema=NULLS), file)


def _samples(cell: Cell, problems: list[Problem], note: str) -> Iterator[Samples]:
    rng = np.random.default_rng(len(cell.key))
    shift = _SHIFTS[cell.family] * (cell.variant == "instruct")
    rate = _RATES[cell.arm] + shift - 0.2 * (cell.dataset == "math-perturb-hard")
    for place, problem in enumerate(problems):
        solved = rng.random() < rate
        marks = "".join(rng.choice(list("10-" if solved else "00-"), cell.n))
        marks = f"1{marks[1:]}" if solved else marks
        strict = marks.replace("1", "0") if place % 9 == 0 else marks
        answers = tuple({"1": "7", "-": None}.get(mark, note) for mark in marks)
        for grader, verdicts in (("standard", marks), ("math-verify", strict)):
            yield Samples(
                cell,
                problem.id,
                verdicts,
                answers=answers,
                deltas=(0.5,) * cell.n if cell.kind == "cot" else None,
                grader=grader,
                start=100 if place % 3 else 2,
                truncated=cell.variant == "base" and place % 5 == 0,
            )
