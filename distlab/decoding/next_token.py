"""What a token is drawn from, worked out of its likeliest candidates; exact, or not at all.

An engine says the raw log probabilities of the L likeliest tokens of a step. What is drawn from is
that distribution under a temperature and a truncation, in the order of vLLM's sampler: temperature,
min_p, top_k, top_p. It is known without the other tokens where truncation leaves all of these out,
or where what they can weigh is next to nothing. Which of several tokens that tie is cut off is the
engine's own: vLLM keeps other ones on CPUs than on GPUs. Where a cut falls among such, nothing is
told.

Whether it can be told never depends on the random numbers: those that would draw the likeliest
token would else not be the ones to draw again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Final

import numpy as np
import numpy.typing as npt

from distlab.decoding.interface import FirstTokens

# Most probability that tokens out of sight may have at a step.
MAX_UNSEEN: Final = 1e-9
# What rounding (float32) may add to a sum of probabilities, or take from it.
_ROUNDING = 1e-5

Floats = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Warp:
    """How a model's distribution is changed before a token is drawn; names and values are vLLM's.

    Attributes:
        temperature: Divides the logits.
        top_p: Mass of the likeliest tokens that are drawn from; 1 for all.
        top_k: Likeliest tokens that are drawn from; 0 for all.
        min_p: Least probability of a token that is drawn, as a share of the likeliest one's.
    """

    temperature: float
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0


@dataclass(frozen=True, slots=True)
class NextToken:
    """A distribution over tokens.

    Attributes:
        token_ids: Descending by probability.
        cumulative: Running sum of their probabilities, ending in 1.
    """

    token_ids: Tokens
    cumulative: Floats

    def draw(self, uniforms: Floats) -> Tokens:
        """A token for each random number in [0, 1), by the inverse of the cumulative sum."""
        drawn: Tokens = self.token_ids[np.searchsorted(self.cumulative, uniforms, side="right")]
        return drawn


def is_likeliest(likeliest: FirstTokens, warp: Warp, uniform: float) -> bool:
    """Whether this random number and all below it surely draw the likeliest token.

    A cheap look before ``next_token``: False says nothing, and True only where that tells.
    Truncation only adds to the likeliest token's probability.
    """
    if warp.temperature > 1:
        return False
    logprobs = likeliest.logprobs
    first = logprobs[0]
    unseen = _most_unseen(logprobs[-1], first, 1.0, warp.temperature)
    others = (len(logprobs) - 1) * exp((logprobs[1] - first) / warp.temperature)
    if unseen > MAX_UNSEEN or uniform * (1 + others + unseen) >= 1:
        return False
    if warp.top_k and _is_cut_in_tie(logprobs, warp.top_k, warp.temperature):
        return False
    if warp.top_p == 1:
        return True
    # A nucleus of more tokens than one may end where nothing is told.
    is_alone = (warp.top_p + _ROUNDING) * (1 + others + unseen) < 1
    return is_alone and not _is_cut_in_tie(logprobs, 1, warp.temperature)


def next_token(likeliest: FirstTokens, warp: Warp) -> NextToken | None:
    """What the next token is drawn from.

    Args:
        likeliest: Candidates of a step.
        warp: Temperature and truncation.

    Returns:
        None where it cannot be told without the other tokens.
    """
    logprobs = np.asarray(likeliest.logprobs, np.float64)
    scaled = (logprobs - logprobs[0]) / warp.temperature
    weights = np.exp(scaled)
    mass = 1 - float(np.exp(logprobs).sum()) + _ROUNDING
    unseen = _most_unseen(logprobs[-1], logprobs[0], min(1.0, max(mass, 0.0)), warp.temperature)
    if warp.top_k and _is_cut_in_tie(logprobs, warp.top_k, warp.temperature):
        return None
    kept = _kept(scaled, warp)
    if kept < len(weights):
        unseen = 0.0
    cumulative = np.cumsum(weights[:kept])
    if warp.top_p < 1:
        nucleus = _nucleus(cumulative, unseen, warp.top_p)
        if nucleus is None or (
            nucleus < kept and _is_cut_in_tie(logprobs, nucleus, warp.temperature)
        ):
            return None
        cumulative, unseen = cumulative[:nucleus], 0.0
    total = cumulative[-1]
    if unseen > MAX_UNSEEN * total:
        return None
    ids = np.asarray(likeliest.token_ids, np.int64)[: len(cumulative)]
    return NextToken(ids, cumulative / total)


def _most_unseen(last: float, first: float, mass: float, temperature: float) -> float:
    """Bound on the weight of all tokens behind the last candidate, the likeliest one's being 1.

    Each has at most the last candidate's probability, and all together ``mass``. Up to T = 1 a
    weight, p^(1/T), is convex in p, so that the sum is largest where as few tokens as can be have
    all of the mass: ``mass`` / p(last) of them. Above 1 there is no such bound.
    """
    if temperature > 1:
        return inf
    if last == -inf:
        return 0.0
    return mass * exp((last - first) / temperature - last)


def _kept(scaled: Floats, warp: Warp) -> int:
    """Candidates that min_p and top_k leave; fewer than there are leave out all unseen tokens."""
    floor = log(warp.min_p) if warp.min_p > 0 else -inf
    if 0 < warp.top_k <= len(scaled):
        floor = max(floor, float(scaled[warp.top_k - 1]))
    return int(np.count_nonzero(scaled >= floor))


def _is_cut_in_tie(logprobs: Sequence[float] | Floats, kept: int, temperature: float) -> bool:
    """Whether the last candidate that is kept ties with the first that is not, and they count."""
    if kept >= len(logprobs) or logprobs[kept - 1] != logprobs[kept]:
        return False
    return len(logprobs) * exp((logprobs[kept] - logprobs[0]) / temperature) > MAX_UNSEEN


def _nucleus(cumulative: Floats, unseen: float, top_p: float) -> int | None:
    """Size of the smallest set with the mass top_p.

    None where unseen tokens may change it, or rounding: vLLM sums float32.
    """
    total = cumulative[-1]
    before = np.concatenate(([0.0], cumulative[:-1]))
    bounds = (top_p - _ROUNDING) * total, (top_p + _ROUNDING) * (total + unseen)
    least, most = (max(1, int(np.count_nonzero(before < bound))) for bound in bounds)
    return least if least == most and total >= top_p * (total + unseen) else None
