from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder
from distlab.decoding.stochastic import Stochastic
from distlab.problems import Gold, GoldKind, Problem, write_problems
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.cell import Cell, ProblemFailure


def make_cell(arm: str = "base/cot", dataset: str = "gsm-symbolic", n: int = 4) -> Cell:
    variant, decoding = arm.split("/")
    kind: type[Decoder] = CoT if decoding == "cot" else Stochastic
    return Cell(
        *("tiny", variant, decoding, kind.kind, dataset, "zero-shot"),
        n=n,
        fingerprint="f00d",
        path=f"cells/{arm}",
        order=kind.order,
        deltas=kind.margins,
    )


def make_problem(
    name: str,
    dataset: str = "gsm-symbolic",
    pair: str | None = None,
    side: str | None = None,
    cluster: str | None = None,
) -> Problem:
    gold = Gold(GoldKind.NUMBER, "7")
    return Problem(name, dataset, "How many?", gold, cluster or name, pair, side)


@dataclass(frozen=True)
class Samples:
    """Verdicts of one problem in one cell: "1" correct, "0" wrong, "-" no answer, "t" timeout."""

    cell: Cell
    problem: str
    verdicts: str
    answers: tuple[str | None, ...] | None = None
    deltas: tuple[float | None, ...] | None = None
    deltas_given: bool = False
    grader: str = "standard"
    extractor: str = "rules"
    truncated: bool = False
    start: int = 0
    tokens: int = 10
    continued: bool | None = None

    def rows(self) -> list[dict[str, Any]]:
        names = {"1": "correct", "0": "incorrect", "-": "no_answer", "t": "timeout"}
        default = {"1": "7", "0": "8", "-": None, "t": "9^9^9"}
        answers = self.answers or tuple(default[mark] for mark in self.verdicts)
        return [
            {
                "cell": self.cell.key,
                "problem_id": self.problem,
                "rank": rank,
                "extractor": self.extractor,
                "answer": answers[rank],
                "answer_class": None if answers[rank] is None else answers.index(answers[rank]),
                "answer_start": self.start,
                "answer_end": 0,
                "text_cut": 0,
                "grader": self.grader,
                "verdict": names[mark],
                "truncated": self.truncated,
                "tokens": self.tokens,
                "delta": self.deltas[rank] if self.deltas else None,
                "delta_given": self.deltas_given,
                "gold_in_text": mark == "1",
                "continued": self.continued,
            }
            for rank, mark in enumerate(self.verdicts)
        ]


def write_verdicts(folder: Path, samples: Iterable[Samples], name: str = "part-0") -> None:
    rows = [row for item in samples for row in item.rows()]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=VERDICTS), folder / f"{name}.parquet")


Make = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> Make:
    """Write a run folder; returns its path."""

    def make(
        cells: Sequence[Cell],
        problems: Sequence[Problem],
        samples: Sequence[Samples] = (),
        failures: Sequence[ProblemFailure] = (),
        **manifest: object,
    ) -> Path:
        run = RunFolder(tmp_path / "run")
        run.path.mkdir(exist_ok=True)
        for dataset in {problem.dataset for problem in problems} | {c.dataset for c in cells}:
            mine = [problem for problem in problems if problem.dataset == dataset]
            write_problems(run.problems(dataset), mine)
        if samples:
            write_verdicts(run.verdicts, samples)
        settings: dict[str, Any] = {"run": "run", "command": "python -m distlab.run", "store": "s"}
        run.write_manifest(
            Manifest(**(settings | manifest), cells=tuple(cells), failures=tuple(failures))
        )
        return run.path

    return make
