from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.problems import Gold, GoldKind, Problem, write_problems
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.cell import Cell

MARKS = {"1": "correct", "0": "incorrect", "-": "no_answer"}


def rows_of(
    cell: Cell,
    marks: Mapping[str, str],
    extractor: str = "rules",
    grader: str = "standard",
    answer: str = "8",
) -> list[dict[str, Any]]:
    return [
        {
            "cell": cell.key,
            "problem_id": name,
            "rank": rank,
            "extractor": extractor,
            "answer": {"1": "7", "0": answer, "-": None}[mark],
            "answer_start": 0,
            "answer_end": 0,
            "text_cut": 0,
            "grader": grader,
            "verdict": MARKS[mark],
            "truncated": False,
            "tokens": 1,
            "delta": None,
            "delta_given": False,
            "gold_in_text": False,
        }
        for name, each in marks.items()
        for rank, mark in enumerate(each)
    ]


Make = Callable[..., Path]


def scored_run(
    folder: Path,
    name: str,
    *graded: tuple[Any, ...],
    problems: Sequence[Problem] = (),
    **more: object,
) -> Path:
    """Write a run of (cell, problem to marks, what else its rows say); returns its folder."""
    run = RunFolder(folder / name)
    run.verdicts.mkdir(parents=True)
    names = dict.fromkeys(name for _, marks, *_ in graded for name in marks)
    gold = Gold(GoldKind.NUMBER, "7")
    usual = [Problem(each, "d", f"How many {each}?", gold, each) for each in names]
    for dataset in {cell.dataset for cell, *_ in graded}:
        write_problems(run.problems(dataset), problems or usual)
    rows = [
        row
        for cell, marks, *said in graded
        for row in rows_of(cell, marks, **(said[0] if said else {}))
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=VERDICTS), run.verdicts / "v.parquet")
    settings: dict[str, Any] = {"run": name, "command": "distlab", "store": "s"}
    cells = tuple(dict.fromkeys(cell for cell, *_ in graded))
    run.write_manifest(Manifest(**(settings | more), cells=cells))
    return run.path


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``scored_run`` in a folder of the test's own."""
    return partial(scored_run, tmp_path)
