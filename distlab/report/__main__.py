"""``python -m distlab.report RUN``: rebuild a run's or a sweep's report from what is on disk."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from distlab.errors import UserError
from distlab.escape import plain
from distlab.report import build_report, render_terminal, write_report


def main(argv: Sequence[str] | None = None) -> int:
    """Rebuild the report and print the tables.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.report",
        description="Rebuild the report of a run, of a sweep, or of several runs as one study.",
    )
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="a run folder, or that of a sweep"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="where the report of several runs goes"
    )
    arguments = parser.parse_args(argv)
    try:
        folder = _folder(arguments.runs, arguments.into)
        tables = build_report(*arguments.runs)
        report = write_report(folder, tables)
    except UserError as error:
        print(plain(str(error), None), file=sys.stderr)
        return 2
    console = Console()
    render_terminal(tables, console)
    console.print(f"report: {plain(str(report), None)}", markup=False, highlight=False)
    return 0


def _folder(runs: Sequence[Path], into: Path | None) -> Path:
    if into is None and len(runs) > 1:
        raise UserError("several runs are named: say where their report goes with --into FOLDER")
    return into or runs[0]


if __name__ == "__main__":
    sys.exit(main())
