"""``distlab watch FOLDER``: evaluate checkpoints as a training writes them, each once."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from distlab.console.command import command_line
from distlab.console.exits import Exit, stopped_by
from distlab.console.main import Command, add_config_dir, path
from distlab.errors import UserError
from distlab.files import folder_name, whole

if TYPE_CHECKING:
    from distlab.watch.evaluate import Evaluation
    from distlab.watch.looks import Files, Looks

# Beside the runs: the settings that all of them were made with.
_SETTINGS: Final = "watch.txt"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab watch",
        description="Evaluate the checkpoints that a training writes, each once and whole ones "
        "alone, and keep the report on all of them current.",
    )
    add = parser.add_argument
    add("folder", type=path, metavar="FOLDER", help="holds a folder for each checkpoint")
    add(
        "overrides", nargs="*", metavar="OVERRIDE", help="of the study, as `distlab run` takes them"
    )
    add(
        "--pattern",
        default=r"(\d+)",
        help=r"finds the step in the folders' names (default '(\d+)')",
    )
    add(
        "--format",
        choices=("plain", "chat"),
        default="plain",
        help="prompt with plain text (default) or by the chat template",
    )
    add("--into", type=path, metavar="FOLDER", help="where runs and report go (runs/watch-NAME)")
    add("--every", type=float, default=30.0, metavar="SECONDS", help="between looks (default 30)")
    add("--once", action="store_true", help="end once all that is there is evaluated")
    add_config_dir(parser)
    return parser


def _watch(arguments: argparse.Namespace) -> int:
    # Imported late: --help should not wait for transformers.
    from distlab.config.compose import compose_config, own_folders
    from distlab.config.quoting import quoted
    from distlab.console.printing import printer
    from distlab.files import expanded
    from distlab.runs.folder import occupied
    from distlab.store.store import Store
    from distlab.watch.evaluate import Evaluation
    from distlab.watch.looks import Looks

    if arguments.every <= 0:
        raise UserError(f"--every is {arguments.every:g}: give seconds above 0")
    name = arguments.folder.absolute().name
    family = f"model.name={quoted(f'{name}-ladder')}"
    own = own_folders(arguments.config_dir)
    config = compose_config([*own, "model=pair", family, *arguments.overrides])
    into = arguments.into or Path(expanded(config.runs)) / f"watch-{folder_name(name)}"
    command = command_line("distlab watch", arguments.words)
    with occupied(into) as folder:
        _refuse_other_settings(folder.path, arguments)
        store = Store.open(expanded(config.store))
        pattern, form = arguments.pattern, arguments.format
        dirs = arguments.config_dir
        made = Evaluation(config, dirs, pattern, form, folder.path, command, printer(), store)
        with closing(made):
            looks = Looks(arguments.folder, pattern)
            _look_on(made, looks, arguments.every, once=arguments.once)
    if made.signal is not None:
        print(f"stopped; what was sampled is committed. Resume with:\n  {command}")
        return stopped_by(made.signal)
    return Exit.FAILED if made.errors else Exit.DONE


def _refuse_other_settings(into: Path, arguments: argparse.Namespace) -> None:
    """Keep checkpoints of one report under one set of settings.

    Raises:
        UserError: Those in the folder were evaluated with others.
    """
    place = str(arguments.folder.absolute())
    own = [f"--config-dir={folder.absolute()}" for folder in arguments.config_dir]
    lines = [place, arguments.pattern, arguments.format, *own, *arguments.overrides]
    wanted, file = "\n".join(lines), into / _SETTINGS
    if not file.is_file():
        with whole(file) as stream:
            stream.write(wanted.encode())
    elif file.read_text(encoding="utf-8") != wanted:
        raise UserError(
            f"the runs in {into} were made with other settings (see {file}): repeat these, or name "
            "another folder with --into"
        )


def _look_on(made: Evaluation, looks: Looks, every: float, *, once: bool) -> None:
    """Evaluate what is whole at each look, until a signal or, once, until nothing is left.

    What failed is tried again only when its files change, or by the next command.
    """
    tried: dict[Path, Files] = {}
    looks.whole()
    pause = min(every, 1.0)
    while True:
        time.sleep(pause)
        found = looks.whole()
        new = [p for p in found if not made.is_done(p) and tried.get(p) != looks.files(p)]
        tried |= {path: looks.files(path) for path in new}
        made.evaluate(new)
        if made.signal is not None or (once and not new and looks.is_calm):
            return
        pause = every if looks.is_calm and not new else min(every, 1.0)


main: Final = Command(_parser, _watch)

if __name__ == "__main__":
    sys.exit(main())
