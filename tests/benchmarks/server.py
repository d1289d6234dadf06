"""Processes that stay up over the pairs of a row: one JSON line in, one JSON line out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.harness import RowFailed

_ROOT = Path(__file__).parents[2]
_START_S = 240.0
_JOB_S = 150.0


class Server:
    """A benchmark process; a context manager that ends it with all that it started.

    Raises:
        RowFailed: It dies, or is silent for longer than its limit; the sentence ends with its log.
    """

    def __init__(
        self, command: list[str], env: Mapping[str, str] | None = None, start_s: float = _START_S
    ) -> None:
        self._name = command[command.index("-m") + 1].rpartition(".")[2]
        number, name = tempfile.mkstemp(suffix=f"-{self._name}.log")
        self._log = Path(name)
        with os.fdopen(number, "wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                env={**os.environ, "PYTHONPATH": str(_ROOT), **(env or {})},
                start_new_session=True,
            )
        self._buffer = b""
        self._receive(start_s)

    def ask(self, job: Mapping[str, Any], limit_s: float = _JOB_S) -> dict[str, Any]:
        """Send a job and wait for its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._failed("died") from error
        return self._receive(limit_s)

    def _receive(self, limit_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        until = time.monotonic() + limit_s
        while b"\n" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise self._failed(f"said nothing for {limit_s:.0f} s")
            chunk = os.read(self._process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise self._failed("died")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _failed(self, how: str) -> RowFailed:
        self.close()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return RowFailed(f"{self._name} {how} ({self._log}): {lines[-1] if lines else ''}")

    def close(self) -> None:
        """End it: politely by end of input, then by force."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(start: Callable[[], Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """Answer jobs until the input ends; everything that is printed otherwise goes to the log.

    Args:
        start: Loads what must be up and returns what answers a job.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    answer = start()
    answers.write(json.dumps({"ready": True}) + "\n")
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
