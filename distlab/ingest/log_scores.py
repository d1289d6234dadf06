"""A tool's scores as the verdicts of a judge, and what they come to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from distlab.errors import UserError
from distlab.ingest.given_cell import GivenVerdicts
from distlab.logs.log import EvalLog, LogScore

# Stands for a sample without a score.
_ABSENT: Final = -1


def kept_scores(log: EvalLog, problem_ids: Sequence[str], n: int) -> tuple[GivenVerdicts, ...]:
    """The scores of a log as judges: "lm-eval:exact_match,strict-match".

    Args:
        log: The log.
        problem_ids: The problems by the ids of the log.
        n: Samples of each.

    Raises:
        UserError: A score is neither right nor wrong, or is not of every sample.
    """
    places = {name: place for place, name in enumerate(problem_ids)}
    return tuple(_verdicts(log, score, places, n) for score in log.scores)


def said_of_scores(log: EvalLog, *, kept: bool) -> Iterator[str]:
    """What the tool's scores come to, and whether that is what it says itself."""
    for score in log.scores:
        hint = f"judge {_judge(log, score)}" if kept else "--keep-scores makes a judge of it"
        own = "of which the log has no aggregate"
        if score.reported is not None:
            own = f"where the log has {score.reported!r}"
            if score.is_reproduced:
                digits = score.decimals
                own = "as the log has it" + (f", to {digits} decimals" if digits else "")
        yield (
            f"{log.tool}'s {score.name} is {score.mean!r} over {len(score.values)} verdicts, "
            f"{own}; {hint}"
        )


def _verdicts(log: EvalLog, score: LogScore, places: Mapping[str, int], n: int) -> GivenVerdicts:
    correct = np.full((len(places), n), _ABSENT, np.int8)
    for name, rank, value in zip(score.problem_ids, score.ranks, score.values, strict=True):
        if value not in (0, 1):
            raise UserError(
                f"{log.tool}'s {score.name} of problem {name!r} is {value!r}, neither right (1) "
                "nor wrong (0): leave --keep-scores away"
            )
        place = places.get(name.strip())
        if place is not None and rank < n:
            correct[place, rank] = value
    if len(absent := np.argwhere(correct == _ABSENT)):
        place, rank = absent[0].tolist()
        raise UserError(
            f"{log.tool}'s {score.name} is not of every sample: sample {rank} of problem "
            f"{list(places)[place]!r} has none; leave --keep-scores away"
        )
    return GivenVerdicts(_judge(log, score), correct.astype(np.bool_))


def _judge(log: EvalLog, score: LogScore) -> str:
    return f"{log.tool}:{score.name}"
