"""What the report used to claim, measured again: old figures beside new ones."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from distlab.analysis.claims import ALPHA, Claim, Kind, decide, differs
from distlab.analysis.gaps import Gap, paired_gap
from distlab.analysis.power import mcnemar_power, smallest_detectable
from tests.analysis.calibration.nulls import (
    MARGIN,
    Design,
    Study,
    decoding_explains,
    judges_differ,
    replicated,
    sets_differ,
    trend_of,
)

_HEAD: Final = "| claim | before | now |\n| --- | --- | --- |\n"


def claimed_rows(studies: int) -> Iterator[str]:
    """The table, line by line."""
    yield _HEAD
    yield from map(_line, _rows(studies))


def _line(row: tuple[str, str, str]) -> str:
    return f"| {' | '.join(row)} |\n"


def _rows(studies: int) -> Iterator[tuple[str, str, str]]:
    correlations = (0.0, 0.02, 0.08, 0.19, 0.30)
    winners = [_rate(studies, Design(1047, 0.5, rho, True), _gap) for rho in correlations]
    yield (
        "a winner on MedCalc's 55 calculators without a gap, at correlations 0, 0.02, 0.08, 0.19, "
        "0.30, per cent",
        "5.7, 8.7, 19.7, 34.2, 44.3",
        _listed(winners),
    )
    for size, before in ((279, "70, 48, 23, 1"), (1319, "39, 11, 0")):
        explained = [_explained(studies, size, gap) for gap in (0.1, 0.15, 0.2, 0.3)]
        yield (
            f"decoding explains a gap away that it has no part in, of the cases with a winner, "
            f"n = {size}; now for gaps of 10, 15, 20 and 30 points, per cent",
            before,
            _listed(explained),
        )
    alone = Design(279, 0.5, 0.0, False)
    yield (
        "the gap depends on the grader, with equal gaps, per cent",
        "up to 18",
        _listed([_rate(studies, alone, judges_differ(0.0))]),
    )
    yield (
        "the gap depends on the dataset, with no gap anywhere, per cent",
        "15",
        _listed([_rate(studies, alone, sets_differ(0.0))]),
    )
    false, some = _many(max(studies // 2, 20))
    yield (
        "64 gaps without a truth: false winners on average; at least one, per cent",
        "2.6; 95",
        f"{false:.2f}; {100 * some:.1f}",
    )
    yield from _replications(studies)
    yield from _powers()
    covered = _rate(studies, Design(500, 0.5, 0.1, False), trend_of(0.0))
    yield (
        "coverage of the trend's interval where families scatter, per cent",
        "87 to 89",
        _listed([1 - covered]),
    )


def _replications(studies: int) -> Iterator[tuple[str, str, str]]:
    same = [
        _rate(studies, Design(size, 0.22, 0.0, False), replicated(0.0), yes=True)
        for size in (279, 500, 1319)
    ]
    yield (
        "a figure that is the same is found again, n = 279, 500, 1319, per cent (power)",
        "0 at n = 279",
        _listed(same),
    )
    off = [
        _rate(studies, Design(500, 0.22, 0.0, False), replicated(by), yes=True)
        for by in (0.05, 0.10)
    ]
    yield (
        "a figure that is 5 and 10 points off is called found again, n = 500, per cent; the margin "
        "is 10 points now",
        "39 at 5 points",
        _listed(off),
    )


def _powers() -> Iterator[tuple[str, str, str]]:
    for size, before in ((30, ".37"), (100, ".56"), (500, "right")):
        discordant = max(round(0.02 * size), 1)
        gap = _observed(size, discordant)
        least = smallest_detectable(gap)
        share = max(discordant / size, least)
        power = mcnemar_power(size, share, least)
        yield (
            f"true power at the smallest detectable gap, n = {size}, 2 per cent discordant",
            before,
            f"{power:.2f} at {100 * least:.1f} points",
        )


def _observed(size: int, discordant: int) -> Gap:
    base, instruct = np.zeros(size), np.zeros(size)
    base[: discordant // 2] = 1
    instruct[discordant // 2 : discordant] = 1
    return paired_gap(base, instruct, resamples=0)


def _gap(study: Study) -> Claim:
    rate = study.design.rate
    return differs(Kind.GAP, 0, "", study.test(study.arm(rate) - study.arm(rate)), MARGIN)


def _rate(
    studies: int, design: Design, draw: Callable[[Study], Claim], *, yes: bool = True
) -> float:
    """Share of studies in which a claim, alone, is answered yes."""
    rng = np.random.default_rng([design.problems, round(100 * design.correlation)])
    claims = [draw(Study(rng, design)) for _ in range(studies)]
    return float(np.mean([(claim.yes if yes else claim.no) < ALPHA for claim in claims]))


def _explained(studies: int, size: int, gap: float) -> float:
    """Of the studies with a winner, the share in which decoding is said to explain it."""
    rng, draw = np.random.default_rng(size), decoding_explains(0.0, gap)
    drawn = [draw(Study(rng, Design(size, 0.5, 0.0, False))) for _ in range(studies)]
    named = [claim for claim in drawn if claim.no < ALPHA]
    return float(np.mean([claim.yes < ALPHA for claim in named])) if named else 0.0


def _many(studies: int) -> tuple[float, float]:
    """False winners per study of 64 gaps after Holm, and the share of studies with any."""
    rng, design = np.random.default_rng(64), Design(500, 0.5, 0.0, False)
    false = []
    for _ in range(studies):
        drawn = [_gap(Study(rng, design)) for _ in range(64)]
        claims = [Claim(Kind.GAP, place, "", each.yes, each.no) for place, each in enumerate(drawn)]
        decisions = decide(claims).decisions.values()
        false.append(sum(decision.yes < ALPHA for decision in decisions))
    return float(np.mean(false)), float(np.mean(np.array(false) > 0))


def _listed(shares: list[float]) -> str:
    return ", ".join(f"{100 * share:.1f}" for share in shares)
