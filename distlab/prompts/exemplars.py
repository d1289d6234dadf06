"""Which solved problems a few-shot prompt shows."""

import hashlib
import json
import random
from collections.abc import Sequence

from distlab.errors import UserError
from distlab.problems.problem import Exemplar
from distlab.prompts.prompt import PromptSpec


def pick(spec: PromptSpec, dataset: str, pool: Sequence[Exemplar]) -> tuple[Exemplar, ...]:
    """Draw ``spec.shots`` exemplars, whatever order the pool comes in.

    Raises:
        UserError: The pool is too small.
    """
    if len(pool) < spec.shots:
        raise UserError(
            f"prompt.styles.{spec.name}.shots is {spec.shots}, but dataset {dataset} has "
            f"{len(pool)} exemplars; ask for at most {len(pool)} shots or give a larger train split"
        )
    ordered = sorted(pool, key=lambda exemplar: exemplar.id)
    return tuple(random.Random(f"exemplars:{spec.seed}").sample(ordered, spec.shots))


def fingerprint(exemplars: Sequence[Exemplar]) -> str:
    """sha256 (hex) over the exemplars' text, in order."""
    texts = [(one.question, one.reasoning, one.answer) for one in exemplars]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
