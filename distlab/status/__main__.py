"""``distlab status STORE|RUN|SWEEP``: what there is, and what is missing."""

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from distlab.console.exits import Exit
from distlab.console.main import Command, add_store
from distlab.console.printing import printer
from distlab.errors import UserError
from distlab.files import expanded
from distlab.runs.folder import RunFolder
from distlab.status.cell_status import CellStatus
from distlab.status.read import run_status, store_status
from distlab.status.status_text import render_cells, render_jobs
from distlab.store.filesystem import unusable
from distlab.store.store import Store
from distlab.sweep.record import read_record, record_file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab status",
        description="What each cell has, what it lacks, what failed and why.",
    )
    parser.add_argument(
        "place", metavar="PLACE", help="a store (folder, s3://...), a run folder or a sweep's"
    )
    add_store(parser)
    return parser


def _status(arguments: argparse.Namespace) -> int:
    place = expanded(arguments.place)
    try:
        cells = _show(place, arguments.store, printer())
    except OSError as error:
        raise unusable(place, "read", error) from error
    return Exit.FAILED if any(cell.unreadable for cell in cells) else Exit.DONE


def _show(place: str, store: str | None, console: Console) -> tuple[CellStatus, ...]:
    path = Path(place)
    if record_file(path).is_file():
        sweep = read_record(path)
        render_jobs(sweep, console)
        folders = (RunFolder(path / job.name, store) for job in sweep.jobs)
        begun = [folder for folder in folders if folder.manifest_file.is_file()]
        cells = run_status(begun)
    elif RunFolder(path).manifest_file.is_file():
        cells = run_status([RunFolder(path, store)])
    elif store is not None:
        raise UserError(f"--store is for a run or a sweep, and {place} is none: leave it away")
    else:
        cells = _store(place)
    render_cells(cells, console)
    return cells


def _store(place: str) -> tuple[CellStatus, ...]:
    if not (cells := store_status(Store.look(place))):
        raise UserError(
            f"{place} is no store with cells, no run and no sweep: name one that a run made"
        )
    return cells


main: Final = Command(_parser, _status)

if __name__ == "__main__":
    sys.exit(main())
