"""``distlab export RUN``: a scored run in the format of another tool, or for a hub."""

import argparse
import sys
from pathlib import Path
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.errors import UserError
from distlab.escape import plain

# As in ``forms``, which is imported late.
_FORMS: Final = ("hub", "every-eval-ever", "model-index", "csv", "lm-eval")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab export",
        description="Write a scored run, with problems, golds, samples, verdicts and scores, as "
        "others read it. `distlab store export` writes samples alone, of runs or of none.",
    )
    parser.add_argument(
        "run", type=path, metavar="RUN", help="a run folder, or that of a sweep, scored"
    )
    parser.add_argument(
        "--as",
        dest="form",
        required=True,
        choices=_FORMS,
        help="a dataset in Parquet with its card; the every_eval_ever schema; model cards with a "
        "model-index; CSV tables; logs as lm-eval writes them",
    )
    parser.add_argument(
        "--into", type=path, metavar="DIR", help="where to (default: NAME-FORM in this folder)"
    )
    parser.add_argument(
        "--push",
        metavar="ORG/NAME",
        help="upload the dataset of --as hub; a repository that is made is private",
    )
    return parser


def _export(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for pyarrow.
    from distlab.api.opened import Run
    from distlab.export.forms import FORMS, HUB
    from distlab.export.push import check_repository, push
    from distlab.files import written_once

    if arguments.push is not None and arguments.form != HUB:
        raise UserError(f"--push uploads a dataset: give --as {HUB}, or leave --push away")
    if arguments.push is not None:
        check_repository(arguments.push)
    run = Run(arguments.run)
    into = arguments.into or Path(f"{run.path.absolute().name}-{arguments.form}")
    if into.exists():
        raise UserError(f"{into} exists already: name another folder with --into, or remove it")
    with written_once(into) as draft:
        FORMS[arguments.form](run, draft)
    files = [file for file in into.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(plain(f"{len(files)} files, {size / 2**20:.1f} MiB: {into}", None))
    if arguments.push is not None:
        print(f"pushed to {push(into, arguments.push)}")
    return Exit.DONE


main: Final = Command(_parser, _export)

if __name__ == "__main__":
    sys.exit(main())
