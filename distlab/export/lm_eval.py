"""Cells as lm-evaluation-harness logs them: samples_TASK_DATE.jsonl and results_DATE.json.

As 0.4.13 writes them, with one filter for each judge. Two things are ours: ``doc_id`` is the
problem's id, which lm-eval has no place for, and where a problem has several samples, ``acc`` is
the share of them that is correct, and ``verdicts`` says it of each.
"""

import json
from pathlib import Path
from typing import Any, Final

from distlab.api.opened import Run
from distlab.export.judged_cell import JudgedProblem, judged_problems
from distlab.export.stamp import stamp
from distlab.files import folder_name, whole
from distlab.store.cell import Cell
from distlab.versions import version_line

_METRIC: Final = "acc"


def write_logs(run: Run, folder: Path) -> None:
    """Write a folder for each cell.

    Args:
        run: A scored run.
        folder: Where to.

    Raises:
        UserError: The run is not scored, or a file of it is damaged.
    """
    date = stamp(run)
    for cell in run.cells:
        parts = (cell.family, cell.variant, cell.decoding, cell.dataset, cell.prompt)
        place = folder / "__".join(map(folder_name, parts))
        task = folder_name(cell.dataset)
        scores: dict[str, list[float]] = {}
        place.mkdir(parents=True)
        with whole(place / f"samples_{task}_{date}.jsonl") as stream:
            for problem in judged_problems(run, cell):
                scores.setdefault(problem.judge, []).append(problem.score)
                stream.write(f"{json.dumps(_row(problem))}\n".encode())
        with whole(place / f"results_{date}.json") as stream:
            stream.write(json.dumps(_results(run, cell, task, scores), indent=2).encode())


def _row(problem: JudgedProblem) -> dict[str, Any]:
    return {
        "doc_id": problem.problem_id,
        "doc": {
            "question": problem.question,
            "answer": problem.gold,
            "accepted": list(problem.accepted),
        },
        "target": problem.gold,
        "arguments": {"gen_args_0": {"arg_0": problem.question, "arg_1": {}}},
        "resps": [list(problem.texts)],
        "filtered_resps": list(problem.answers),
        "filter": problem.judge,
        "metrics": [_METRIC],
        _METRIC: problem.score,
        "verdicts": list(problem.verdicts),
    }


def _results(run: Run, cell: Cell, task: str, scores: dict[str, list[float]]) -> dict[str, Any]:
    means = {f"{_METRIC},{judge}": sum(each) / len(each) for judge, each in scores.items()}
    return {
        "results": {task: {"alias": task, **means}},
        "configs": {task: {"task": task, "repeats": cell.n, "dataset_path": cell.dataset}},
        "n-samples": {task: {"effective": max(map(len, scores.values()), default=0)}},
        "config": {"model": "distlab", "model_args": {"pretrained": cell.family}},
        "model_name": f"{cell.family}/{cell.variant}",
        "distlab": {"run": run.manifest.run, "cell": cell.key, "version": version_line()},
    }
