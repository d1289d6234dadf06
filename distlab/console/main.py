"""One frame for all commands: arguments, bad input, signals, faults, and what cannot be shown."""

import argparse
import math
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from distlab.console.command import command_line, going_on
from distlab.console.exits import Exit, stopped_by
from distlab.console.stopping import number_of, stoppable
from distlab.console.streams import show_all
from distlab.credentials import refuse_typed
from distlab.errors import UserError, file_fault, nearest
from distlab.escape import plain
from distlab.files import expanded
from distlab.versions import version_line


@dataclass(frozen=True, slots=True)
class Command:
    """A command; calling it runs it and returns the exit status.

    Attributes:
        own: Makes the parser of its own arguments.
        work: Does what the arguments say, which have what was typed as ``words``; returns the
            exit status.
        stopped: What to say when a signal stops it, before how to go on.
    """

    own: Callable[[], argparse.ArgumentParser]
    work: Callable[[argparse.Namespace], int]
    stopped: str = "stopped; what is written is whole"

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Run it.

        Args:
            argv: Arguments without the program's name; None for the command line's.

        Returns:
            Exit status, as ``distlab.console.exits`` and docs/exit-codes.md say.
        """
        words = sys.argv[1:] if argv is None else argv
        parser = self.parser()
        resume = going_on(command_line(parser.prog, words))
        if argv is None:
            return as_process(lambda: self._run(parser, words), self.stopped, resume)
        return guarded(lambda: self._run(parser, words), self.stopped + resume)

    def parser(self) -> argparse.ArgumentParser:
        """The parser of its arguments, with what all commands take."""
        made = self.own()
        made.add_argument(
            "--version", action=_Version, nargs=0, help="show distlab's version and exit"
        )
        return made

    def _run(self, parser: argparse.ArgumentParser, argv: Sequence[str]) -> int:
        refuse_typed(argv)
        arguments = _parsed(parser, argv)
        arguments.words = tuple(argv)
        return self.work(arguments)


class _Version(argparse.Action):
    """Shows the version, which is looked up only then: git says the commit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(version_line())
        parser.exit()


def as_process(work: Callable[[], int], stopped: str = "stopped", resume: str = "") -> int:
    """Run what a process is there for; returns its exit status.

    Args:
        work: Returns an exit status.
        stopped: What to say when a signal stops it.
        resume: How to go on, as the end of that sentence.
    """
    # As `python -m` does: a grader, an engine or a dataset of the user's lies in this folder.
    with suppress(OSError):
        if not sys.flags.safe_path and (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
    out = show_all()
    with stoppable(resume):
        status = guarded(work, stopped + resume)
        out.flush()
    if out.lost is not None:
        complain(f"standard output cannot be written ({out.lost.strerror})")
    return status or (Exit.DONE if out.lost is None else Exit.FAILED)


def guarded(work: Callable[[], int], stopped: str = "stopped") -> int:
    """The status of some work, whatever becomes of it; what went wrong is printed.

    Args:
        work: Returns an exit status.
        stopped: What to say when a signal stops it.
    """
    try:
        return work()
    except UserError as error:
        return complain(str(error))
    except SystemExit as end:  # argparse and Hydra end so
        if isinstance(end.code, str):  # as sys.exit("sentence") in a module of the user's
            return complain(end.code)
        return int(end.code or Exit.DONE)
    except KeyboardInterrupt as stop:
        print(stopped)
        return stopped_by(number_of(stop))
    except Exception as error:
        if isinstance(error, OSError) and (sentence := file_fault(error)) is not None:
            return complain(sentence)
        traceback.print_exc()
        return Exit.FAULT


def complain(sentence: str) -> int:
    """Print the sentence for bad input; returns its status."""
    print(f"distlab: {plain(sentence, None)}", file=sys.stderr)
    return Exit.BAD_INPUT


def path(text: str) -> Path:
    """An argument that is a path; a shell expands no ``~`` in ``--out=~/folder``."""
    return Path(_place(text))


def points(text: str) -> float:
    """An argument in percentage points, as a share.

    Raises:
        ArgumentTypeError: They are no number above 0 and at most 100.
    """
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0 < points <= 100:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no margin: name percentage points above 0 and at most 100"
        )
    return points / 100


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option for a store that lies elsewhere than its run says."""
    parser.add_argument(
        "--store",
        type=_place,
        metavar="STORE",
        help="where the run's samples are now (default: where it says, in its folder or beside it)",
    )


def _place(text: str) -> str:
    """An argument that is a folder or a URI.

    Raises:
        ArgumentTypeError: It names the home folder of nobody.
    """
    try:
        return expanded(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option for config folders of the user's, as Hydra's own command has it."""
    parser.add_argument(
        "--config-dir",
        type=path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="your own config folder, as distlab run takes it",
    )


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Options may stand between positional arguments, where there are no subcommands.

    Raises:
        UserError: There is no subcommand of the name that was typed.
    """
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            name = argv[0] if argv else ""
            if name and not name.startswith("-") and name not in action.choices:
                known = nearest(name, action.choices)
                raise UserError(f"there is no command '{parser.prog} {name}'{known}")
            return parser.parse_args(argv)
    return parser.parse_intermixed_args(argv)
