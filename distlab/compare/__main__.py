"""``distlab compare RUN RUN...``: runs side by side, paired by problem."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.errors import UserError
from distlab.escape import plain


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab compare",
        description="Compare a run with others (another extractor, engine, seed or family): what "
        "differs in their settings, in scores on the problems they share, and in verdicts.",
    )
    parser.add_argument("first", type=path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "others", type=path, nargs="+", metavar="RUN", help="what to compare it with"
    )
    parser.add_argument(
        "--out",
        type=path,
        metavar="FOLDER",
        help="folder for compare.md and CSV (default: compare/ in the last RUN)",
    )
    return parser


def _compare(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for scipy.
    from distlab.compare.comparing import compare
    from distlab.compare.render import render_terminal, write_comparison
    from distlab.console.printing import printer

    runs = (arguments.first, *arguments.others)
    _refuse_twice(runs)
    comparisons = compare(runs)
    report = write_comparison(arguments.out or runs[-1] / "compare", comparisons)
    console = printer()
    render_terminal(comparisons, console)
    console.print(
        f"comparison: {plain(str(report), None)}", markup=False, highlight=False, soft_wrap=True
    )
    return Exit.DONE


def _refuse_twice(runs: Sequence[Path]) -> None:
    seen = set[Path]()
    for run in runs:
        if run.resolve() in seen:
            raise UserError(f"{run} is named twice: name two different runs")
        seen.add(run.resolve())


main: Final = Command(_parser, _compare)

if __name__ == "__main__":
    sys.exit(main())
