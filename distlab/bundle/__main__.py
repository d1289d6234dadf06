"""``distlab bundle RUN``: a run and its samples as one archive."""

import argparse
import sys
from pathlib import Path
from typing import Final

from distlab.bundle.archive import write_archive
from distlab.console.exits import Exit
from distlab.console.main import Command, add_store, path
from distlab.errors import DISK_FULL, UserError
from distlab.runs.folder import RunFolder
from distlab.store.filesystem import unusable

# Characters of a run's name in that of its archive, whose draft has a longer one (ours).
_LONGEST: Final = 200


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab bundle",
        description="Write a run folder and its samples as one tar archive. Unpacked anywhere, "
        "score, report, view, status and compare take the run as it was.",
    )
    parser.add_argument("run", type=path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "--out", type=path, metavar="FILE", help="the archive (default: NAME.tar in this folder)"
    )
    add_store(parser)
    return parser


def _bundle(arguments: argparse.Namespace) -> int:
    folder = RunFolder(arguments.run, arguments.store)
    manifest = folder.read_manifest()
    archive = arguments.out or Path(f"{folder.path.absolute().name[:_LONGEST]}.tar")
    _refuse_place(archive)
    try:
        written = write_archive(folder, manifest, archive)
    except OSError as error:
        if error.errno in DISK_FULL:
            # Nothing is written but the archive.
            error.filename = str(archive)
            raise
        raise unusable(manifest.store, "read", error) from error
    print(f"{written.files} files, {written.bytes / 2**20:.1f} MiB: {archive}")
    print("Unpack it with tar -xf, and name the folder in it to score, report or view.")
    return Exit.DONE


def _refuse_place(archive: Path) -> None:
    """Refuse a place that no new file can have.

    Raises:
        UserError: Something is there, or its folder is not.
    """
    if archive.is_dir():
        raise UserError(f"--out {archive} is a folder: name a file in it, as {archive}/run.tar")
    if archive.exists():
        raise UserError(f"{archive} exists already: name another file with --out, or remove it")
    if not archive.absolute().parent.is_dir():
        raise UserError(f"the folder of --out {archive} does not exist: make it, or name another")


main: Final = Command(_parser, _bundle)

if __name__ == "__main__":
    sys.exit(main())
