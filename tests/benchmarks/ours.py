"""distlab's side of the token rows: Ray and one engine that stay up; jobs are Hydra overrides."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.console.display import Display
from distlab.console.progress import CellProgress, State
from distlab.decoding.seeds import sample_seed
from distlab.decoding.stochastic import Stochastic
from distlab.engines.cluster import connected
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.vllm_engine import engine_args
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.sampling.sampler import Engines, sample
from distlab.store.store import Store
from tests.benchmarks.server import serve


class Silent:
    """Shows nothing."""

    def refresh(self, state: State) -> None:
        pass

    def say(self, line: str) -> None:
        pass


class Side:
    """Draws jobs with one fleet, each into a store of its own."""

    def __init__(self, stack: ExitStack) -> None:
        self._fleet: Fleet | None = None
        self._stack = stack

    def answer(self, job: dict[str, Any]) -> dict[str, Any]:
        if "engine" in job:
            assert self._fleet is not None
            return engine_args(self._fleet.replicas[0].settings)
        with tempfile.TemporaryDirectory() as folder:
            study = validate(compose_config([*job["overrides"], f"store={folder}"]))
            cells = prepare(study, Store.open(folder)).cells
            if (file := job.get("requests")) is not None:
                Path(file).write_text(json.dumps(requests(cells)))
                return {"model": cells[0].checkpoint.model}
            if self._fleet is None:
                self._stack.enter_context(connected(study.cluster))
                self._fleet = Fleet()
                self._stack.callback(self._fleet.close)
            for planned in cells:
                planned.stored.create(planned.fields)
            state = State(cells={p.cell.path: CellProgress("", 0, 0) for p in cells})
            began = time.perf_counter()
            log = EventLog(Path(folder) / "events.jsonl")
            engines = Engines(study.cluster, self._fleet, log)
            outcome = sample(cells, engines, "bench", Display(state, Silent()))
            seconds = time.perf_counter() - began
        assert not outcome.errors and not outcome.failures, (outcome.errors, outcome.failures)
        return {
            "tokens": outcome.tokens,
            "computed": outcome.computed,
            "samples": outcome.samples,
            "problems": sum(len(planned.requests) for planned in cells),
            "seconds": seconds,
            "starts": outcome.starts,
            "load_s": outcome.load_s,
        }


def requests(cells: Sequence[PlannedCell]) -> list[dict[str, Any]]:
    """The stochastic draws of cells as keyword arguments of ``SamplingParams``, with prompts."""
    return [
        {
            "prompt_ids": list(request.prompt_ids),
            **sampling(planned),
            "max_tokens": planned.arm.decoding.max_tokens,
            "stop": list(planned.stop),
            "seed": sample_seed(
                planned.seed,
                planned.checkpoint.digest,
                request.problem_id,
                planned.arm.decoding.decoder.seed_name,
                rank,
            ),
        }
        for planned in cells
        for request in planned.requests
        for rank in request.ranks
    ]


def sampling(planned: PlannedCell) -> dict[str, Any]:
    decoder = planned.arm.decoding.decoder
    return asdict(decoder) if isinstance(decoder, Stochastic) else {"temperature": 0.0}


def start(stack: ExitStack) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return Side(stack).answer


if __name__ == "__main__":
    with ExitStack() as stack:
        serve(lambda: start(stack))
