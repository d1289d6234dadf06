"""``distlab list KIND``: what a config group has to choose from, a line each."""

import argparse
import sys
import textwrap
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir
from distlab.errors import nearest
from distlab.list.options import GROUPS, options

KEYS: Final = "keys"
KINDS: Final = (*GROUPS, KEYS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab list",
        description="What there is to choose from, with what it is: the first sentence of "
        "conf/GROUP/NAME.yaml; or every key of the config, with its default.",
    )
    parser.add_argument("kind", type=_kind, choices=KINDS, help="what to list")
    add_config_dir(parser)
    return parser


def _kind(text: str) -> str:
    if text not in KINDS:
        raise argparse.ArgumentTypeError(f"there is no '{text}'{nearest(text, KINDS)}")
    return text


def _list(arguments: argparse.Namespace) -> int:
    if arguments.kind == KEYS:
        return _list_keys()
    # Imported late: --help and completion should not wait for Hydra.
    from distlab.config.compose import conf_folder
    from distlab.config.own_parts import own_conf_folders

    folders = (*arguments.config_dir, conf_folder(), *own_conf_folders())
    found = options(GROUPS[arguments.kind], folders)
    width = max(len(option.name) for option in found)
    for option in found:
        print(f"{option.name:{width}}  {option.summary}")
    return Exit.DONE


def _list_keys() -> int:
    from distlab.list.keys import config_keys

    for key in config_keys():
        print(f"{key.path}: {key.type}{'' if key.default is None else f' = {key.default}'}")
        print(textwrap.fill(key.comment, 96, initial_indent="    ", subsequent_indent="    "))
    return Exit.DONE


main: Final = Command(_parser, _list)

if __name__ == "__main__":
    sys.exit(main())
