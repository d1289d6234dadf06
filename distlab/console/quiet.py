"""Keeps engine and Ray output off the terminal: file descriptors 1 and 2 go to the run's log."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from distlab.console.streams import ShownStream


@contextmanager
def quiet(log: Path) -> Iterator[ShownStream]:
    """Send everything that this process and its children print to ``log``.

    Works below Python's streams, since Ray and vLLM write from C++ and from subprocesses too.

    Yields:
        A text stream to where standard output went before. It takes any text and never fails: what
        is shown does not decide whether a study goes on.
    """
    _flush()
    saved = (os.dup(1), os.dup(2))
    terminal = ShownStream(os.dup(saved[0]), sys.stdout.encoding, closes=True, by_line=True)
    with log.open("ab", buffering=0) as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    with ExitStack() as stack:
        stack.callback(_restore, saved, terminal)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, ShownStream):
                stack.enter_context(stream.diverted())
        stack.callback(_flush)
        yield terminal


def _restore(saved: tuple[int, int], terminal: ShownStream) -> None:
    for number, descriptor in zip((1, 2), saved, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    terminal.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
