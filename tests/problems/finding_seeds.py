"""How the packaged map from MATH-Perturb's problems to their seeds was made."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
