"""``python -m distlab.compare RUN RUN...``: runs side by side, paired by problem."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from distlab.compare.comparing import compare
from distlab.compare.render import render_terminal, write_comparison
from distlab.errors import UserError
from distlab.escape import plain


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the first run with each of the others.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.compare",
        description="Compare a run with others (another extractor, engine, seed or family): what "
        "differs in their settings, in scores on the problems they share, and in verdicts.",
    )
    parser.add_argument("first", type=Path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "others", type=Path, nargs="+", metavar="RUN", help="what to compare it with"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for compare.md and CSV (default: compare/ in the last RUN)"
    )
    arguments = parser.parse_args(argv)
    runs = (arguments.first, *arguments.others)
    try:
        _refuse_twice(runs)
        comparisons = compare(runs)
        report = write_comparison(arguments.out or runs[-1] / "compare", comparisons)
    except UserError as error:
        print(f"distlab: {plain(str(error), None)}", file=sys.stderr)
        return 2
    console = Console()
    render_terminal(comparisons, console)
    console.print(
        f"comparison: {plain(str(report), None)}", markup=False, highlight=False, soft_wrap=True
    )
    return 0


def _refuse_twice(runs: Sequence[Path]) -> None:
    seen = set[Path]()
    for run in runs:
        if run.resolve() in seen:
            raise UserError(f"{run} is named twice: name two different runs")
        seen.add(run.resolve())


if __name__ == "__main__":
    sys.exit(main())
