"""Two results files row by row: which rows became slower, and which cannot be told apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scipy import special

LEVEL = 0.95


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each row of ``after`` that both have measured.

    Rows beside a peer are compared by their ratios, which another machine leaves about as they
    are; the others only where the machine is the same.
    """
    for name, row in after["rows"].items():
        old = before["rows"].get(name)
        if old and old["ours"] and row["ours"]:
            yield _sentence(name, {"machine": before.get("machine"), **old}, row)


def _sentence(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What became of a row. Files of old have one machine for all their rows."""
    if (old["what"], old["beside"]) != (new["what"], new["beside"]):
        return f"{name}: measures something else than before"
    if not new["theirs"] and old["machine"] != new["machine"]:
        return f"{name}: measured on another machine, and has no peer to be compared by"
    found = change(_figures(old), _figures(new))
    if found is None:
        return f"{name}: a single pair tells no change"
    low, high = found
    # A bound from below is on a rate, one from above on a cost.
    better = high < 1 if new["goal"].startswith("<=") else low > 1
    verdict = "no change told" if low <= 1 <= high else "faster" if better else "slower"
    return f"{name}: {verdict}, {low:.2f} to {high:.2f} times what it was"


def _figures(row: Mapping[str, Any]) -> list[float]:
    if not row["theirs"]:
        return list(row["ours"])
    return [ours / theirs for ours, theirs in zip(row["ours"], row["theirs"], strict=True)]


def change(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """A 95 % interval of the ratio of geometric means, after to before (Welch's, on logarithms).

    None where either has fewer than two figures.
    """
    if min(len(before), len(after)) < 2:
        return None
    old, new = ([math.log(figure) for figure in side] for side in (before, after))
    parts = [statistics.variance(side) / len(side) for side in (old, new)]
    error = math.sqrt(sum(parts))
    shift = statistics.fmean(new) - statistics.fmean(old)
    if error == 0:
        return math.exp(shift), math.exp(shift)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(side) - 1) for part, side in zip(parts, (old, new), strict=True)
    )
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return math.exp(shift - half), math.exp(shift + half)
