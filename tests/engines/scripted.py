"""An engine of a script, selected with `cluster.engine`: no model, and faults on demand.

Its folder is `$DISTLAB_SCRIPT`, or the model it is told to load. Faults are files there, since an
engine that dies forgets: a fault happens while its file exists, and one whose name ends in "-once"
takes the file away first. What the engines did is there as well.
"""

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import ray

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Vitals
from distlab.engines.messages import EngineSettings, Site
from distlab.store import committer
from distlab.store.store import StoredCell
from tests.engines.unsure import Unsure

KILLER = 666
REFUSED = 667


class ScriptedEngine(Unsure):
    """Answers every prompt with its own token ids reversed, seeded draws with the seed's digits.

    Faults:
        die-once, exit-once, hang-once: At the next completion the engine dies, its process is
            killed, or no step is made any more.
        deadly: The first prompt of a seeded draw is written there, and kills every engine.
        load-once, load-always: It does not load.
        load-hang-once: It loads for ever.
        busy-once, frozen-once: The front end answers nobody, since it computes for 8 s, or waits
            for ever.
        delay: Seconds that a completion takes; those from now on, where it changes.
        load-delay: Seconds that loading takes.
        log-prompts: Write every prompt to `prompts`.
        commit-samples: So many samples of a cell are committed at once, where the replica commits.
        exit-written-once: The process is killed when it has written a shard and told nobody.

    `answered` appears with the first completion.
    """

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        self._folder = Path(os.environ.get("DISTLAB_SCRIPT") or settings.model)
        self._vitals = Vitals()
        self._dead = self._hung = False
        self._name = site.name
        node = ray.get_runtime_context().get_node_id()
        self._note("start", {"replica": site.name, "node": node, "pid": os.getpid()})
        time.sleep(self._number("load-delay"))
        if self._once("load-hang-once"):
            time.sleep(1000)
        if self._has("load-always") or self._once("load-once"):
            raise RuntimeError("out of memory while loading")
        self._logs = self._has("log-prompts")
        if most := int(self._number("commit-samples")):
            committer._COMMIT_SAMPLES = most
            StoredCell.commit = self._committed(StoredCell.commit)  # type: ignore[method-assign]

    @property
    def eos_token_ids(self) -> frozenset[int]:
        return frozenset({0})

    def decode(self, token_ids: Sequence[int]) -> str:
        return " ".join(map(str, token_ids))

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        await self._step(prompt_ids, 1)
        return FirstTokens(tuple(range(1, k + 1)), tuple(-float(i) for i in range(k)))

    async def generate(self, request: EngineRequest) -> Completion:
        seed = [] if request.seed is None else [int(digit) + 1 for digit in str(request.seed)]
        ids = tuple([*reversed(request.prompt_ids), *seed][: request.max_tokens])
        if seed and self._is_deadly(request.prompt_ids):
            self._dead = True
        await self._step(request.prompt_ids, len(ids))
        margins = (0.5,) * len(ids) if request.margins else ()
        return Completion(ids, self.decode(ids), truncated=False, margins=margins)

    async def _step(self, prompt_ids: tuple[int, ...], tokens: int) -> None:
        if self._logs:
            with (self._folder / "prompts").open("a") as log:
                log.write(" ".join(map(str, prompt_ids)) + "\n")
        before = self._vitals
        self._vitals = Vitals(before.steps, before.tokens, before.running + 1, 0)
        await asyncio.sleep(self._number("delay"))
        if REFUSED in prompt_ids:
            raise ValueError("this prompt is refused")
        if self._dead or KILLER in prompt_ids or self._once("die-once"):
            self._dead = True
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if self._once("exit-once"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._once("busy-once"):
            _compute(8)
        if self._once("frozen-once"):
            time.sleep(1000)
        if self._hung or self._once("hang-once"):
            self._hung = True
            await asyncio.Event().wait()
        now = self._vitals
        if not now.steps:
            (self._folder / "answered").touch()
        self._vitals = Vitals(now.steps + 1, now.tokens + tokens, now.running - 1, 0)

    async def check(self) -> None:
        if self._dead:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def vitals(self) -> Vitals:
        return self._vitals

    def shutdown(self) -> None:
        self._note("shutdown", {"replica": self._name})

    def _committed(self, commit: Callable[..., str]) -> Callable[..., str]:
        def committed(*given: object) -> str:
            shard = commit(*given)
            if self._once("exit-written-once"):
                os.kill(os.getpid(), signal.SIGKILL)
            return shard

        return committed

    def _note(self, kind: str, what: dict[str, object]) -> None:
        (self._folder / f"{kind}-{uuid.uuid4().hex}").write_text(json.dumps(what))

    def _has(self, fault: str) -> bool:
        return (self._folder / fault).exists()

    def _is_deadly(self, prompt_ids: tuple[int, ...]) -> bool:
        file, prompt = self._folder / "deadly", " ".join(map(str, prompt_ids))
        if not file.exists():
            return False
        if not file.read_text():
            file.write_text(prompt)
        return file.read_text() == prompt

    def _number(self, name: str) -> float:
        try:
            return float((self._folder / name).read_text())
        except FileNotFoundError:
            return 0.0

    def _once(self, fault: str) -> bool:
        try:
            (self._folder / fault).unlink()
        except FileNotFoundError:
            return False
        return True


def _compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def starts(folder: Path) -> list[dict[str, object]]:
    """What the engines of a folder were, in no order."""
    return [json.loads(file.read_text()) for file in folder.glob("start-*")]
