import argparse
import importlib

import pytest

from distlab.console.commands import COMMANDS, SUBCOMMANDS, module_of


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"run"}))
def test_subcommands_are_those_that_the_parser_takes(command: str) -> None:
    parser: argparse.ArgumentParser = importlib.import_module(module_of(command)).main.parser()
    taken = [
        name
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    ]
    assert sorted(taken) == sorted(SUBCOMMANDS.get(command, ()))
    assert all(name in COMMANDS[command] for name in taken)
