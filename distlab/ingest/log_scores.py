"""A tool's scores as the verdicts of judges, what each leaves out, and what it comes to."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from distlab.errors import counted
from distlab.ingest.given_cell import GivenVerdicts
from distlab.logs.log import EvalLog, LogScore, are_few

# Stands for a sample without a verdict.
_ABSENT: Final = -1


@dataclass(frozen=True, slots=True)
class KeptScores:
    """The scores of a log that are judges.

    Attributes:
        verdicts: Of each judge.
        said: Which scores are none and why, and which samples a judge leaves out.
    """

    verdicts: tuple[GivenVerdicts, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def judges(self) -> frozenset[str]:
        """Names of the judges."""
        return frozenset(each.judge for each in self.verdicts)


def kept_scores(log: EvalLog, problem_ids: Sequence[str], n: int) -> KeptScores:
    """The scores of a log as judges: "lm-eval:exact_match,strict-match".

    A judge leaves out samples of which its score is neither right nor wrong, or which have none.
    Which ones are so depends on how well the model did, so that they must be few: a score that has
    more of them, or is of whole problems of several samples, is no judge.

    Args:
        log: The log.
        problem_ids: The problems by the ids of the log.
        n: Samples of each.
    """
    places = {name: place for place, name in enumerate(problem_ids)}
    verdicts, said = [], []
    for score in log.scores:
        if log.n > 1 and not any(score.ranks):
            said.append(
                f"{log.tool}'s {score.name} is of problems of {log.n} samples each, and not of "
                "samples: no judge"
            )
            continue
        codes = _codes(score, places, n)
        judged = codes != _ABSENT
        judge = _judge(log, score)
        out = "" if judged.all() else _left_out(score, judged, problem_ids)
        if not are_few(int(np.count_nonzero(~judged)), judged.size):
            said.append(f"{log.tool}'s {score.name} is no judge, for it would leave out {out}")
            continue
        verdicts.append(GivenVerdicts(judge, codes == 1, judged))
        if out:
            whole = np.count_nonzero(judged.all(axis=1))
            said.append(
                f"the judge {judge} leaves out {out}; its scores are of the {whole} of "
                f"{counted(len(places), 'problem')} that it judges whole, and the mean of its "
                f"verdicts is {np.mean(codes[judged]):.4g}"
            )
    if not log.scores:
        said.append("the log holds no score of its samples to keep")
    return KeptScores(tuple(verdicts), tuple(said))


def said_of_scores(log: EvalLog, judges: Collection[str] | None) -> Iterator[str]:
    """What the tool's scores come to, and whether that is what it says itself.

    Args:
        log: The log.
        judges: Those that were made of scores; None where none was asked for.
    """
    for score in log.scores:
        judge = _judge(log, score)
        hint = ""
        if judges is None:
            hint = "; --keep-scores makes a judge of it"
        elif judge in judges:
            hint = f"; judge {judge}"
        own = "of which the log has no aggregate"
        if score.reported is not None:
            own = f"where the log has {score.reported!r}"
            if score.is_reproduced:
                digits = score.decimals
                own = "as the log has it" + (f", to {digits} decimals" if digits else "")
        yield (
            f"{log.tool}'s {score.name} is {score.mean!r} over {len(score.values)} verdicts, "
            f"{own}{hint}"
        )


def _codes(score: LogScore, places: Mapping[str, int], n: int) -> npt.NDArray[np.int8]:
    """Of each problem and rank 1, 0, or that it has no verdict."""
    codes = np.full((len(places), n), _ABSENT, np.int8)
    for name, rank, value in zip(score.problem_ids, score.ranks, score.values, strict=True):
        place = places.get(name.strip())
        if place is not None and rank < n and value in (0, 1):
            codes[place, rank] = value
    return codes


def _left_out(score: LogScore, judged: npt.NDArray[np.bool_], ids: Sequence[str]) -> str:
    """How many samples have no verdict, why, and which is the first of each kind."""
    entries = zip(score.problem_ids, score.ranks, score.values, strict=True)
    values = {(name.strip(), rank): value for name, rank, value in entries}
    out = [(ids[place], rank) for place, rank in np.argwhere(~judged).tolist()]
    odd = [sample for sample in out if sample in values]
    unscored = [sample for sample in out if sample not in values]
    parts = []
    if odd:
        first = f"{_sample(*odd[0])}, {values[odd[0]]:g}"
        parts.append(f"{len(odd)} neither right (1) nor wrong (0), the first {first}")
    if unscored:
        parts.append(f"{len(unscored)} without a score, the first {_sample(*unscored[0])}")
    return f"{len(out)} of {counted(judged.size, 'sample')} ({'; '.join(parts)})"


def _sample(problem_id: str, rank: int) -> str:
    return f"sample {rank} of problem {problem_id!r}"


def _judge(log: EvalLog, score: LogScore) -> str:
    return f"{log.tool}:{score.name}"
