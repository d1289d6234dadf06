import os
import signal
import uuid

import pytest

from distlab.store import lifeline
from distlab.store.lifeline import Lifeline


def test_it_is_alive_while_it_is_held_and_unknown_where_it_never_was() -> None:
    name = uuid.uuid4().hex
    assert lifeline.is_alive(name) is None
    held = Lifeline(name)
    assert lifeline.is_alive(name) is True
    held.release()
    assert lifeline.is_alive(name) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_kernel_lets_it_go_however_the_process_ends(number: signal.Signals) -> None:
    name = uuid.uuid4().hex
    ready, told = os.pipe()
    if (child := os.fork()) == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        held = Lifeline(name)
        os.write(told, b"held")
        signal.pause()
        held.release()
        os._exit(0)
    assert os.read(ready, 4) == b"held"
    assert lifeline.is_alive(name) is True
    os.kill(child, number)
    os.waitpid(child, 0)
    assert lifeline.is_alive(name) is False
    lifeline.forget(name)
    lifeline.forget(name)
    assert lifeline.is_alive(name) is None


def test_a_program_that_the_process_starts_does_not_hold_it() -> None:
    held = Lifeline(uuid.uuid4().hex)
    assert held._descriptor is not None
    assert not os.get_inheritable(held._descriptor)
    held.release()
