"""False-positive rates of every kind of claim over a grid of designs."""

import zlib
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
        design: The problems.
        false: Studies with the false answer, the claim alone at 5 %.
        studies: Studies.
    """

    design: Design
    false: int
    studies: int


def designs(problems: Sequence[int] = PROBLEMS, rates: Sequence[float] = RATES) -> Iterator[Design]:
    """Problems that are their own sources, and problems that share some."""
    for size, rate in product(problems, rates):
        yield Design(size, rate, 0.0, shared=False)
        yield from (Design(size, rate, rho, shared=True) for rho in CORRELATIONS)


def measure(null: Null, design: Design, studies: int) -> Rate:
    """Simulate studies under a null; the same ones whenever it is called."""
    name = zlib.crc32(f"{null.kind} {null.false} {null.what}".encode())
    seed = (name, design.problems, 100 * design.rate, 100 * design.correlation, design.shared)
    rng = np.random.default_rng([round(part) for part in seed])
    claims = [null.draw(Study(rng, design)) for _ in range(studies)]
    found = [claim.yes if null.false is Answer.YES else claim.no for claim in claims]
    return Rate(design, int(np.sum(np.array(found) < ALPHA)), studies)


def _measure(job: tuple[int, Design, int]) -> Rate:
    place, design, studies = job
    return measure(tuple(nulls())[place], design, studies)


def measure_all(null: Null, studies: int, workers: int) -> list[Rate]:
    """A null hypothesis over the whole grid."""
    # Simulations are closures, which no process can be sent.
    names = [(each.kind, each.false, each.what) for each in nulls()]
    place = names.index((null.kind, null.false, null.what))
    jobs = [(place, each, studies) for each in designs()]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_measure, jobs, chunksize=4))


def most_allowed(studies: int) -> int:
    """False answers that the highest cell of all exceeds in one grid of a hundred.

    Were every cell exactly at 5 %.
    """
    cells = len(tuple(nulls())) * len(tuple(designs()))
    return int(stats.binom.isf(0.01 / cells, studies, ALPHA))
