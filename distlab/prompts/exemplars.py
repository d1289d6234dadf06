"""Which solved problems a few-shot prompt shows."""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from distlab.errors import UserError
from distlab.problems.loading import load_exemplars
from distlab.problems.problem import DatasetSpec, Exemplar, Problem
from distlab.problems.sources import from_path
from distlab.prompts.prompt import PromptSpec


class ExemplarPools:
    """What styles pick their exemplars from, each file and train split read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str | None], tuple[Exemplar, ...]] = {}

    def of(self, spec: PromptSpec, dataset: DatasetSpec) -> tuple[Exemplar, ...]:
        """The style's own file, or the dataset's train split; nothing without shots.

        Raises:
            UserError: It cannot be had, or a row is malformed.
        """
        if not spec.shots:
            return ()
        key = (dataset.name if spec.exemplars is None else "", spec.exemplars)
        if key not in self._read:
            found = load_exemplars(dataset) if spec.exemplars is None else _in(spec.exemplars)
            self._read[key] = found
        return self._read[key]


def _in(path: str) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(row.place, row.text("question"), row.text("reasoning"), row.text("answer"))
        for row in from_path(path).rows
    )


def pick(spec: PromptSpec, dataset: str, pool: Sequence[Exemplar]) -> tuple[Exemplar, ...]:
    """Draw ``spec.shots`` exemplars, whatever order the pool comes in.

    Raises:
        UserError: The pool is too small.
    """
    _check_size(spec, dataset, len(pool))
    ordered = sorted(pool, key=lambda exemplar: exemplar.id)
    return tuple(random.Random(f"exemplars:{spec.seed}").sample(ordered, spec.shots))


def _check_size(spec: PromptSpec, dataset: str, size: int) -> None:
    if size < spec.shots:
        source = "exemplar file" if spec.exemplars is not None else "train split"
        raise UserError(
            f"prompt.styles.{spec.name}.shots is {spec.shots}, but dataset {dataset} has "
            f"{size} exemplars; ask for at most {size} shots or give a larger {source}"
        )


@dataclass(frozen=True, slots=True)
class Shots:
    """The exemplars of a style: the same for every problem, or other ones for each.

    Attributes:
        spec: The style.
        pool: What they are picked from, by id.
        fixed: Those of every problem; empty where they are redrawn.
    """

    spec: PromptSpec
    pool: tuple[Exemplar, ...]
    fixed: tuple[Exemplar, ...]
    _questions: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, spec: PromptSpec, dataset: str, pool: Sequence[Exemplar]) -> "Shots":
        """The exemplars of a style on a dataset.

        Raises:
            UserError: The pool is too small.
        """
        fixed = pick(spec, dataset, pool)
        ordered = tuple(sorted(pool, key=lambda exemplar: exemplar.id))
        questions = frozenset(one.question.strip() for one in ordered)
        return cls(spec, ordered, () if spec.redraw else fixed, questions)

    def before(self, problem: Problem) -> tuple[Exemplar, ...]:
        """The exemplars of a problem, which is never one of them.

        Raises:
            UserError: It is one of the fixed ones, or the pool is too small without it.
        """
        if self.spec.redraw:
            return self._drawn(problem)
        if any(one.question.strip() == problem.question for one in self.fixed):
            raise UserError(
                f"problem {problem.id} is also an exemplar of prompt {self.spec.name}; "
                "give a train_path that holds no evaluated problem"
            )
        return self.fixed

    def _drawn(self, problem: Problem) -> tuple[Exemplar, ...]:
        pool = self.pool
        if problem.question in self._questions:
            pool = tuple(one for one in pool if one.question.strip() != problem.question)
            _check_size(self.spec, problem.dataset, len(pool))
        chance = random.Random(f"exemplars:{self.spec.seed}:{problem.id}")
        return tuple(chance.sample(pool, self.spec.shots))

    @property
    def identity(self) -> dict[str, str]:
        """What of them shapes a prompt, as stable strings."""
        shown = self.pool if self.spec.redraw else self.fixed
        listed = () if self.spec.redraw else self.fixed
        return {
            "exemplars": json.dumps([one.id for one in listed]),
            "exemplars_sha256": fingerprint(shown),
        }


def fingerprint(exemplars: Sequence[Exemplar]) -> str:
    """sha256 (hex) over the exemplars' text, in order."""
    texts = [(one.question, one.reasoning, one.answer) for one in exemplars]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
