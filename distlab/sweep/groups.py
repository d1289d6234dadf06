"""Jobs that need the same engines belong together: their samples are drawn in one go."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from distlab.config.values import Study

_Job = TypeVar("_Job", bound=Hashable)


def group_jobs(jobs: Mapping[_Job, Study]) -> list[tuple[_Job, ...]]:
    """Jobs that share a checkpoint, a cluster and a store, directly or through others.

    Args:
        jobs: Job to its study, in order.

    Returns:
        Every job once; groups by their first job, jobs in order.
    """
    group_of: dict[_Job, list[_Job]] = {}
    last_with: dict[Hashable, _Job] = {}
    for job, study in jobs.items():
        group_of[job] = [job]
        for need in _needs(study):
            if need in last_with:
                _join(group_of, group_of[last_with[need]], group_of[job])
            last_with[need] = job
    order = list(jobs)
    distinct = {id(group): group for group in group_of.values()}
    return [tuple(sorted(group, key=order.index)) for group in distinct.values()]


def _join(group_of: dict[_Job, list[_Job]], one: list[_Job], other: list[_Job]) -> None:
    if one is not other:
        one += other
        for job in other:
            group_of[job] = one


def _needs(study: Study) -> set[Hashable]:
    return {
        (study.family.checkpoints[variant], study.cluster, study.store)
        for variant in study.variants
    }
