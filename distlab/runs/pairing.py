"""What is put beside what: arms of one setting, and the scores that they are compared by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from distlab.analysis.arrays import FloatArray
from distlab.decoding.decoder import SampleOrder
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell

# Cell key and judge to scores.
ScoreMap = Mapping[tuple[str, Judge], ProblemScores]
# Name of the score that one sample gives.
ONE_SAMPLE: Final = "pass@1"


@dataclass(frozen=True, slots=True)
class ArmPair:
    """Two cells of one family, dataset and prompt; ``primary`` as in ``GapRow``."""

    base: Cell
    instruct: Cell
    primary: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A problem score by name."""

    name: str
    of: Callable[[ProblemScores], FloatArray]


def arm_pairs(cells: Sequence[Cell]) -> Iterator[ArmPair]:
    """The pairs of arms to compare, the study's own before its controls.

    The study is the paper's where the run has it: the first base arm that branches against the
    first instruct arm that draws; failing that, the first of each variant. Equal decodings on both
    sides are its control (ours).
    """
    settings = dict.fromkeys((cell.family, cell.dataset, cell.prompt) for cell in cells)
    for setting in settings:
        here = [cell for cell in cells if (cell.family, cell.dataset, cell.prompt) == setting]
        base = [cell for cell in here if cell.variant == "base"]
        instruct = [cell for cell in here if cell.variant == "instruct"]
        if not base or not instruct:
            continue
        study = _first(base, SampleOrder.RANKED), _first(instruct, SampleOrder.INDEPENDENT)
        yield ArmPair(*study, primary=True)
        for first, second in product(base, instruct):
            if first.decoding == second.decoding and (first, second) != study:
                yield ArmPair(first, second, primary=False)


def _first(cells: Sequence[Cell], order: SampleOrder) -> Cell:
    return next((cell for cell in cells if cell.order == order), cells[0])


def metrics(k: int, until_solved: bool = False) -> list[Metric]:
    """What two arms are compared by, the headline first.

    Args:
        k: The samples that both have.
        until_solved: One of them is drawn until solved: Pass@k alone can be said.
    """
    if until_solved:
        return [Metric(f"Pass@{k}", lambda scores: scores.pass_at(k))]
    wide = [Metric(f"Pass@{k}", lambda scores: scores.pass_at(k))] if k > 1 else []
    return [
        *wide,
        Metric(ONE_SAMPLE, lambda scores: scores.pass_at(1)),
        Metric("one answer", lambda scores: scores.one_answer),
    ]
