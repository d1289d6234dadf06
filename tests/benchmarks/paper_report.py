"""CPU time of the report of the paper's whole study, with made-up verdicts of 2 million samples.

``python -m tests.benchmarks.paper_report FOLDER [SHARE]`` writes the runs of SHARE of the problems
(1) into a folder that is not there, and their report.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.analysis.arrays import FloatArray
from distlab.problems import Gold, GoldKind, Problem, write_problems
from distlab.report import build_report, write_report
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.cache import commit
from distlab.scoring.verdict_schema import NULLS, VERDICTS
from distlab.store.cell import Cell
from tests.runs.written import make_cell

FAMILIES: Final = {
    "qwen3-0.6b": 0.6e9,
    "qwen3-8b": 8.2e9,
    "qwen3-14b": 14.8e9,
    "smollm-3b": 3.1e9,
    "llama3-3b": 3.2e9,
    "llama3-70b": 70.6e9,
    "deepseek-v3.1": 671e9,
    "kimi-k2": 1.04e12,
}
PROBLEMS: Final = {"gsm8k": 1319, "medcalc": 1047, "math-500": 500, "math-perturb-hard": 279}
PROMPTS: Final = ("zero-shot", "few-shot")
ARMS: Final = ("base/cot", "instruct/t0.05")
GRADERS: Final = ("standard", "math-verify")
N: Final = 20
# Log odds of a problem of middling difficulty.
EASE: Final = {"gsm8k": 1.2, "medcalc": -0.6, "math-500": 0.4, "math-perturb-hard": -0.6}


def write_study(folder: Path, share: float = 1.0) -> None:
    """A run folder per family below ``folder``."""
    dice = np.random.default_rng(0)
    problems = {name: list(_problems(name, int(n * share))) for name, n in PROBLEMS.items()}
    hard = {name: dice.normal(0, 1.5, len(rows)) for name, rows in problems.items()}
    for job, (family, parameters) in enumerate(FAMILIES.items()):
        run = RunFolder(folder / str(job))
        run.verdicts.mkdir(parents=True)
        cells = []
        for name, rows in problems.items():
            write_problems(run.problems(name), rows)
            _write_nulls(run.nulls(name), rows)
            for prompt in PROMPTS:
                for arm in ARMS:
                    cell = replace(make_cell(arm, name, N), family=family, prompt=prompt)
                    odds = EASE[name] + 0.45 * (np.log10(parameters) - 9) - hard[name]
                    _write_verdicts(run, cell, rows, odds, dice)
                    cells.append(cell)
        config = {"model": {"parameters": parameters}, "grader": {"use": dict.fromkeys(GRADERS)}}
        command = f"python -m distlab.run model={family}"
        made = Manifest(f"{job}-{family}", command, "store", tuple(cells), config=config)
        run.write_manifest(replace(made, notes=["made-up verdicts"]))


def _problems(dataset: str, size: int) -> Iterator[Problem]:
    """MedCalc's share 55 sources; the first of MATH-500 are seeds of MATH-Perturb's."""
    for place in range(size):
        name = f"{dataset}/{place}"
        source = f"calculator-{place % 55}" if dataset == "medcalc" else name
        problem = Problem(name, dataset, f"What is {place}?", Gold(GoldKind.NUMBER, "7"), source)
        if dataset == "math-perturb-hard":
            problem = replace(problem, pair=f"m{place}", side="hard", strata={"level": "5"})
        elif dataset == "math-500":
            problem = replace(problem, strata={"level": str(1 + place % 5)})
            if place < size // 40:
                problem = replace(problem, pair=f"m{place}", side="seed")
        yield problem


def _write_nulls(file: Path, problems: list[Problem]) -> None:
    file.parent.mkdir(exist_ok=True)
    size = 20 * len(problems)
    answers = np.tile(np.arange(20), len(problems))
    lucky = np.repeat(np.arange(len(problems)) * 7 % 60, 20)
    columns = {
        "problem_id": np.repeat([problem.id for problem in problems], 20),
        "answer": answers,
        "verdict": np.where(lucky == answers, "correct", "incorrect"),
    }
    tables = [_table({**columns, "grader": [grader] * size}, NULLS) for grader in GRADERS]
    commit(pa.concat_tables(tables), file)


def _write_verdicts(
    run: RunFolder, cell: Cell, problems: list[Problem], odds: FloatArray, dice: np.random.Generator
) -> None:
    """Base draws answers that differ, instruct nearly one answer per problem, as at T = 0.05."""
    is_base, count = cell.variant == "base", len(problems)
    rate = 1 / (1 + np.exp(-odds - (0 if is_base else 0.9)))
    if is_base:
        solved = dice.random((count, N)) < 0.75 * rate[:, None]
    else:
        once = np.repeat(dice.random(count) < rate, N).reshape(count, N)
        solved = once ^ (dice.random((count, N)) < 0.03)
    size = count * N
    cut = dice.random(size) < (0.06 if is_base else 0.02)
    right = solved.ravel() & ~cut
    empty = ~right & (dice.random(size) < (0.3 if is_base else 0.1))
    answers = np.where(right, 7, dice.integers(8, 60, size))
    verdict = np.where(empty, "no_answer", np.where(right, "correct", "incorrect"))
    refused = np.repeat(dice.random(count) < 0.04, N) & (verdict == "correct")
    columns = {
        "cell": [cell.key] * size,
        "problem_id": np.repeat([problem.id for problem in problems], N),
        "rank": np.tile(np.arange(N), count),
        "extractor": ["rules"] * size,
        "answer": pa.array(answers.astype(str), mask=empty),
        "answer_class": pa.array(answers, mask=empty),
        "answer_start": dice.integers(0, 400, size),
        "answer_end": np.full(size, 405),
        "text_cut": np.full(size, 600),
        "delta": dice.random(size) if is_base else pa.nulls(size),
        "delta_given": np.zeros(size, bool),
        "truncated": cut,
        "tokens": dice.integers(20, 500, size),
        "thinking_tokens": pa.nulls(size),
        "gold_in_text": right,
        "continued": pa.nulls(size),
    }
    judged = zip(GRADERS, (verdict, np.where(refused, "incorrect", verdict)), strict=True)
    tables = [_table({**columns, "grader": [g] * size, "verdict": v}, VERDICTS) for g, v in judged]
    name = f"{cell.variant}-{cell.dataset}-{cell.prompt}.parquet"
    pq.write_table(pa.concat_tables(tables), run.verdicts / name, compression="zstd")


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def main(folder: Path, share: float) -> None:
    """Write the study, and print what its report takes."""
    write_study(folder, share)
    begin = time.process_time()
    tables = build_report(folder)
    built = time.process_time()
    write_report(folder, tables)
    print(f"tables {built - begin:.1f} s, report {time.process_time() - built:.1f} s of CPU time")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
