"""A small ingested run with verdicts: two arms, two datasets whose ids collide, and labels."""

import json
from pathlib import Path

from distlab.ingest.__main__ import main
from distlab.runs.folder import RunFolder
from distlab.store.cell import Cell
from tests.runs.written import Samples, write_verdicts

LONE = "\ud800"  # half of a character
# What each sample of a problem says, by arm; the gold is the problem's number.
TEXTS = {
    "base": {
        "sums": {"1": ("1", "9"), "2": ("7", "8"), "3": ("3", "3")},
        "words": {"1": ("one", "1")},
    },
    "instruct": {
        "sums": {"1": ("1", "1"), "2": ("2", "8"), "3": ("3", "")},
        "words": {"1": ('=HYPERLINK("x")', "\u202e" + LONE)},
    },
}


def ingested(folder: Path, name: str = "run") -> Path:
    """Ingest the samples; returns the run, which is not scored."""
    run = folder / "runs" / name
    for variant, datasets in TEXTS.items():
        for dataset, problems in datasets.items():
            file = folder / f"{dataset}.jsonl"
            rows = [
                {
                    "id": key,
                    "q": f"What is {key}, {dataset}?",
                    "gt": key,
                    "code": texts,
                    "score": [key in text for text in texts],
                }
                for key, texts in problems.items()
            ]
            file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            words = [str(file), "--variant", variant, "--family", "org-tiny"]
            words += ["--map", "problem_id=id", "question=q", "gold=gt", "samples=code"]
            if run.exists():
                words += ["--into", str(run)]
            else:
                words += ["--runs", str(folder / "runs"), "--store", str(folder / "store")]
            assert main(words) == 0
            if not run.exists():
                next((folder / "runs").iterdir()).rename(run)
    return run


def judged(run: Path) -> Path:
    """Give each sample the verdict that its text deserves; returns the run."""
    cells = RunFolder(run).read_manifest().cells
    write_verdicts(run / "verdicts", [each for cell in cells for each in _samples(cell)])
    return run


def _samples(cell: Cell) -> list[Samples]:
    # A grader that takes words for numbers, and finds no answer in nothing.
    mark = {"": "-", "one": "1"}
    return [
        Samples(
            cell,
            key,
            "".join(mark.get(text, "1" if key in text else "0") for text in texts),
            tuple(text.replace(LONE, "?") or None for text in texts),
        )
        for key, texts in TEXTS[str(cell.variant)][cell.dataset].items()
    ]
