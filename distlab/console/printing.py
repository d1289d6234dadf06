"""What a command prints its results with."""

import os
from typing import Final

from rich.console import Console

from distlab.escape import terminal

# Columns that no line of ours has.
_ENDLESS: Final = 1_000_000


def printer() -> Console:
    """A console on standard output.

    It is as wide as the terminal, or as ``COLUMNS`` says. In a pipe and in a file lines are whole,
    so that what reads them finds every name in one piece.
    """
    console = Console()
    if not console.file.isatty() and "COLUMNS" not in os.environ:
        console.width = _ENDLESS
    return console


def say(console: Console, line: str) -> None:
    """Print a line that is not wrapped; what is not ours in it is escaped."""
    console.print(terminal(line, None), soft_wrap=True)
