"""Draws what is missing: engines up, samples into the store, whatever happens committed."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from distlab.cells import PlannedCell
from distlab.checkpoints import Checkpoint
from distlab.config.study import Study
from distlab.decoding.types import DecodingKind
from distlab.engines.cluster import replica_plan
from distlab.engines.dispatcher import Dispatcher, EngineUnavailable
from distlab.engines.replica import EngineFactory, vllm_factory
from distlab.engines.types import CellWork, EngineSettings, Finished, ReplicaInfo
from distlab.engines.vllm_engine import LOGPROB_MARGIN
from distlab.errors import UserError
from distlab.progress import State, View, format_seconds
from distlab.samples.cell import ProblemFailure
from distlab.samples.store import CellWriter

_COMMIT_S = 10.0
_HALT_S = 15.0


@dataclass(slots=True)
class Outcome:
    """What sampling did.

    Attributes:
        samples: Drawn and committed.
        tokens: New tokens in them.
        failures: Problems that got no samples.
        errors: Checkpoints that could not be served, one sentence each.
        signal: The signal that stopped it, None if it ran to its end.
        load_s: Seconds each engine took to load.
        engine_s: Wall seconds from an engine's being ready to its last sample.
    """

    samples: int = 0
    tokens: int = 0
    failures: list[ProblemFailure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    signal: int | None = None
    load_s: list[float] = field(default_factory=list)
    engine_s: float = 0.0

    def joined(self, other: "Outcome") -> "Outcome":
        """Both outcomes as one; the later signal counts."""
        return Outcome(
            self.samples + other.samples,
            self.tokens + other.tokens,
            self.failures + other.failures,
            self.errors + other.errors,
            other.signal if other.signal is not None else self.signal,
            self.load_s + other.load_s,
            self.engine_s + other.engine_s,
        )


def sample(
    study: Study,
    cells: Sequence[PlannedCell],
    run: str,
    state: State,
    view: View,
    factory: EngineFactory = vllm_factory,
) -> Outcome:
    """Draw every missing sample of the cells, one checkpoint after the other.

    SIGINT and SIGTERM stop it: what is finished is committed and the outcome says so.

    Raises:
        UserError: The store cannot be written any more; what was committed is safe.
    """
    return asyncio.run(_Sampler(study, run, state, view, factory).run(cells))


class _Sampler:
    """Ties dispatcher, writers and view together; is the dispatcher's observer."""

    def __init__(
        self, study: Study, run: str, state: State, view: View, factory: EngineFactory
    ) -> None:
        self._study = study
        self._run = run
        self._state = state
        self._view = view
        self._factory = factory
        self._writers: dict[str, CellWriter] = {}
        self._stop = asyncio.Event()
        self._outcome = Outcome()
        self._name = ""
        self._last_s = 0.0

    async def run(self, cells: Sequence[PlannedCell]) -> Outcome:
        with self._signals():
            for checkpoint, group in _by_checkpoint(cells):
                if not self._stop.is_set():
                    await self._serve(checkpoint, group)
        return self._outcome

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        self._outcome.signal = number
        self._show("stopping: committing what is finished")
        self._stop.set()

    async def _serve(self, checkpoint: Checkpoint, cells: Sequence[PlannedCell]) -> None:
        self._name = checkpoint.id
        self._state.sampling_since, self._state.drawn, self._state.tokens = None, 0, 0
        self._writers = {planned.cell.key: CellWriter(planned.stored) for planned in cells}
        dispatcher = Dispatcher(
            engine_settings(self._study, checkpoint, cells),
            {planned.cell.key: self._work(planned) for planned in cells},
            [(planned.cell.key, draw) for planned in cells for draw in planned.draws],
            self._take,
            self,
            self._factory,
        )
        try:
            await self._until_done(dispatcher)
        except EngineUnavailable as error:
            self._outcome.errors.append(str(error))
        except OSError as error:
            raise UserError(
                f"the store {self._study.store} can no longer be written ({error}): make room or "
                "set `store`, and run the same command again; what was committed is safe"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                self._flush()
            if self._state.sampling_since is not None:
                self._outcome.engine_s += max(0.0, self._last_s - self._state.sampling_since)

    async def _until_done(self, dispatcher: Dispatcher) -> None:
        serving = asyncio.ensure_future(dispatcher.run(replica_plan(self._study.cluster)))
        stopped = asyncio.ensure_future(self._stop.wait())
        flushing = asyncio.ensure_future(self._flush_often())
        try:
            await asyncio.wait({serving, stopped, flushing}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                await dispatcher.halt()
                await asyncio.wait({serving}, timeout=_HALT_S)
                serving.cancel()
            if flushing.done():
                await flushing
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        finally:
            for task in (serving, stopped, flushing):
                task.cancel()
            await asyncio.gather(serving, stopped, flushing, return_exceptions=True)

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            self._flush()

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def _work(self, planned: PlannedCell) -> CellWork:
        return CellWork(
            planned.arm.decoding,
            planned.stop,
            self._study.seed,
            planned.checkpoint.digest,
            self._run,
        )

    def _take(self, finished: Finished) -> None:
        self._last_s = time.monotonic()
        for key, batch in finished.batches.items():
            self._writers[key].add(batch)
            tokens = len(batch.column("token_ids").flatten())
            self._outcome.samples += batch.num_rows
            self._outcome.tokens += tokens
            self._state.drawn += batch.num_rows
            self._state.tokens += tokens
            cell = self._state.cells[key]
            cell.done_samples += batch.num_rows
            cell.done_problems += len(batch.column("problem_id").unique())
        self._outcome.failures += finished.failures
        for failure in finished.failures:
            self._state.cells[failure.cell].failed += 1
        self._view.refresh(self._state)

    def _show(self, stage: str) -> None:
        self._state.stage = stage
        self._view.refresh(self._state)

    def loading(self, replica: int) -> None:
        """A replica starts to load."""
        self._show(f"loading {self._name} into vLLM")

    def loaded(self, replica: int, info: ReplicaInfo) -> None:
        """A replica is ready."""
        self._outcome.load_s.append(info.load_s)
        if self._state.sampling_since is None:
            self._state.sampling_since = time.monotonic()
        self._view.say(f"engine on {info.node} loaded in {format_seconds(info.load_s)}")
        self._show("sampling")

    def died(self, replica: int, error: str) -> None:
        """A replica is gone."""
        self._view.say(f"warning: an engine of {self._name} died and is rebuilt: {error}")


def _by_checkpoint(
    cells: Sequence[PlannedCell],
) -> list[tuple[Checkpoint, list[PlannedCell]]]:
    """Cells with something to draw, grouped by what their engine loads."""
    groups: dict[Checkpoint, list[PlannedCell]] = {}
    for planned in cells:
        if planned.draws:
            groups.setdefault(planned.checkpoint, []).append(planned)
    return list(groups.items())


def engine_settings(
    study: Study, checkpoint: Checkpoint, cells: Sequence[PlannedCell]
) -> EngineSettings:
    """How the engine of a checkpoint is built for some cells."""
    family, cluster = study.family, study.cluster
    branches = [p.arm.n for p in cells if p.arm.decoding.kind is DecodingKind.COT]
    return EngineSettings(
        model=checkpoint.model,
        revision=checkpoint.revision,
        dtype=family.dtype,
        quantization=family.quantization,
        device=cluster.device,
        max_model_len=family.max_model_len,
        max_num_seqs=cluster.max_num_seqs,
        max_logprobs=max(branches, default=2) + LOGPROB_MARGIN,
        cpus=replica_plan(cluster).cpus,
        tensor_parallel=cluster.tensor_parallel or 1,
        kv_cache_bytes=None if cluster.kv_cache_gib is None else int(cluster.kv_cache_gib * 2**30),
        gpu_memory_utilization=cluster.gpu_memory_utilization,
        block_size=cluster.block_size,
        enforce_eager=cluster.enforce_eager,
        trust_remote_code=family.trust_remote_code,
    )
