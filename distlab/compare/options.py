"""The options by which compare and gate choose what is compared."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from distlab.compare.asked import PARTS, Choice
from distlab.errors import UserError

_EXAMPLES: Final = {
    "family": "qwen3-8b",
    "arm": "base/cot",
    "dataset": "gsm8k",
    "prompt": "zero-shot",
    "judge": "rules/standard, or its grader alone",
}


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add an option for each part that a comparison can be narrowed by."""
    for part in PARTS:
        parser.add_argument(
            f"--{part}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"this {part} alone, as {_EXAMPLES[part]}; given twice: that of A, that of B",
        )


def choices_of(arguments: argparse.Namespace) -> Mapping[str, Choice]:
    """What was chosen.

    Raises:
        UserError: Something is chosen more than twice.
    """
    choices = {part: tuple(getattr(arguments, part)) for part in PARTS}
    for part, names in choices.items():
        if len(names) > 2:
            raise UserError(f"--{part} is given {len(names)} times: once for both, or for A and B")
    return {part: names for part, names in choices.items() if names}


def refuse_twice(places: Sequence[Path], choices: Mapping[str, Choice]) -> None:
    """Refuse a run that is compared with itself, unless by two parts of it.

    Raises:
        UserError: One is.
    """
    seen = set[Path]()
    of_two_parts = any(len(names) == 2 for names in choices.values())
    for place in places:
        if place.resolve() in seen and not of_two_parts:
            raise UserError(
                f"{place} is named twice: name two different runs, or two parts of it, as in "
                "--arm base/cot --arm instruct/t0.05"
            )
        seen.add(place.resolve())
