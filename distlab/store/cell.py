"""Cell: the unit of sampling, of resume and of every table; and what can fail in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from distlab.checkpoints.checkpoint import Variant
from distlab.decoding.decoder import SampleOrder
from distlab.decoding.kinds import BUILT_IN

CellVariant = Variant | Literal["extractor"]
"""What draws a cell's samples: a variant, or a model that reads completions."""

StagePair = tuple[CellVariant, CellVariant]
"""Two stages to compare: the one that is subtracted, and the other."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One family x arm x dataset x prompt of a run.

    Attributes:
        family: Name of the family.
        variant: What draws its samples.
        decoding: Name of the decoding method ("cot", "t0.05").
        kind: What the method's decoder is called: "greedy", "stochastic", "cot", or "module:Class".
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        n: Samples per problem (ranks 0 to n - 1); the store may hold more.
        fingerprint: Content address of everything that can change a sample (hex).
        path: The cell's folder, relative to the store.
        until_solved: Problems stop once they are solved, so that samples are missing on purpose:
            Pass@n alone can be said of them.
        until_decided: The study stops once its gap is decided, so that problems and samples are
            missing on purpose: only what holds at any time can be said of them.
        order: How the samples of a problem relate.
        deltas: Samples may have a Delta, so that ``max`` and ``agg`` can be said.
    """

    family: str
    variant: CellVariant
    decoding: str
    kind: str
    dataset: str
    prompt: str
    n: int
    fingerprint: str
    path: str
    until_solved: bool = False
    order: SampleOrder = SampleOrder.INDEPENDENT
    deltas: bool = False
    until_decided: bool = False

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """A cell as a manifest has it.

        Raises:
            KeyError, TypeError, ValueError: It is no cell.
        """
        if "order" not in raw:
            # Written when there were the kinds of ours alone.
            kind = BUILT_IN[raw["kind"]]
            raw = {**raw, "order": kind.order, "deltas": kind.margins}
        return cls(**{**raw, "order": SampleOrder(raw["order"])})

    @property
    def stops_early(self) -> bool:
        """Whether samples are missing on purpose, so that rates of samples would be biased."""
        return self.until_solved or self.until_decided

    @property
    def arm(self) -> str:
        """Variant and decoding, "base/cot"."""
        return f"{self.variant}/{self.decoding}"

    @property
    def key(self) -> str:
        """Unique within a run: "family/variant/decoding/dataset/prompt"."""
        return f"{self.family}/{self.variant}/{self.decoding}/{self.dataset}/{self.prompt}"


@dataclass(frozen=True, slots=True)
class ProblemFailure:
    """A problem that could not be sampled in one cell.

    Attributes:
        cell: Key of the cell.
        problem_id: The problem.
        error: One sentence.
        set_aside: Engines died of it: its samples are missing, and the next run draws them again.
    """

    cell: str
    problem_id: str
    error: str
    set_aside: bool = False
