"""Which MATH test problem each MATH-Perturb problem was made from.

MATH-Perturb publishes no link to its seeds. 115 of its 279 problems come from the MATH test split;
``find_seeds`` finds them by text, and ``seed_pairs.json`` keeps what it found: problem ids and
hashes of problem texts, no text. A test rebuilds the file.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from distlab.problems.content import text_hash


@dataclass(frozen=True, slots=True)
class SeedStatement:
    """What a seed is recognised by.

    Attributes:
        key: Name of the problem in its set.
        text: The problem text.
        subject: MATH's ``type`` ("Algebra").
    """

    key: str
    text: str
    subject: str


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


def find_seeds(perturbed: Iterable[SeedStatement], math: Sequence[SeedStatement]) -> dict[str, str]:
    """The nearest MATH problem of each perturbed one, among those of its subject.

    Nearness is the Dice coefficient over character trigrams, blanks left out (ours). On the
    115 test-split problems of MATH-Perturb-Simple against the level-5 MATH test problems
    the nearest is the seed each time.

    Returns:
        Key of the perturbed problem to key of its seed.
    """
    candidates: dict[str, list[tuple[str, Counter[str]]]] = {}
    for problem in math:
        candidates.setdefault(problem.subject, []).append((problem.key, _trigrams(problem.text)))
    return {
        one.key: _nearest(_trigrams(one.text), candidates[one.subject])
        for one in perturbed
        if one.subject in candidates
    }


def _nearest(wanted: Counter[str], candidates: Sequence[tuple[str, Counter[str]]]) -> str:
    return max(candidates, key=lambda candidate: _dice(wanted, candidate[1]))[0]


def _trigrams(text: str) -> Counter[str]:
    letters = "".join(text.split())
    return Counter(letters[start : start + 3] for start in range(len(letters) - 2))


def _dice(left: Counter[str], right: Counter[str]) -> float:
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0
