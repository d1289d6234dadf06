"""The tasks of a dispatcher: each may wake it, and the first that fails ends it."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

# What changes together is one look: asking Ray for its nodes costs milliseconds.
_TOGETHER_S = 0.05


class Tasks:
    """Tasks under way.

    Attributes:
        crash: What the first one that failed raised, None while none has.
    """

    def __init__(self) -> None:
        self.crash: BaseException | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crash = self.crash or error
            self.wake()

    def wake(self) -> None:
        """Say that something has changed."""
        self._changed.set()

    async def change(self, within_s: float) -> None:
        """Wait until something has changed and what changes with it has, or for some seconds."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), within_s)
            await asyncio.sleep(_TOGETHER_S)
        self._changed.clear()

    async def end(self, patience_s: float) -> None:
        """Give all tasks some seconds to end, then cancel them."""
        if tasks := set(self._under_way):
            await asyncio.wait(tasks, timeout=patience_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
