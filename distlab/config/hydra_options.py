"""The options of ``distlab run``, which are Hydra's, and our sentences where they lead nowhere."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hydra._internal.utils import get_args_parser

from distlab.config.compose import conf_folder, own_folders
from distlab.errors import UserError
from distlab.versions import version_line


def hydra_parser() -> argparse.ArgumentParser:
    """Hydra's parser under the command's name, with distlab's version."""
    parser = get_args_parser()
    parser.prog = "distlab run"
    for action in parser._actions:
        if isinstance(action, argparse._VersionAction):
            action.version = version_line()
    return parser


def check_options(words: Sequence[str]) -> None:
    """See that the folders and the config which the options name exist.

    Args:
        words: The command line without the program's name.

    Raises:
        UserError: They do not.
        SystemExit: The words are no options of Hydra's, or ask for the version.
    """
    given = hydra_parser().parse_args(words)
    own = [Path(given.config_dir)] if given.config_dir else []
    own_folders(own)
    primary = given.config_path
    if primary is not None and "://" in primary:  # a package's; Hydra alone can look into it
        return
    if primary is not None and not (Path(primary).is_absolute() and Path(primary).is_dir()):
        raise UserError(
            f"--config-path is {primary}: give the absolute path of a folder, or leave it out and "
            "name a folder of your own as --config-dir"
        )
    _check_name(given.config_name, [*own, conf_folder() if primary is None else Path(primary)])


def _check_name(name: str | None, folders: Sequence[Path]) -> None:
    if name is None or any((folder / f"{_stem(name)}.yaml").is_file() for folder in folders):
        return
    raise UserError(
        f"--config-name is {name}: there is no {_stem(name)}.yaml in "
        f"{' or '.join(map(str, folders))}; leave it out, or name its folder as --config-dir"
    )


def _stem(name: str) -> str:
    return name.removesuffix(".yaml")
