"""``distlab report RUN``: rebuild a run's or a sweep's report from what is on disk."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distlab.checkpoints.checkpoint import Variant, variant_name
from distlab.console.exits import Exit
from distlab.console.main import Command, add_store, path, points
from distlab.errors import UserError
from distlab.escape import plain
from distlab.runs.joining import runs_in, unscored_runs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab report",
        description="Rebuild the report of a run, of a sweep, or of several runs as one study.",
    )
    parser.add_argument(
        "runs", type=path, nargs="+", metavar="RUN", help="a run folder, or that of a sweep"
    )
    parser.add_argument(
        "--into", type=path, metavar="FOLDER", help="where the report of several runs goes"
    )
    parser.add_argument(
        "--pair",
        type=_stages,
        action="append",
        default=[],
        metavar="FIRST,SECOND",
        help="two stages of a ladder to compare beside the last with the first; may be repeated",
    )
    parser.add_argument(
        "--margin",
        type=points,
        metavar="POINTS",
        help="differences of our figures below this are called none (default: report.margin)",
    )
    parser.add_argument(
        "--replication-margin",
        type=points,
        metavar="POINTS",
        help="differences from the paper's figures below this are called none (default: "
        "report.replication_margin)",
    )
    parser.add_argument(
        "--paper",
        choices=("own", "all"),
        help="families of the paper that figures show beside ours (default: report.paper)",
    )
    add_store(parser)
    return parser


def _stages(text: str) -> tuple[Variant, Variant]:
    """Two stages by their names.

    Raises:
        ArgumentTypeError: They are not two.
    """
    names = text.split(",")
    if len(names) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no pair: name two stages, as sft,rl")
    first, second = (variant_name("--pair", name) for name in names)
    return first, second


def _report(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for scipy.
    from distlab.console.printing import printer
    from distlab.report import build_report, render_terminal, write_report
    from distlab.report.margins import AskedMargins

    folder = _folder(arguments.runs, arguments.into)
    for waiting in unscored_runs([run for each in arguments.runs for run in runs_in(each)]):
        print(plain(f"note: {waiting}", None))
    asked = AskedMargins(arguments.margin, arguments.replication_margin)
    tables = build_report(
        *arguments.runs,
        margins=asked,
        pairs=arguments.pair,
        store=arguments.store,
        paper=arguments.paper,
    )
    report = write_report(folder, tables)
    console = printer()
    render_terminal(tables, console)
    look = shlex.join(["distlab", "view", *map(str, arguments.runs)])
    for line in (f"report: {report}", f"samples: {look}"):
        console.print(plain(line, None), markup=False, highlight=False, soft_wrap=True)
    return Exit.DONE


def _folder(runs: Sequence[Path], into: Path | None) -> Path:
    if into is None and len(runs) > 1:
        raise UserError("several runs are named: say where their report goes with --into FOLDER")
    return into or runs[0]


main: Final = Command(_parser, _report)

if __name__ == "__main__":
    sys.exit(main())
