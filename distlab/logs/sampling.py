"""What a log says of the sampling, as the kind and the name of a decoding."""

from typing import Any

from distlab.decoding.greedy import Greedy
from distlab.decoding.stochastic import Stochastic
from distlab.logs.log import EvalLog, item


def log_kind(log: EvalLog) -> str:
    """Greedy where the log says so and each problem has one sample; else independent draws."""
    return Greedy.kind if _is_greedy(log) else Stochastic.kind


def log_decoding(log: EvalLog) -> str:
    """A name: greedy, the temperature as in "t0.7", or "given" where the log does not say."""
    if _is_greedy(log):
        return Greedy.kind
    temperature = _temperature(log)
    return "given" if temperature is None else f"t{temperature:g}"


def _is_greedy(log: EvalLog) -> bool:
    sampled = item(log.settings, "sampling", "do_sample")
    return log.n == 1 and (sampled is False or _temperature(log) == 0)


def _temperature(log: EvalLog) -> float | None:
    found: Any = item(log.settings, "sampling", "temperature")
    return float(found) if isinstance(found, int | float) else None
