"""What can come next on a command line of distlab.

A candidate is a whole word; one that ends in a blank is complete, the others go on.
"""

import argparse
import importlib
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.console.commands import COMMANDS, module_of
from distlab.errors import UserError
from distlab.files import expanded
from distlab.runs.folder import RunFolder

# Where runs go unless a run is told otherwise, as conf/config.yaml has it.
_RUNS: Final = "runs"
# What is scored again is not sampled again: the keys that ``distlab score`` takes.
_SCORED: Final = ("extractor", "grader")
# How plan, score and run are told of config folders of the user's; the second is Hydra's.
_CONFIG_DIR: Final = ("--config-dir", "-cd")
# The last part of a list, or of values with commas.
_LISTED: Final = re.compile(r"(?P<key>[^=]+=)(?P<before>\[?(?:[^,\[]+,)*)(?P<last>[^,\[]*)")


def candidates(line: str) -> list[str]:
    """The words that the last one on a line can become, and those that can follow it.

    Args:
        line: From the program's name to the cursor.
    """
    try:
        given = shlex.split(line)
    except ValueError:  # a quote is open: what is inside is the user's
        return []
    current = given.pop() if given and not line[-1:].isspace() else ""
    if len(given) < 2:
        return _starting([*COMMANDS, "--help", "--version"], current)
    command = given[1]
    if command not in COMMANDS:
        return []
    return _arguments(_parser_of(command), given[2:], current)


def _parser_of(command: str) -> argparse.ArgumentParser:
    if command == "run":
        from distlab.config.hydra_options import hydra_parser

        return hydra_parser()
    made: argparse.ArgumentParser = importlib.import_module(module_of(command)).main.parser()
    return made


def _arguments(parser: argparse.ArgumentParser, given: Sequence[str], current: str) -> list[str]:
    options = {name: action for action in parser._actions for name in action.option_strings}
    places = [action for action in parser._actions if not action.option_strings]
    taking: argparse.Action | None = None
    for index, word in enumerate(given):
        if word in options:
            taking = options[word] if options[word].nargs != 0 else None
        elif taking is not None:
            taking = taking if taking.nargs == "+" else None
        elif places and isinstance(places[0], argparse._SubParsersAction):
            inner = places[0].choices.get(word)
            return [] if inner is None else _arguments(inner, given[index + 1 :], current)
        elif places and places[0].nargs not in ("*", "+"):
            places.pop(0)
    if current.startswith("-"):
        return _starting(options, current)
    wanted = taking or (places[0] if places else None)
    words = [word for word in given if "=" in word and not word.startswith("-")]
    return [] if wanted is None else _values(wanted, (*_own_folders(given), *words), current)


def _own_folders(given: Sequence[str]) -> list[str]:
    """The override by which Hydra looks into the folders that ``--config-dir`` names too."""
    from distlab.config.compose import own_folders

    named = [after for word, after in pairwise(given) if word in _CONFIG_DIR]
    named += [word.partition("=")[2] for word in given if word.startswith(f"{_CONFIG_DIR[0]}=")]
    try:
        return own_folders([Path(expanded(folder)) for folder in named if folder])
    except UserError:  # the command will say so
        return []


def _values(action: argparse.Action, overrides: Sequence[str], current: str) -> list[str]:
    """What an argument can be, by its choices or by what its metavar says that it is."""
    if action.choices is not None:
        return _starting(map(str, action.choices), current)
    match action.metavar or action.dest:
        case "RUN":
            return _runs(current)
        case "PATH" | "FOLDER" | "FILE" | "STORE" | "PLACE" | "config_dir":
            return _paths(current)
        case "OVERRIDE" | "overrides":
            return _overrides(current, overrides)
        case "VARIANT":
            return _starting((BASE, INSTRUCT), current)
        case "KEY=VALUE":
            return [word for word in _overrides(current, ()) if word.startswith(_SCORED)]
    return []


def _starting(names: Iterable[str], current: str) -> list[str]:
    return [f"{name} " for name in names if name.startswith(current)]


def _runs(current: str) -> list[str]:
    """Run folders where runs go, the latest first; folders, where none begins so."""
    entries = sorted(Path(_RUNS).glob("*/"), reverse=True) if Path(_RUNS).is_dir() else []
    inner = [run for entry in entries for run in (entry, *sorted(entry.glob("*/")))]
    found = [str(run) for run in inner if RunFolder(run).manifest_file.is_file()]
    sweeps = dict.fromkeys(str(Path(run).parent) for run in found if str(Path(run).parent) != _RUNS)
    safe = [name for name in (*found, *sweeps) if shlex.quote(name) == name]
    return _starting(safe, current) or [p for p in _paths(current) if p.endswith("/")]


def _paths(current: str) -> list[str]:
    """Files and folders; names that a shell would have to quote are left out."""
    folder, slash, begun = current.rpartition("/")
    try:
        entries = sorted(os.scandir(expanded(folder) or slash or "."), key=lambda entry: entry.name)
    except (OSError, UserError):
        return []
    return [
        f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ' '}"
        for entry in entries
        if entry.name.startswith(begun) and shlex.quote(entry.name) == entry.name
        if begun or not entry.name.startswith(".")
    ]


def _overrides(current: str, given: Sequence[str]) -> list[str]:
    """Hydra's own completion, for the last part of a list too."""
    listed = _LISTED.fullmatch(current)
    if listed is None or not listed["before"]:
        # An experiment adds to the defaults, so that it takes a plus.
        return [_ended(word) for word in _hydra(current, given) if _can_be_typed(word)]
    key, before = listed["key"], listed["before"]
    words = _hydra(key + listed["last"], given)
    return [key + before + word.removeprefix(key) for word in words]


def _can_be_typed(word: str) -> bool:
    """Not parts of options, whose names begin with ``_``."""
    key, _, value = word.partition("=")
    return key != "experiment" and not (value.startswith("_") and "." not in key)


def _ended(word: str) -> str:
    return word if word.endswith(("=", ".", "/")) else f"{word} "


def _hydra(current: str, given: Sequence[str]) -> list[str]:
    from hydra import initialize_config_dir
    from hydra._internal.core_plugins.bash_completion import BashCompletion
    from hydra.core.global_hydra import GlobalHydra

    from distlab.config.compose import conf_folder, explained, register_schema

    register_schema()
    line = " ".join(word for word in (*given, current) if not re.search(r"\s", word))
    try:
        with explained(), initialize_config_dir(str(conf_folder()), version_base="1.3"):
            plugin = BashCompletion(GlobalHydra.instance().config_loader())
            return list(plugin._query("config", line if current else f"{line} "))
    except UserError:  # a word before the cursor is wrong: the command will say so
        return []
