"""``distlab store gc|verify|repair|export STORE``: see to a store as a whole."""

import argparse
import datetime
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.errors import UserError, counted, file_fault, nearest
from distlab.escape import plain
from distlab.files import expanded
from distlab.store.export import Form, export
from distlab.store.filesystem import unusable
from distlab.store.gc import delete, find_leftovers
from distlab.store.repair import repair
from distlab.store.store import Store
from distlab.store.verify import CellCheck, Fault, verify

# A century.
_MOST_MINUTES: Final = 60 * 24 * 36525


def _store(arguments: argparse.Namespace) -> int:
    """Run one of the commands on a store."""
    uri = expanded(arguments.store)
    try:
        store = Store.look(uri)
        if not store.files():
            raise UserError(f"the store {uri} holds nothing: name one that a run made")
        return int(arguments.work(store, arguments))
    except OSError as error:
        if error.filename and file_fault(error) is not None:
            # It says which file, and that need not be one of the store.
            raise
        raise unusable(uri, "used", error) from error


def _refuse_other_folder(store: Store) -> None:
    if not store.cells():
        raise UserError(
            f"{store.uri} is no store: nothing in it is a cell (a folder with cell.json); name the "
            "folder that a run was given as `store`"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab store", description="See to a store of samples as a whole."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    collect = commands.add_parser(
        "gc", help="find what killed writers left; deletes nothing without --delete"
    )
    collect.add_argument("--delete", action="store_true", help="delete what is found")
    collect.add_argument(
        "--older-than",
        type=_minutes,
        default=60,
        metavar="MINUTES",
        help="keep what was written later: its writer may be at work (default: 60)",
    )
    check = commands.add_parser("verify", help="read every shard to its last byte")
    mend = commands.add_parser(
        "repair",
        help="set damaged shards aside, with a record; the same run or ingest brings samples anew",
    )
    copy = commands.add_parser("export", help="write each cell as a file or folder for others")
    copy.add_argument("--out", type=path, required=True, metavar="FOLDER", help="where to")
    copy.add_argument(
        "--as",
        dest="form",
        type=_form,
        choices=list(Form),
        default=Form.PARQUET,
        help="one Parquet per cell, or one folder with a dataset card as hubs take it",
    )
    copy.add_argument(
        "--cells", default="", metavar="PREFIX", help="only cells below FAMILY/VARIANT/..."
    )
    for command, work in ((collect, _gc), (check, _verify), (mend, _repair), (copy, _export)):
        command.add_argument("store", metavar="STORE", help="a folder, or s3://... and the like")
        command.set_defaults(work=work)
    return parser


def _minutes(text: str) -> float:
    """A time that is over: what will be written later is nobody's leftover."""
    with suppress(ValueError):
        if 0 <= (minutes := float(text)) <= _MOST_MINUTES:
            return minutes
    raise argparse.ArgumentTypeError(f"'{text}' is no time: give minutes, 0 or more")


def _form(text: str) -> Form:
    if text not in set(Form):
        raise argparse.ArgumentTypeError(f"there is no '{text}'{nearest(text, Form)}")
    return Form(text)


def _gc(store: Store, arguments: argparse.Namespace) -> int:
    finds = find_leftovers(store, datetime.timedelta(minutes=arguments.older_than))
    if not finds:
        _refuse_other_folder(store)
    for find in finds:
        kept = f", kept: {find.kept}" if find.kept else ""
        _say(f"{find.kind}: {find.path} ({find.size} bytes){kept}")
    doomed = [find for find in finds if not find.kept]
    size = sum(find.size for find in doomed)
    if arguments.delete:
        gone = counted(delete(store, finds), "file")
        _say(f"deleted {gone}, {size} bytes; kept {len(finds) - len(doomed)}")
    else:
        rest = "; --delete deletes them" if doomed else ""
        _say(f"{counted(len(doomed), 'file')}, {size} bytes, can be deleted{rest}")
    return Exit.DONE


def _verify(store: Store, arguments: argparse.Namespace) -> int:
    _refuse_other_folder(store)
    faults = _say_checks(verify(store), "`repair` sets it aside")
    return Exit.FAILED if faults else Exit.DONE


def _repair(store: Store, arguments: argparse.Namespace) -> int:
    _refuse_other_folder(store)
    faults = _say_checks(repair(store, "distlab.store repair"), "set aside")
    return Exit.FAILED if any(not fault.shard for fault in faults) else Exit.DONE


def _say_checks(checks: Iterator[CellCheck], cure: str) -> list[Fault]:
    """Print what was found in each cell; ``cure`` says what becomes of a shard at fault."""
    shards = samples = unsealed = 0
    faults: list[Fault] = []
    for check in checks:
        shards, samples = shards + check.shards, samples + check.samples
        unsealed += check.unsealed
        repeated = f", {check.repeated} of them in two shards" if check.repeated else ""
        bare = f", {counted(check.unsealed, 'shard')} without checksums" if check.unsealed else ""
        _say(f"{check.cell.name}: {_held(check.samples, check.shards)}{repeated}{bare}")
        for fault in check.faults:
            _say(f"  fault: {fault.sentence}{f' ({cure})' if fault.shard else ''}")
        faults += check.faults
    if unsealed:
        _say(
            f"{counted(unsealed, 'shard')} of sample format 1 without checksums: a changed bit "
            "there is a fault only where it cannot be read"
        )
    _say(f"{_held(samples, shards)}, {counted(len(faults), 'fault')}")
    return faults


def _held(samples: int, shards: int) -> str:
    return f"{counted(samples, 'sample')} in {counted(shards, 'shard')}"


def _export(store: Store, arguments: argparse.Namespace) -> int:
    cells = 0
    for file, samples in export(store, arguments.out, arguments.form, arguments.cells):
        cells += 1
        _say(f"{file}: {counted(samples, 'sample')}")
    if not cells:
        raise UserError(
            f"the store {arguments.store} has no samples below '{arguments.cells}': see its "
            "cells with `python -m distlab.status STORE`"
        )
    return Exit.DONE


def _say(line: str) -> None:
    print(plain(line, None))


main: Final = Command(_parser, _store)

if __name__ == "__main__":
    sys.exit(main())
