"""``distlab list KIND``: what a config group has to choose from, a line each."""

import argparse
import sys
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir
from distlab.errors import nearest
from distlab.list.options import GROUPS, options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab list",
        description="What there is to choose from, with what it is: the first sentence of "
        "conf/GROUP/NAME.yaml.",
    )
    parser.add_argument("kind", type=_kind, choices=list(GROUPS), help="what to list")
    add_config_dir(parser)
    return parser


def _kind(text: str) -> str:
    if text not in GROUPS:
        raise argparse.ArgumentTypeError(f"there is no '{text}'{nearest(text, GROUPS)}")
    return text


def _list(arguments: argparse.Namespace) -> int:
    # Imported late: --help and completion should not wait for Hydra.
    from distlab.config.compose import conf_folder

    found = options(GROUPS[arguments.kind], (*arguments.config_dir, conf_folder()))
    width = max(len(option.name) for option in found)
    for option in found:
        print(f"{option.name:{width}}  {option.summary}")
    return Exit.DONE


main: Final = Command(_parser, _list)

if __name__ == "__main__":
    sys.exit(main())
