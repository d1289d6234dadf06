"""Signals to a command in a process of its own, as a terminal, `kill` and a scheduler send them."""

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.console.test_main import REPO, SCRIPT

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STILL = "distlab: still stopping; a third signal ends it at once\n"
# What a driver does that starts Ray: a child, and a child of that, which is an orphan later.
PARENT = """
import os, subprocess, time
from distlab.console.stopping import starting_children
with starting_children():
    shell = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; sleep 1000"], stdout=-1, text=True)
    deaf = subprocess.Popen(["sleep", "1000"])
orphan = shell.stdout.readline()
os.write(1, f"ready {shell.pid} {deaf.pid} {orphan}".encode())
"""
# Not through Python's streams: a signal in the middle of one leaves what was written in its buffer.
READY = "import os, time\nos.write(1, b'ready\\n')\n"
UNTIL_STOPPED = f"{READY}time.sleep(100)"


def _hear_all() -> None:
    """Under ``nohup`` the tests would hand on that SIGHUP is ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def started(code: str, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, code],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before or _hear_all,
    )


@contextmanager
def ready(
    code: str, before: Callable[[], object] | None = None
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A command that has come to where it says so, and the processes that it named."""
    with started(code, before) as process:
        try:
            assert process.stdout is not None
            word, *pids = process.stdout.readline().split()
            assert word == "ready"
            yield process, [int(pid) for pid in pids]
        finally:
            process.kill()


def is_gone(pid: int) -> bool:
    try:
        return ") Z " in (Path("/proc") / str(pid) / "stat").read_text()
    except FileNotFoundError:
        return True


def await_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while not all(map(is_gone, pids)):
        assert time.monotonic() < deadline, pids
        time.sleep(0.02)


def resume(code: str) -> str:
    return f"Resume with:\n  python -m distlab.test {shlex.quote(code)}\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_stops_it_in_order_and_says_how_to_go_on(number: signal.Signals) -> None:
    with ready(UNTIL_STOPPED) as (process, _):
        process.send_signal(number)
        said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert said == (f"stopped; what is written is whole. {resume(UNTIL_STOPPED)}", "")


def test_a_signal_that_comes_while_an_object_is_finalised_stops_it_all_the_same() -> None:
    code = (
        "class Slow:\n    def __del__(self):\n        import os, time\n"
        "        os.write(1, b'ready\\n')\n        time.sleep(20)\n"
        "Slow()\nimport time\ntime.sleep(20)"
    )
    with ready(code) as (process, _):
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert said == (f"stopped; what is written is whole. {resume(code)}", "")


def test_the_second_signal_changes_nothing() -> None:
    code = (
        "import os, time\ntry:\n    os.write(1, b'ready\\n')\n    time.sleep(100)\n"
        "finally:\n    print('cleaning', flush=True)\n    input()\n    print('clean')"
    )
    with ready(code) as (process, _):
        assert process.stdout is not None
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == STILL
        out, err = process.communicate("\n", timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert out.startswith("clean\nstopped; ")
    assert err == ""


def test_the_third_signal_ends_it_at_once_with_all_that_it_started() -> None:
    code = (
        f"{PARENT}\ntry:\n    time.sleep(100)\nfinally:\n    shell.kill()\n    shell.wait()\n"
        "    time.sleep(100)"
    )
    with ready(code) as (process, pids):
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        await_gone(pids[:1])
        process.send_signal(signal.SIGTERM)
        assert process.stderr.readline() == STILL
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        await_gone(pids)
    assert process.returncode == 128 + signal.SIGHUP
    said = f"distlab: stopped at once; what is committed is safe. {resume(code)}"
    assert err == said


def test_what_was_started_ends_with_a_command_that_is_stopped_and_hears_no_hangup() -> None:
    with ready(f"{PARENT}\ntime.sleep(100)") as (process, pids):
        # A shell has a mask of its own.
        status = (Path("/proc") / str(pids[1]) / "status").read_text().split()
        blocked = int(status[status.index("SigBlk:") + 1], 16)
        assert blocked == 1 << signal.SIGHUP - 1
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        await_gone(pids)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("of_the_shell", [signal.SIG_IGN, signal.SIG_DFL])
def test_an_interrupt_is_heard_in_what_a_script_starts_in_the_background(
    of_the_shell: signal.Handlers,
) -> None:
    # As Ray's cancel does it, which goes by the handler that Python has.
    code = (
        "import _thread, time\nfrom distlab.console.stopping import hear_interrupts\n"
        "hear_interrupts()\n"
        "try:\n    _thread.interrupt_main()\n    time.sleep(0.01)\n"
        "except KeyboardInterrupt:\n    print('heard')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        preexec_fn=partial(signal.signal, signal.SIGINT, of_the_shell),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "heard\n"


def test_what_ray_starts_and_nothing_else_has_a_process_group_of_its_own() -> None:
    # With a function to call before it executes, as Ray starts its processes.
    code = (
        "import os, subprocess\nfrom distlab.console.stopping import starting_children\n"
        "def group():\n"
        "    sleep = subprocess.Popen(['sleep', '100'], preexec_fn=lambda: None)\n"
        "    found = os.getpgid(sleep.pid)\n    sleep.kill()\n    sleep.wait()\n"
        "    return 'its own' if found == sleep.pid else 'ours'\n"
        "with starting_children():\n    during = group()\n"
        "print(during, group())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "its own ours\n"


def test_a_handler_of_rays_is_replaced_and_what_it_raised_is_a_stop() -> None:
    handler = "import signal, sys\nsignal.signal(15, lambda number, frame: sys.exit(number))\n"
    start = "from distlab.console.stopping import *\nwith starting_children():\n"
    during = start + textwrap.indent(handler + UNTIL_STOPPED, "    ")
    after = start + textwrap.indent(handler, "    ") + UNTIL_STOPPED
    # As Ray's C++ does it, which Python does not see.
    take = "import ctypes, time\nctypes.CDLL(None).signal(15, None)\n"
    end = start.replace("starting", "ending") + textwrap.indent(take, "    ")
    ended = end + UNTIL_STOPPED
    ending = end + textwrap.indent(f"time.sleep(0.5)\n{UNTIL_STOPPED}", "    ")
    for code in (during, after, ended, ending):
        with ready(code) as (process, _):
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM
        assert said == (f"stopped; what is written is whole. {resume(code)}", "")


def test_a_hangup_is_ignored_under_nohup_and_a_signal_at_the_very_end_changes_no_status() -> None:
    code = (
        "import atexit, time\natexit.register(time.sleep, 1)\n"
        "atexit.register(print, 'over', flush=True)\nprint('ready', flush=True)\ninput()"
    )
    with ready(code, partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)) as (process, _):
        assert process.stdin is not None
        assert process.stdout is not None
        process.send_signal(signal.SIGHUP)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "over\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
