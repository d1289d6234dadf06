"""Engines of a script for the dispatcher's tests: no model, and faults on demand.

Faults are told by files in a folder, since an engine that dies forgets: a fault happens while its
file exists, and takes the file away where it should happen once.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distlab.decoding.types import Completion, FirstTokens, SamplingRequest
from distlab.engines.types import EngineSettings

KILLER = 666
REFUSED = 667


@dataclass
class FaultyEngine:
    """Answers every prompt with its own token ids reversed.

    Attributes:
        faults: Folder of fault files: `die-once`, `exit-once`, `load-once`, `load-always`.
        delay_s: Seconds a completion takes.
    """

    faults: Path
    delay_s: float = 0.0
    dead: bool = False

    @property
    def eos_token_ids(self) -> frozenset[int]:
        return frozenset({0})

    def decode(self, token_ids: Sequence[int]) -> str:
        return " ".join(map(str, token_ids))

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        return FirstTokens(tuple(range(1, k + 1)), tuple(-float(i) for i in range(k)))

    async def generate(self, request: SamplingRequest) -> Completion:
        await asyncio.sleep(self.delay_s)
        if REFUSED in request.prompt_ids:
            raise ValueError("this prompt is refused")
        if self.dead or KILLER in request.prompt_ids or self._once("die-once"):
            self.dead = True
            raise RuntimeError("engine died")
        if self._once("exit-once"):
            os._exit(1)
        ids = tuple(reversed(request.prompt_ids))
        return Completion(ids, self.decode(ids), truncated=False, margins=(0.5,) * len(ids))

    def _once(self, fault: str) -> bool:
        try:
            (self.faults / fault).unlink()
        except FileNotFoundError:
            return False
        return True

    async def check(self) -> None:
        if self.dead:
            raise RuntimeError("engine died")

    def shutdown(self) -> None:
        (self.faults / f"shutdown-{os.getpid()}").touch()


@dataclass(frozen=True)
class FaultyFactory:
    """Makes engines that share one folder of faults."""

    faults: Path
    delay_s: float = 0.0

    def __call__(self, settings: EngineSettings) -> FaultyEngine:
        engine = FaultyEngine(self.faults, self.delay_s)
        (self.faults / f"start-{len(list(self.faults.glob('start-*')))}").touch()
        if (self.faults / "load-always").exists() or engine._once("load-once"):
            raise RuntimeError("out of memory while loading")
        return engine
