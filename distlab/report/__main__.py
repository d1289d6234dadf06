"""``python -m distlab.report RUN``: rebuild a run's report from what is on disk."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from distlab.errors import UserError
from distlab.report import build_report, render_terminal, write_report
from distlab.report.escape import plain


def main(argv: Sequence[str] | None = None) -> int:
    """Rebuild ``report.md`` and print the tables.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.report", description="Rebuild the report of a run."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, as in runs/NAME")
    run: Path = parser.parse_args(argv).run
    try:
        tables = build_report(run)
        report = write_report(run, tables)
    except UserError as error:
        print(plain(str(error), None), file=sys.stderr)
        return 2
    console = Console()
    render_terminal(tables, console)
    console.print(f"report: {plain(str(report), None)}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
