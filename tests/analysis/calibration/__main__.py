"""``make calibrate``: measures kinds of claims, and keeps the tables of docs/calibration.md.

    python -m tests.analysis.calibration [--studies N] [--kinds GAP FACTOR ...] [--resume]

Each null hypothesis is written as soon as it is measured, so that a run that was stopped goes on
with ``--resume``. Those of other kinds stay as they are.
"""

import argparse
from collections.abc import Sequence

from distlab.analysis.claims import Kind
from tests.analysis.calibration.claimed import claimed_rows
from tests.analysis.calibration.nulls import nulls
from tests.analysis.calibration.page import Page, measured, rows_of
from tests.analysis.calibration.rates import measure_all, most_allowed

# Studies of a claim of old for each study of a cell, at most (ours).
_CLAIMED = 600


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write, and say whether a rate is too high."""
    parser = argparse.ArgumentParser(prog="python -m tests.analysis.calibration")
    parser.add_argument("--studies", type=int, default=400, help="studies per cell")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    names = [kind.name for kind in Kind]
    parser.add_argument("--kinds", nargs="+", choices=names, default=names, metavar="KIND")
    parser.add_argument("--resume", action="store_true", help="pass over what the page has")
    asked = parser.parse_args(argv)
    page, high = Page.read(), 0
    wanted = [null for null in nulls() if null.kind.name in asked.kinds]
    for null in sorted(wanted, key=lambda null: asked.kinds.index(null.kind.name)):
        if asked.resume and measured(page, null, asked.studies):
            continue
        rates = measure_all(null, asked.studies, asked.workers)
        page.put(rows_of(null, rates))
        most = most_allowed(asked.studies)
        for rate in (rate for rate in rates if rate.false > most):
            high += 1
            print(f"{null.kind.name} {null.false}, {null.what}: {rate.false}: {rate.design}")
        print(f"{null.kind.name} {null.false}, {null.what}: measured", flush=True)
    if asked.kinds == names:
        page.claim(claimed_rows(_CLAIMED))
    return 1 if high else 0


if __name__ == "__main__":
    raise SystemExit(main())
