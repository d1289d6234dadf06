"""``distlab compare RUN RUN...``: runs and logs side by side, paired by problem."""

import argparse
import sys
from typing import Final

from distlab.compare.options import add_choices, choices_of, refuse_twice
from distlab.console.exits import Exit
from distlab.console.main import Command, path, points
from distlab.escape import plain


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab compare",
        description="Compare a run with others (another extractor, engine, seed or family): what "
        "differs in their settings, in scores on the problems they share, and in verdicts. A log "
        "of lm-eval, Inspect and other tools (docs/logs.md) does for a run, by its own scores.",
    )
    parser.add_argument("first", type=path, metavar="RUN", help="a run folder, or a log: A")
    parser.add_argument(
        "others", type=path, nargs="+", metavar="RUN", help="what to compare it with: B"
    )
    add_choices(parser)
    parser.add_argument(
        "--margin",
        type=points,
        metavar="POINTS",
        help="differences below this are called none (default: 5)",
    )
    parser.add_argument(
        "--out",
        type=path,
        metavar="FOLDER",
        help="folder for compare.md and CSV (default: compare/ in the last RUN, if it is a folder)",
    )
    return parser


def _compare(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for scipy.
    from distlab.compare.asked import Asked
    from distlab.compare.comparing import compare
    from distlab.compare.render import render_terminal, write_comparison
    from distlab.console.printing import printer

    runs = (arguments.first, *arguments.others)
    choices = choices_of(arguments)
    refuse_twice(runs, choices)
    comparisons = compare(runs, Asked(choices, arguments.margin))
    console = printer()
    render_terminal(comparisons, console)
    folder = arguments.out or (runs[-1] / "compare" if runs[-1].is_dir() else None)
    last = "--out FOLDER keeps the whole tables"
    if folder is not None:
        last = f"comparison: {plain(str(write_comparison(folder, comparisons)), None)}"
    console.print(last, markup=False, highlight=False, soft_wrap=True)
    return Exit.DONE


main: Final = Command(_parser, _compare)

if __name__ == "__main__":
    sys.exit(main())
