"""``distlab completion bash|zsh``: what makes a shell complete distlab's command lines."""

import argparse
import sys
from pathlib import Path
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command

_SHELLS: Final = ("bash", "zsh")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab completion",
        description='Print the script that completes distlab: eval "$(distlab completion bash)" in '
        "~/.bashrc, or the same with zsh in ~/.zshrc after compinit.",
    )
    parser.add_argument("shell", choices=_SHELLS, help="which shell")
    parser.add_argument(
        "--line", metavar="LINE", help="print what can come next on this line; the script asks so"
    )
    return parser


def _completion(arguments: argparse.Namespace) -> int:
    if arguments.line is None:
        print(Path(__file__).with_name(f"distlab.{arguments.shell}").read_text(), end="")
        return Exit.DONE
    from distlab.completion.words import candidates

    for candidate in candidates(arguments.line):
        print(candidate)
    return Exit.DONE


main: Final = Command(_parser, _completion)

if __name__ == "__main__":
    sys.exit(main())
