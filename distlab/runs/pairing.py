"""What is put beside what: arms of one setting, and the scores that they are compared by."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from distlab.analysis.arrays import FloatArray
from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.decoding.decoder import SampleOrder
from distlab.runs.scored import Judge
from distlab.runs.scores import ProblemScores
from distlab.store.cell import Cell, CellVariant, StagePair

# Cell key and judge to scores.
ScoreMap = Mapping[tuple[str, Judge], ProblemScores]
# Name of the score that one sample gives.
ONE_SAMPLE: Final = "pass@1"
# Name of the score that all samples give together.
ONE_ANSWER: Final = "one answer"


@dataclass(frozen=True, slots=True)
class ArmPair:
    """Two cells of one family, dataset and prompt; ``primary`` as in ``GapRow``.

    Of a ladder, ``base`` is the arm that is subtracted and ``instruct`` the one that it is
    subtracted from, whatever their stages are called.
    """

    base: Cell
    instruct: Cell
    primary: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A problem score by name."""

    name: str
    of: Callable[[ProblemScores], FloatArray]


def arm_pairs(cells: Sequence[Cell], asked: Sequence[StagePair] = ()) -> Iterator[ArmPair]:
    """The pairs of arms to compare, the study's own before its controls.

    The last stage is compared with the first: instruct with base, or the ends of a ladder. The
    study is the paper's where the run has it: the first base arm that branches against the first
    instruct arm that draws; failing that, the first of each variant. Equal decodings on both sides
    are its control (ours).

    Args:
        cells: The study's, in the order of the tables.
        asked: Other stages to compare, where a setting has both.
    """
    for here in settings(cells):
        stages = by_stage(here)
        names = list(stages)
        ends = [(names[0], names[-1])] if len(names) > 1 else []
        for first, second in dict.fromkeys([*ends, *asked]):
            yield from _pairs(stages.get(first, ()), stages.get(second, ()))


def settings(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """The cells of each family, dataset and prompt."""
    found: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.family, cell.dataset, cell.prompt), []).append(cell)
    yield from found.values()


def by_stage(cells: Iterable[Cell]) -> dict[CellVariant, list[Cell]]:
    """The cells of each stage: base before all others, which are in the order of the cells."""
    found: dict[CellVariant, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.variant, []).append(cell)
    return dict(sorted(found.items(), key=lambda stage: stage[0] != BASE))


def _pairs(base: Sequence[Cell], instruct: Sequence[Cell]) -> Iterator[ArmPair]:
    """The study's pair of two stages, then its controls."""
    if not base or not instruct:
        return
    study = usual_arm(base), usual_arm(instruct)
    yield ArmPair(*study, primary=True)
    for first, second in product(base, instruct):
        if first.decoding == second.decoding and (first, second) != study:
            yield ArmPair(first, second, primary=False)


def usual_arm(cells: Sequence[Cell]) -> Cell:
    """The arm by which a stage is compared: of base the first that branches, else that draws."""
    wanted = SampleOrder.RANKED if cells[0].variant == BASE else SampleOrder.INDEPENDENT
    return next((cell for cell in cells if cell.order == wanted), cells[0])


def is_ladder(cells: Iterable[Cell]) -> bool:
    """Whether the cells of a setting are of several stages that are no base and instruct."""
    stages = by_stage(cells)
    return len(stages) > 1 and not stages.keys() <= {BASE, INSTRUCT}


def stage_arms(cells: Iterable[Cell]) -> list[Cell]:
    """An arm of each stage of a setting, in order: under one decoding where all stages share one.

    Of several that they share, the first that draws (ours).
    """
    stages = by_stage(cells)
    named = [{cell.decoding for cell in arms} for arms in stages.values()]
    first = next(iter(stages.values()))
    shared = [cell for cell in first if all(cell.decoding in names for names in named)]
    if not shared:
        return [usual_arm(arms) for arms in stages.values()]
    decoding = next((c for c in shared if c.order == SampleOrder.INDEPENDENT), shared[0]).decoding
    return [next(c for c in arms if c.decoding == decoding) for arms in stages.values()]


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
        Metric(ONE_ANSWER, lambda scores: scores.one_answer),
    ]
