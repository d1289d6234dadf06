"""Which MATH test problem each MATH-Perturb problem was made from.

MATH-Perturb publishes no link to its seeds. 115 of its 279 problems come from the MATH test split;
They were found by text, and ``seed_pairs.json`` keeps what was found: problem ids and hashes of
problem texts, no text. ``tests/problems/test_seed_pairs.py`` finds them again.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from distlab.problems.content import text_hash


def pair_key(problem_id: int | str) -> str:
    """The pair of a MATH-Perturb problem: its seed, Simple and Hard versions share it."""
    return f"math-perturb-{problem_id}"


@cache
def seed_pairs() -> Mapping[str, str]:
    """``text_hash`` of a MATH test problem to the pair it is the seed of, for all 115."""
    packaged = json.loads((files("distlab.problems") / "seed_pairs.json").read_text())
    return {digest: pair_key(problem_id) for problem_id, digest in packaged.items()}


def pair_of(problem: str) -> str | None:
    """The pair that a MATH problem is the seed of, or None."""
    return seed_pairs().get(text_hash(problem))
