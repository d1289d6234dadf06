"""Cell: the unit of sampling, of resume and of every table; and what can fail in one."""

from dataclasses import dataclass
from typing import Literal

from distlab.checkpoints.checkpoint import Variant
from distlab.decoding.interface import DecodingKind

CellVariant = Variant | Literal["extractor"]
"""What draws a cell's samples: a variant, or a model that reads completions."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One family x arm x dataset x prompt of a run.

    Attributes:
        family: Name of the family.
        variant: What draws its samples.
        decoding: Name of the decoding method ("cot", "t0.05").
        kind: How the method draws.
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
        n: Samples per problem (ranks 0 to n - 1); the store may hold more.
        fingerprint: Content address of everything that can change a sample (hex).
        path: The cell's folder, relative to the store.
        until_solved: Problems stop once they are solved, so that samples are missing on purpose:
            Pass@n alone can be said of them.
    """

    family: str
    variant: CellVariant
    decoding: str
    kind: DecodingKind
    dataset: str
    prompt: str
    n: int
    fingerprint: str
    path: str
    until_solved: bool = False

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
