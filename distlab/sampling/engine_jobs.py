"""Planned cells in; a job for each engine that draws them out."""

from collections.abc import Container, Sequence
from dataclasses import replace

from distlab.config.values import Cluster
from distlab.decoding.cot import CoT
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import SampleRequest
from distlab.engines.messages import CellWork, EngineSettings
from distlab.engines.settings import engine_settings
from distlab.engines.splitting import choose
from distlab.engines.workload import EngineJob
from distlab.placement.placement import Node
from distlab.sampling.planned import PlannedCell, merged

# A shared start of fewer tokens is read faster than it is waited for.
_LEAST_PREFIX = 64


def plan_jobs(
    cells: Sequence[PlannedCell], cluster: Cluster, nodes: Sequence[Node], run: str
) -> list[EngineJob]:
    """Cells grouped by the engine that draws them; a cell that comes twice is drawn once.

    Args:
        cells: With something to draw.
        cluster: How engines are built.
        nodes: Of the live cluster.
        run: Name of the run.
    """
    groups: dict[EngineSettings, list[PlannedCell]] = {}
    for planned in merged(cells):
        settings = _settings(planned, cluster, nodes)
        # Limits alone do not make another engine: the group gets the widest of its cells.
        groups.setdefault(replace(settings, max_model_len=0, max_logprobs=0), []).append(planned)
    return [_job(group, cluster, nodes, run) for group in groups.values()]


def _settings(planned: PlannedCell, cluster: Cluster, nodes: Sequence[Node]) -> EngineSettings:
    choice = choose(planned.family, cluster, nodes)
    branches = planned.arm.decoding.decoder.branches(planned.arm.n)
    return engine_settings(
        planned.family, planned.checkpoint, cluster, choice, branches, planned.endpoint
    )


def _job(
    cells: Sequence[PlannedCell], cluster: Cluster, nodes: Sequence[Node], run: str
) -> EngineJob:
    settings = _settings(cells[0], cluster, nodes)
    for planned in cells[1:]:
        settings = settings.widened(_settings(planned, cluster, nodes))
    cells = with_greedy_branches(cells)
    return EngineJob(
        name=cells[0].checkpoint.id,
        settings=settings,
        cells={planned.cell.path: _cell_work(planned, run) for planned in cells},
        requests=[
            (planned.cell.path, request) for planned in cells for request in planned.requests
        ],
    )


def with_greedy_branches(cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """Cells of one engine, greedy completions left to branches of CoT-decoding that they equal.

    Args:
        cells: With the requests for all that they lack.
    """
    wanted = {
        _continued(planned, request): planned.cell.path
        for planned in cells
        if planned.cell.kind == Greedy.kind
        for request in planned.requests
    }
    given: set[tuple[_Continued, str]] = set()

    def served(planned: PlannedCell, request: SampleRequest) -> SampleRequest:
        key = _continued(planned, request)
        greedy = wanted.get(key) if planned.cell.kind == CoT.kind else None
        if greedy is None or request.ranks[0] != 0 or (key, greedy) in given:
            return request
        given.add((key, greedy))
        return replace(request, greedy=greedy)

    branching = [
        replace(planned, requests=tuple(served(planned, r) for r in planned.requests))
        for planned in cells
    ]
    return [_without(planned, given) for planned in branching]


_Continued = tuple[str, tuple[int, ...], tuple[str, ...], int]
"""Problem, prompt and where completions end: what two greedy completions that are equal share."""


def _continued(planned: PlannedCell, request: SampleRequest) -> _Continued:
    limit = planned.arm.decoding.max_tokens
    return request.problem_id, request.prompt_ids, planned.stop, limit


def _without(planned: PlannedCell, given: Container[tuple[_Continued, str]]) -> PlannedCell:
    path = planned.cell.path
    left = (r for r in planned.requests if (_continued(planned, r), path) not in given)
    return replace(planned, requests=tuple(left))


def _cell_work(planned: PlannedCell, run: str) -> CellWork:
    prompts = [request.prompt_ids for request in planned.requests]
    shared = _shared_start(min(prompts), max(prompts)) if len(prompts) > 1 else 0
    return CellWork(
        decoding=planned.arm.decoding,
        stop=planned.stop,
        study_seed=planned.seed,
        checkpoint=planned.checkpoint.digest,
        run=run,
        prefix=shared if shared >= _LEAST_PREFIX else 0,
        thinking=planned.thinking,
    )


def _shared_start(first: tuple[int, ...], last: tuple[int, ...]) -> int:
    """Of the first and the last in order, and so of all between them."""
    pairs = enumerate(zip(first, last, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
