"""The sibling trie: the draws of a problem for the compute of their distinct prefixes.

Draws that have emitted the same tokens so far have the same next-token distribution, so it is
computed once. The first of a group leads: it is a request like any independent draw, with the
log probabilities of its likeliest tokens. At every step the others draw from these, each with
random numbers of its own. Who draws another token than the leader forks; those that fork alike go
on together, as a request whose prefix the engine has cached, while the leader still runs.

Nothing is proposed and rejected: every token comes from its own conditional distribution, so the
samples are distributed as independent requests are. Where a step's distribution cannot be told from
the candidates (see ``next_token``), those that would draw from it go on as independent requests.

Which tokens a seed gives depends on who is drawn together, and on nothing else; under
``Sampler.AUTO`` that is a matter of timing (see ``engines.sharing``).
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from distlab.decoding.decoder import SeedOf, StoppingCriteria
from distlab.decoding.interface import (
    Detokenizer,
    Engine,
    EngineRequest,
    Sample,
    SampleRequest,
    Step,
)
from distlab.decoding.next_token import Floats, NextToken, Warp, is_likeliest, next_token
from distlab.decoding.reading import read
from distlab.decoding.seeds import fork_seed

# In the address of every cell that is drawn so. Raise it with every change to what a seed draws.
VERSION: Final = 2
# Candidates of a step (ours): at T = 0.05 the tokens behind them weigh nothing.
CANDIDATES: Final = 20
# Tokens that are read in the event loop (ours): some 5 ms.
_READ_AT_ONCE = 500
# Random numbers that a draw starts with, doubled as they run out (ours); and those in one look.
_FIRST_NUMBERS = 128
_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Drawing:
    """What all draws of a problem share.

    Attributes:
        engine: What completes prompts.
        request: The prompt and the ranks to draw.
        stopping: Where completions end.
        sampling: Parameters of an independent request, by vLLM's names.
        warp: The same, for draws that follow.
        seed_of: A rank to its seed.
    """

    engine: Engine
    request: SampleRequest
    stopping: StoppingCriteria
    sampling: Mapping[str, Any]
    warp: Warp
    seed_of: SeedOf

    def completion(self, rank: int, path: Sequence[int], stop: tuple[str, ...]) -> EngineRequest:
        """What goes on with a draw that has emitted some tokens."""
        return EngineRequest(
            prompt_ids=(*self.request.prompt_ids, *path),
            max_tokens=self.stopping.max_tokens - len(path),
            stop=stop,
            sampling=self.sampling,
            seed=fork_seed(self.seed_of(rank), len(path)),
        )

    def reader(self) -> Detokenizer | None:
        """What looks for stop strings, where there are any."""
        if not self.stopping.stop:
            return None
        return self.engine.detokenizer(self.request.prompt_ids, self.stopping.stop)


async def draw_siblings(drawing: Drawing) -> list[Sample]:
    """Draw the missing samples of a problem together; one for each rank."""
    trie = _Trie(drawing)
    try:
        async with asyncio.TaskGroup() as tasks:
            trie.grow(tasks, drawing.request.ranks, _Path((), drawing.reader()))
    except BaseExceptionGroup as errors:
        # The others were cancelled for it.
        raise errors.exceptions[0] from None
    return [trie.samples[rank] for rank in drawing.request.ranks]


@dataclass(frozen=True, slots=True)
class _Path:
    """Tokens that some draws have emitted.

    Attributes:
        ids: The tokens.
        reader: Has read them; None where there are no stop strings.
        is_over: Whether nothing follows.
    """

    ids: tuple[int, ...]
    reader: Detokenizer | None
    is_over: bool = False


@dataclass(slots=True)
class _Trie:
    """Grows from the root; each branch is a task."""

    drawing: Drawing
    samples: dict[int, Sample] = field(default_factory=dict)
    _numbers: "_Numbers" = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = _Numbers(self.drawing)

    def grow(self, tasks: asyncio.TaskGroup, ranks: Sequence[int], path: _Path) -> None:
        """Go on with draws that have emitted the same tokens."""
        if path.is_over:
            tasks.create_task(self._finish(ranks, path.ids, 0))
        elif len(ranks) == 1:
            tasks.create_task(self._alone(ranks[0], path.ids))
        else:
            tasks.create_task(self._lead(tasks, ranks, path))

    async def _alone(self, rank: int, path: tuple[int, ...]) -> None:
        """A draw without siblings is an independent request."""
        drawing = self.drawing
        completion = drawing.completion(rank, path, drawing.stopping.stop)
        rest = await drawing.engine.generate(completion)
        if not path:
            self.samples[rank] = drawing.request.sampled(rank, rest, completion.seed)
            return None
        # A stop string that begins in the path is found as it is read.
        return await self._finish((rank,), (*path, *rest.token_ids), len(rest.token_ids))

    async def _lead(self, tasks: asyncio.TaskGroup, ranks: Sequence[int], start: _Path) -> None:
        """Run the first of some draws; the others follow it as long as they draw what it does."""
        drawing, path, reader = self.drawing, list(start.ids), start.reader
        following = _Following(self._numbers, ranks[1:], len(path))
        steps = drawing.engine.stream(drawing.completion(ranks[0], start.ids, ()), CANDIDATES)
        async with aclosing(steps):
            async for batch in steps:
                for step in batch:
                    for token, forked in following.step(step, drawing.warp):
                        self._fork(tasks, forked, _Path(tuple(path), reader), token)
                    path.append(step.token_id)
                    if reader is not None and self._stops(reader, step.token_id):
                        break
                else:
                    continue
                break
        left = (ranks[0], *following.ranks)
        await self._finish(left, tuple(path), len(path) - len(start.ids))

    def _fork(
        self, tasks: asyncio.TaskGroup, ranks: Sequence[int], path: _Path, token: int | None
    ) -> None:
        if token is not None:
            return self.grow(tasks, ranks, self._after(path, token))
        # Nobody can tell what they draw but the engine.
        for rank in ranks:
            self.grow(tasks, (rank,), path)
        return None

    def _after(self, path: _Path, token: int) -> _Path:
        """The path of those that draw another token than their leader does."""
        ids, reader = (*path.ids, token), path.reader and path.reader.fork()
        stops = reader is not None and self._stops(reader, token)
        drawing = self.drawing
        ends = token in drawing.engine.eos_token_ids or len(ids) >= drawing.stopping.max_tokens
        return _Path(ids, reader, stops or ends)

    def _stops(self, reader: Detokenizer, token: int) -> bool:
        return token not in self.drawing.engine.eos_token_ids and reader.read(token) is not None

    async def _finish(self, ranks: Sequence[int], path: tuple[int, ...], computed: int) -> None:
        """Make the samples of draws that have emitted all that they will."""
        drawing = self.drawing
        whole = drawing.engine, drawing.request.prompt_ids, drawing.stopping, path
        if len(path) > _READ_AT_ONCE:
            completion = await asyncio.to_thread(read, *whole)
        else:
            completion = read(*whole)
        for rank in ranks:
            sample = drawing.request.sampled(rank, completion, drawing.seed_of(rank))
            own = computed if rank == ranks[0] else 0
            self.samples[rank] = replace(sample, computed_tokens=own)


class _Numbers:
    """Random numbers of every draw, one for each position, the same whomever it follows."""

    def __init__(self, drawing: Drawing) -> None:
        self._rows = {rank: row for row, rank in enumerate(drawing.request.ranks)}
        self._bits = [np.random.PCG64(drawing.seed_of(rank)) for rank in drawing.request.ranks]
        self._drawn: Floats = np.empty((len(self._bits), 0))

    def of(self, ranks: Sequence[int], start: int) -> Floats:
        """Numbers in [0, 1) of some draws from a position on, shape [ranks, 1 to 64]."""
        while start >= self._drawn.shape[1]:
            more = max(_FIRST_NUMBERS, self._drawn.shape[1])
            # As ``Generator.random`` makes doubles; only the raw stream is the same for ever.
            raw = np.stack([bits.random_raw(more) for bits in self._bits])
            self._drawn = np.hstack([self._drawn, (raw >> np.uint64(11)) * 2.0**-53])
        return self._drawn[[self._rows[rank] for rank in ranks], start : start + _AHEAD]


class _Following:
    """Draws that follow a leader, step by step."""

    def __init__(self, numbers: _Numbers, ranks: Sequence[int], position: int) -> None:
        self._numbers = numbers
        self.ranks = tuple(ranks)
        self._position = position
        self._take()

    def step(self, step: Step, warp: Warp) -> list[tuple[int | None, list[int]]]:
        """Go a step; returns those that leave, by the token that they draw.

        None stands for the token that only the engine can draw.
        """
        if not self.ranks:
            return []
        if self._position - self._start == len(self._peaks):
            self._take()
        at = self._position - self._start
        self._position += 1
        likeliest = step.likeliest
        if step.token_id == likeliest.token_ids[0] and is_likeliest(
            likeliest, warp, self._peaks[at]
        ):
            return []
        return self._part(step.token_id, next_token(likeliest, warp), at)

    def _part(
        self, leads: int, choice: NextToken | None, at: int
    ) -> list[tuple[int | None, list[int]]]:
        if choice is None:
            leaving: dict[int | None, list[int]] = {None: list(self.ranks)}
        else:
            leaving = defaultdict(list)
            for rank, token in zip(
                self.ranks, choice.draw(self._block[:, at]).tolist(), strict=True
            ):
                leaving[token].append(rank)
        stay = leaving.pop(leads, [])
        if len(stay) < len(self.ranks):
            self.ranks = tuple(stay)
            self._take()
        return list(leaving.items())

    def _take(self) -> None:
        """Look up the numbers of those that follow, and the largest of each position."""
        self._start = self._position
        self._peaks: list[float] = []
        if self.ranks:
            self._block = self._numbers.of(self.ranks, self._start)
            self._peaks = self._block.max(axis=0).tolist()
