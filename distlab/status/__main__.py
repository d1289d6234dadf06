"""``python -m distlab.status STORE|RUN|SWEEP``: what there is, and what is missing."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from distlab.errors import UserError
from distlab.escape import plain
from distlab.runs.folder import RunFolder
from distlab.status.read import run_status, store_status
from distlab.status.records import CellStatus
from distlab.status.terminal import render_cells, render_jobs
from distlab.store.filesystem import unusable
from distlab.store.store import Store
from distlab.sweep.record import read_record, record_file

EXIT_BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Print the status of a store, a run or a sweep; nothing is changed.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0, or 2 for bad input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m distlab.status",
        description="What each cell has, what it lacks, what failed and why.",
    )
    parser.add_argument(
        "place", metavar="PLACE", help="a store (folder, s3://...), a run folder or a sweep's"
    )
    place: str = parser.parse_args(argv).place
    try:
        _show(place, Console())
    except UserError as error:
        return _complain(error)
    except OSError as error:
        return _complain(unusable(place, "read", error))
    return 0


def _complain(error: UserError) -> int:
    print(f"distlab: {plain(str(error), None)}", file=sys.stderr)
    return EXIT_BAD_INPUT


def _show(place: str, console: Console) -> None:
    path = Path(place)
    if record_file(path).is_file():
        sweep = read_record(path)
        render_jobs(sweep, console)
        folders = (RunFolder(path / job.name) for job in sweep.jobs)
        begun = [folder for folder in folders if folder.manifest_file.is_file()]
        render_cells(run_status(begun), console)
    elif RunFolder(path).manifest_file.is_file():
        render_cells(run_status([RunFolder(path)]), console)
    else:
        render_cells(_store(place), console)


def _store(place: str) -> tuple[CellStatus, ...]:
    if not (cells := store_status(Store.look(place))):
        raise UserError(
            f"{place} is no store with cells, no run and no sweep: name one that a run made"
        )
    return cells


if __name__ == "__main__":
    sys.exit(main())
