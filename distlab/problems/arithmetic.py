"""arithmetic: one-step sums, differences and products, bare or in a story, with perturbed twins.

Made on the spot from a seed and small enough for a model of 135M parameters to solve some of it,
which is what the default study needs (ours).
"""

import operator
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from distlab.errors import UserError
from distlab.problems.content import content_hash, text_hash
from distlab.problems.dataset_options import check_names, in_pairs, refuse_files, whole
from distlab.problems.problem import (
    DatasetSpec,
    Exemplar,
    Gold,
    GoldKind,
    LoadedDataset,
    Problem,
    Side,
)

_OPERATIONS: Final[Mapping[str, tuple[str, Callable[[int, int], int]]]] = {
    "sum": ("+", operator.add),
    "difference": ("-", operator.sub),
    "product": ("*", operator.mul),
}
# Most golds are above 19, where answering 0 to 19 without reading finds nothing.
_ONE_DIGIT: Final = range(3, 10)
_TWO_DIGITS: Final = range(21, 80)
_NAMES: Final = ("Ana", "Ben", "Carla", "Dan", "Eva", "Finn", "Gina", "Hugo")
_THINGS: Final = ("apples", "books", "coins", "eggs", "pencils", "shells", "stamps", "cards")
_BARE: Final = "What is {sum}?"
_BUYS: Final = "{name} has {a} {things} and buys {b} more. How many {things} does {name} have now?"
_BOXES: Final = (
    "{name} has {a} boxes with {b} {things} in each box. How many {things} does {name} have?"
)
_EXEMPLARS_OF_A_KIND: Final = 2


@dataclass(frozen=True, slots=True)
class _Kind:
    """Problems that differ in their numbers alone.

    Attributes:
        operation: A key of ``_OPERATIONS``.
        text: The question, with places for the numbers.
        first: What the first number is drawn from.
        second: What the second number is drawn from.
    """

    operation: str
    text: str
    first: range
    second: range

    @property
    def name(self) -> str:
        """As in "sum-2-1", by the digits of its numbers, or "sum-story"."""
        form = "story" if self.wording == "story" else self.digits.replace(" and ", "-")
        return f"{self.operation}-{form}"

    @property
    def wording(self) -> str:
        return "bare" if self.text == _BARE else "story"

    @property
    def digits(self) -> str:
        return f"{len(str(self.first[0]))} and {len(str(self.second[0]))}"

    def draws(self, seed: int) -> list["_Draw"]:
        """All its problems, in the seed's order."""
        pairs = [(a, b) for a in self.first for b in self.second]
        rng = random.Random(f"arithmetic:{seed}:{self.name}")
        rng.shuffle(pairs)
        return [self._draw(a, b, rng) for a, b in pairs]

    def _draw(self, a: int, b: int, rng: random.Random) -> "_Draw":
        symbol, compute = _OPERATIONS[self.operation]
        formula, names = f"{a} {symbol} {b}", (rng.choice(_NAMES), rng.choice(_THINGS))
        question = self.text.format(sum=formula, a=a, b=b, name=names[0], things=names[1])
        gold = str(compute(a, b))
        return _Draw(question, gold, f"{formula} = {gold}.")


@dataclass(frozen=True, slots=True)
class _Draw:
    """One problem of a kind."""

    question: str
    gold: str
    solution: str


_KINDS: Final = (
    _Kind("sum", _BARE, _TWO_DIGITS, _ONE_DIGIT),
    _Kind("sum", _BARE, _TWO_DIGITS, _TWO_DIGITS),
    _Kind("difference", _BARE, _TWO_DIGITS, _ONE_DIGIT),
    _Kind("product", _BARE, _ONE_DIGIT, _ONE_DIGIT),
    _Kind("sum", _BUYS, _TWO_DIGITS, _ONE_DIGIT),
    _Kind("product", _BOXES, _ONE_DIGIT, _ONE_DIGIT),
)
# A pair takes two of a kind's draws; two more are its exemplars. The smallest kind has 49.
_MOST_PAIRS: Final = 20 * len(_KINDS)


class Arithmetic:
    """Pairs made on the spot, one kind after the other. Options: seed, pairs."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """``2 * pairs`` problems: each seed problem, then its twin; ``limit`` rounds up to pairs.

        A twin has other numbers, another answer and, in a story, another name and thing. The
        cluster is the pair.
        """
        seed, pairs = _settings(spec)
        problems = _problems(spec.name, seed, pairs)
        kept, notes = in_pairs(problems, spec.limit)
        return LoadedDataset(
            name=spec.name,
            problems=kept,
            rows=len(problems),
            content_hash=content_hash(
                {"id": problem.id, "question": problem.question, "gold": problem.gold.text}
                for problem in problems
            ),
            source=f"made by distlab, seed {seed}, {pairs} pairs",
            notes=notes,
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """Two solved problems of every kind; none is evaluated."""
        seed, _ = _settings(spec)
        return tuple(
            Exemplar(
                id=f"arithmetic-{kind.name}-{text_hash(draw.question)}",
                question=draw.question,
                reasoning=draw.solution,
                answer=draw.gold,
            )
            for kind in _KINDS
            for draw in kind.draws(seed)[-_EXEMPLARS_OF_A_KIND:]
        )


def _settings(spec: DatasetSpec) -> tuple[int, int]:
    check_names(spec, ("seed", "pairs"))
    refuse_files(spec)
    pairs = whole(spec, "pairs", 24, 1)
    if pairs > _MOST_PAIRS:
        raise UserError(
            f"dataset.sets.{spec.name}.options.pairs is {pairs}; there are {_MOST_PAIRS} at most"
        )
    return whole(spec, "seed", 0, 0), pairs


def _problems(dataset: str, seed: int, pairs: int) -> tuple[Problem, ...]:
    left = [kind.draws(seed)[:-_EXEMPLARS_OF_A_KIND] for kind in _KINDS]
    made: list[Problem] = []
    for place in range(pairs):
        kind, draws = _KINDS[place % len(_KINDS)], left[place % len(_KINDS)]
        first = draws.pop(0)
        twin = next(draw for draw in draws if draw.gold != first.gold)
        draws.remove(twin)
        pair = f"s{seed}-{kind.name}-{place}"
        made.append(_problem(dataset, pair, "seed", kind, first))
        made.append(_problem(dataset, pair, "twin", kind, twin))
    return tuple(made)


def _problem(dataset: str, pair: str, side: Side, kind: _Kind, draw: _Draw) -> Problem:
    return Problem(
        id=f"{pair}-{side}",
        dataset=dataset,
        question=draw.question,
        gold=Gold(GoldKind.NUMBER, draw.gold),
        cluster=f"arithmetic-{pair}",
        pair=f"arithmetic-{pair}",
        side=side,
        strata={"operation": kind.operation, "digits": kind.digits, "wording": kind.wording},
    )
