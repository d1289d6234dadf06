"""The command line that was typed."""

import shlex
import sys
from collections.abc import Sequence


def resume_command() -> str:
    """What to type to go on."""
    return command_line("distlab run", sys.argv[1:])


def command_line(prog: str, words: Sequence[str]) -> str:
    """What to type for a command.

    Args:
        prog: As its help calls it: "distlab score".
        words: Its arguments.
    """
    return shlex.join(["python", "-m", prog.replace(" ", "."), *words])


def going_on(command: str) -> str:
    """How to go on, as the end of a sentence."""
    return f". Resume with:\n  {command}"
