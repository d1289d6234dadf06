"""Counts what comes back from the engines: for the outcome, the display and Ray's metrics."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from distlab.console.display import Display
from distlab.engines.messages import Finished, Receipt
from distlab.engines.metrics import Metrics
from distlab.errors import brief
from distlab.sampling.outcome import Outcome


class SampleCounter:
    """Keeps every count of samples, tokens and failures.

    Args:
        names: Path of each cell to its key, which people know it by.
        outcome: Has an entry for each cell.
        display: Has a row for each cell.
        metrics: Of the run.
    """

    def __init__(
        self, names: Mapping[str, str], outcome: Outcome, display: Display, metrics: Metrics
    ) -> None:
        self._names = names
        self._outcome = outcome
        self._display = display
        self._metrics = metrics

    def count(self, finished: Finished) -> None:
        """Count what a replica finished and sent, and show it."""
        self._note_time()
        problems = Counter(path for path, _ in finished.done)
        for path, batch in finished.batches.items():
            tokens, computed = finished.tokens[path], finished.computed.get(path, 0)
            self._drawn(path, batch.num_rows, tokens, computed, problems[path])
        for path, saves in finished.unshared.items():
            self._outcome.cells[path].unshared = saves
        for failure in finished.failures:
            cell = self._names[failure.cell]
            named = replace(failure, cell=cell, error=brief(failure.error))
            self._outcome.cells[failure.cell].failures.append(named)
            self._display.state.cells[failure.cell].failed += 1
            self._metrics.failed(named.cell)
        self._display.refresh()

    def count_stored(self, receipts: Iterable[Receipt]) -> None:
        """Count what replicas committed, and show it."""
        self._note_time()
        for receipt in receipts:
            problems = len(receipt.problems)
            self._drawn(receipt.cell, receipt.samples, receipt.tokens, receipt.computed, problems)
        self._display.refresh()

    def _note_time(self) -> None:
        if (since := self._display.state.sampling_since) is not None:
            self._outcome.engine_s = max(0.0, time.monotonic() - since)

    def _drawn(self, path: str, samples: int, tokens: int, computed: int, problems: int) -> None:
        drawn, row = self._outcome.cells[path], self._display.state.cells[path]
        self._metrics.drawn(self._names[path], samples, tokens)
        drawn.samples += samples
        drawn.tokens += tokens
        drawn.computed += computed
        row.finish(time.monotonic(), samples, tokens, problems)
