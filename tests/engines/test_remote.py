"""The handle of a replica has the methods of a replica, with their types."""

import inspect
from typing import get_args, get_type_hints

import pytest

from distlab.engines.remote import RemoteReplica
from distlab.engines.replica import Replica

METHODS = [
    name for name, _ in inspect.getmembers(Replica, inspect.isfunction) if not name.startswith("_")
]


def test_the_handle_has_every_public_method_and_no_other() -> None:
    handled = {name for name in vars(RemoteReplica) if not name.startswith("_")}
    assert handled == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_and_gives_what_the_replica_does(name: str) -> None:
    hints = get_type_hints(getattr(Replica, name))
    result = hints.pop("return")
    if inspect.isasyncgenfunction(getattr(Replica, name)):
        (result,) = get_args(result)
    handled = get_type_hints(vars(RemoteReplica)[name].fget)["return"]
    taken, given = get_args(handled)
    assert tuple(taken) == tuple(hints.values())
    assert given is result
