"""False-positive rates of every kind of claim over a grid of designs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from scipy import stats

from distlab.analysis.claims import ALPHA, Answer
from tests.analysis.calibration.nulls import Design, Null, Study, nulls

PROBLEMS: Final = (30, 100, 279, 500, 1319)
RATES: Final = (0.05, 0.5, 0.95)
CORRELATIONS: Final = (0.0, 0.1, 0.3)


@dataclass(frozen=True)
class Rate:
    """How often a false answer was given.

    Attributes:
        null: Place of the null hypothesis in ``nulls()``.
        design: The problems.
        false: Studies with the false answer, the claim alone at 5 %.
        studies: Studies.
    """

    null: int
    design: Design
    false: int
    studies: int


def designs(problems: Sequence[int] = PROBLEMS, rates: Sequence[float] = RATES) -> Iterator[Design]:
    """Problems that are their own sources, and problems that share some."""
    for size, rate in product(problems, rates):
        yield Design(size, rate, 0.0, shared=False)
        yield from (Design(size, rate, rho, shared=True) for rho in CORRELATIONS)


def measure(place: int, null: Null, design: Design, studies: int) -> Rate:
    """Simulate studies under a null; the same ones whenever it is called."""
    seed = (place, design.problems, 100 * design.rate, 100 * design.correlation, design.shared)
    rng = np.random.default_rng([round(part) for part in seed])
    claims = [null.draw(Study(rng, design)) for _ in range(studies)]
    found = [claim.yes if null.false is Answer.YES else claim.no for claim in claims]
    return Rate(place, design, int(np.sum(np.array(found) < ALPHA)), studies)


def _measure(job: tuple[int, Design, int]) -> Rate:
    place, design, studies = job
    return measure(place, tuple(nulls())[place], design, studies)


def measure_all(studies: int, workers: int = 2) -> list[Rate]:
    """The whole grid."""
    jobs = [(place, each, studies) for place, _ in enumerate(nulls()) for each in designs()]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_measure, jobs, chunksize=4))


def most_allowed(studies: int, cells: int) -> int:
    """False answers that a test at 5 % exceeds in one grid of a hundred."""
    return int(stats.binom.isf(0.01 / cells, studies, ALPHA))
