"""``python -m distlab.store gc|verify|export STORE``: see to a store as a whole."""

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

from distlab.errors import UserError
from distlab.escape import plain
from distlab.store.export import Form, export
from distlab.store.filesystem import unusable
from distlab.store.gc import delete, find_leftovers
from distlab.store.store import Store
from distlab.store.verify import verify

EXIT_FAULTS = 1
EXIT_BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command on a store.

    Args:
        argv: Arguments without the program's name; None for the command line's.

    Returns:
        Exit status: 0; 1 where verify found faults; 2 for bad input.
    """
    arguments = _parser().parse_args(argv)
    try:
        store = Store.look(arguments.store)
        if not store.files():
            raise UserError(f"the store {arguments.store} holds nothing: name one that a run made")
        return int(arguments.work(store, arguments))
    except UserError as error:
        return _complain(error)
    except OSError as error:
        return _complain(unusable(arguments.store, "used", error))


def _complain(error: UserError) -> int:
    print(f"distlab: {plain(str(error), None)}", file=sys.stderr)
    return EXIT_BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m distlab.store", description="See to a store of samples as a whole."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    collect = commands.add_parser(
        "gc", help="find what killed writers left; deletes nothing without --delete"
    )
    collect.add_argument("--delete", action="store_true", help="delete what is found")
    collect.add_argument(
        "--older-than",
        type=float,
        default=60,
        metavar="MINUTES",
        help="keep what was written later: its writer may be at work (default: 60)",
    )
    check = commands.add_parser("verify", help="read every shard to its last byte")
    copy = commands.add_parser("export", help="write each cell as a file or folder for others")
    copy.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to")
    copy.add_argument(
        "--as",
        dest="form",
        type=Form,
        choices=list(Form),
        default=Form.PARQUET,
        help="one Parquet a cell, or one folder with a dataset card as hubs take it",
    )
    copy.add_argument(
        "--cells", default="", metavar="PREFIX", help="only cells below FAMILY/VARIANT/..."
    )
    for command, work in ((collect, _gc), (check, _verify), (copy, _export)):
        command.add_argument("store", metavar="STORE", help="a folder, or s3://... and the like")
        command.set_defaults(work=work)
    return parser


def _gc(store: Store, arguments: argparse.Namespace) -> int:
    finds = find_leftovers(store, datetime.timedelta(minutes=arguments.older_than))
    for find in finds:
        kept = f", kept: {find.kept}" if find.kept else ""
        _say(f"{find.kind}: {find.path} ({find.size} bytes){kept}")
    doomed = [find for find in finds if not find.kept]
    size = sum(find.size for find in doomed)
    if arguments.delete:
        _say(f"deleted {delete(store, finds)} files, {size} bytes; kept {len(finds) - len(doomed)}")
    else:
        rest = "; --delete deletes them" if doomed else ""
        _say(f"{len(doomed)} files, {size} bytes, can be deleted{rest}")
    return 0


def _verify(store: Store, arguments: argparse.Namespace) -> int:
    shards = samples = faults = 0
    for check in verify(store):
        shards, samples = shards + check.shards, samples + check.samples
        repeated = f", {check.repeated} of them in two shards" if check.repeated else ""
        _say(f"{check.cell}: {check.samples} samples in {check.shards} shards{repeated}")
        for fault in check.faults:
            faults += 1
            _say(f"  fault: {fault}")
    _say(f"{samples} samples in {shards} shards, {faults} faults")
    return EXIT_FAULTS if faults else 0


def _export(store: Store, arguments: argparse.Namespace) -> int:
    cells = 0
    for path, samples in export(store, arguments.out, arguments.form, arguments.cells):
        cells += 1
        _say(f"{path}: {samples} samples")
    if not cells:
        raise UserError(
            f"the store {arguments.store} has no samples below '{arguments.cells}': see its "
            "cells with `python -m distlab.status STORE`"
        )
    return 0


def _say(line: str) -> None:
    print(plain(line, None))


if __name__ == "__main__":
    sys.exit(main())
