"""A tool's scores as the verdicts of a judge, and what they come to."""

from collections.abc import Iterator, Mapping, Sequence

from distlab.errors import UserError
from distlab.ingest.given_cell import GivenVerdicts
from distlab.ingest.given_problems import GivenProblem
from distlab.logs.log import EvalLog, LogScore


def kept_scores(
    log: EvalLog, before: Sequence[GivenProblem], given: Sequence[GivenProblem]
) -> tuple[GivenVerdicts, ...]:
    """The scores of a log as judges: "lm-eval:exact_match,strict-match".

    Args:
        log: The log.
        before: Problems by the ids of the log.
        given: The same ones by the ids that they got.

    Raises:
        UserError: A score is neither right nor wrong, or is not of every sample.
    """
    ids = {
        one.problem.id: (other.problem.id, len(other.samples))
        for one, other in zip(before, given, strict=True)
    }
    return tuple(_verdicts(log, score, ids) for score in log.scores)


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
            f"{log.tool}'s {score.name} is {score.mean!r} over {len(score.samples)} verdicts, "
            f"{own}; {hint}"
        )


def _verdicts(log: EvalLog, score: LogScore, ids: Mapping[str, tuple[str, int]]) -> GivenVerdicts:
    wanted = {(name, rank) for name, (_, n) in ids.items() for rank in range(n)}
    found = {(sample.problem_id.strip(), sample.rank): sample for sample in score.samples}
    if not wanted <= set(found):
        name, rank = min(wanted - set(found))
        raise UserError(
            f"{log.tool}'s {score.name} is not of every sample: sample {rank} of problem {name!r} "
            "has none; leave --keep-scores away"
        )
    for sample in found.values():
        if sample.value not in (0, 1):
            raise UserError(
                f"{log.tool}'s {score.name} of problem {sample.problem_id!r} is {sample.value!r}, "
                "neither right (1) nor wrong (0): leave --keep-scores away"
            )
    samples = [(ids[name][0], rank, bool(found[name, rank].value)) for name, rank in sorted(wanted)]
    return GivenVerdicts(_judge(log, score), tuple(samples))


def _judge(log: EvalLog, score: LogScore) -> str:
    return f"{log.tool}:{score.name}"
