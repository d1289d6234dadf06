"""Planned cells in; a job for each engine that draws them out."""

from collections.abc import Sequence
from dataclasses import replace

from distlab.config.values import Cluster
from distlab.engines.messages import CellWork, EngineSettings
from distlab.engines.settings import engine_settings
from distlab.engines.splitting import choose_group
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
    group = choose_group(planned.family, cluster, nodes)
    branches = planned.arm.decoding.decoder.branches(planned.arm.n)
    return engine_settings(planned.family, planned.checkpoint, cluster, group, branches)


def _job(
    cells: Sequence[PlannedCell], cluster: Cluster, nodes: Sequence[Node], run: str
) -> EngineJob:
    settings = _settings(cells[0], cluster, nodes)
    for planned in cells[1:]:
        settings = settings.widened(_settings(planned, cluster, nodes))
    return EngineJob(
        name=cells[0].checkpoint.id,
        settings=settings,
        cells={planned.cell.path: _cell_work(planned, run) for planned in cells},
        requests=[
            (planned.cell.path, request) for planned in cells for request in planned.requests
        ],
    )


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
    )


def _shared_start(first: tuple[int, ...], last: tuple[int, ...]) -> int:
    """Of the first and the last in order, and so of all between them."""
    pairs = enumerate(zip(first, last, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
