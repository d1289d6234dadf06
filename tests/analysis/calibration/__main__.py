"""``make calibrate``: the whole grid, and the table of it in docs/calibration.md."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.analysis.calibration.claimed import claimed_rows
from tests.analysis.calibration.nulls import Design, Null, nulls
from tests.analysis.calibration.rates import PROBLEMS, Rate, measure_all, most_allowed

_FILE: Final = Path(__file__).parents[3] / "docs" / "calibration.md"
# Studies of a claim of old for each study of a cell.
_MORE: Final = 6
_OPENING: Final = """\
# Calibration

Every sentence of the report that asserts something is a claim of `distlab/analysis/claims.py`,
answered yes, no or cannot tell. Here each kind of claim is simulated under the null hypothesis
that its yes, or its no, must reject: {studies} studies for each of {cells} cells. These are made of
{problems} problems; arms that solve 5, 50 or 95 per cent; problems that are their own sources, or
some 19 per source, uneven as MedCalc's, with a correlation of an arm's luck within a source of 0,
0.1 or 0.3. Each claim is taken alone at 5 per cent, before Holm's adjustment. `make calibrate`
writes this file, and `tests/analysis/calibration` holds the rates.

The columns are rates of false answers in per cent over all shares and correlations. The highest
of the single cells is {highest:.1f} per cent. With {studies} studies each, the highest of {cells}
cells that are all exactly at 5 per cent would be above {most:.1f} in one grid of a hundred.

"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write, and say whether a rate is too high."""
    parser = argparse.ArgumentParser(prog="python -m tests.analysis.calibration")
    parser.add_argument("--studies", type=int, default=100, help="studies per cell")
    studies = parser.parse_args(argv).studies
    rates = measure_all(studies)
    most = most_allowed(studies, len(rates))
    _FILE.write_text("".join(_page(rates, studies, most)), encoding="utf-8")
    high = [rate for rate in rates if rate.false > most]
    for rate in high:
        null = tuple(nulls())[rate.null]
        print(
            f"{null.kind.name} {null.false}, {null.what}: {rate.false} of {studies}: {rate.design}"
        )
    return 1 if high else 0


def _page(rates: Sequence[Rate], studies: int, most: int) -> Iterator[str]:
    yield _OPENING.format(
        studies=studies,
        cells=len(rates),
        problems=", ".join(map(str, PROBLEMS)),
        highest=100 * max(rate.false for rate in rates) / studies,
        most=100 * most / studies,
    )
    sizes = " | ".join(f"n = {size}" for size in PROBLEMS)
    yield f"| claim | false answer | null hypothesis | shared sources | {sizes} |\n"
    yield f"| --- | --- | --- | --- |{' ---: |' * len(PROBLEMS)}\n"
    for place, null in enumerate(nulls()):
        for shared in (False, True):
            yield _line(null, shared, [rate for rate in rates if rate.null == place])
    yield "\n## What was claimed, and what is\n\n"
    yield f"The rates now are over {_MORE * studies} studies each, every claim taken alone.\n\n"
    yield from claimed_rows(_MORE * studies)


def _line(null: Null, shared: bool, rates: Sequence[Rate]) -> str:
    def pooled(size: int) -> str:
        found = [each for each in rates if _is(each.design, size, shared)]
        return f"{100 * sum(e.false for e in found) / sum(e.studies for e in found):.1f}"

    figures = " | ".join(map(pooled, PROBLEMS))
    return (
        f"| {null.kind} | {null.false} | {null.what} | {'yes' if shared else 'no'} | {figures} |\n"
    )


def _is(design: Design, size: int, shared: bool) -> bool:
    return design.problems == size and design.shared == shared


if __name__ == "__main__":
    raise SystemExit(main())
