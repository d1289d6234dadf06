"""Keeps engine and Ray output off the terminal: file descriptors 1 and 2 go to the run's log."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path


@contextmanager
def quiet(log: Path) -> Iterator[TextIOWrapper]:
    """Send everything that this process and its children print to ``log``.

    Works below Python's streams, since Ray and vLLM write from C++ and from subprocesses too.

    Yields:
        A text stream to where standard output went before.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = (os.dup(1), os.dup(2))
    terminal = os.fdopen(os.dup(saved[0]), "w", encoding="utf-8", errors="replace", buffering=1)
    with log.open("ab", buffering=0) as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    try:
        yield terminal
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        terminal.close()
