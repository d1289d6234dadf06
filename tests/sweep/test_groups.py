from dataclasses import replace

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.sweep.groups import group_jobs


def study(base: str, instruct: str, **changed: object) -> Study:
    made = validate(compose_config([]))
    stages = tuple(
        replace(stage, checkpoint=CheckpointSpec(name, "local"))
        for stage, name in zip(made.family.stages, (base, instruct), strict=True)
    )
    made = replace(made, family=replace(made.family, stages=stages))
    return replace(made, **changed)  # type: ignore[arg-type]


def test_jobs_that_share_a_checkpoint_belong_together_directly_or_through_others() -> None:
    jobs = {
        0: study("a", "b"),
        1: study("x", "y"),
        2: study("c", "d"),
        3: study("b", "c"),
        4: study("x", "z"),
    }
    assert group_jobs(jobs) == [(0, 2, 3), (1, 4)]


def test_another_store_or_cluster_is_another_group() -> None:
    here = study("a", "b")
    elsewhere = replace(here, store="elsewhere")
    smaller = replace(here, cluster=replace(here.cluster, max_num_seqs=2))
    other = replace(here, cluster=replace(here.cluster, engine_args={"stream_interval": 2}))
    jobs = {0: here, 1: elsewhere, 2: smaller, 3: other, 4: here}
    assert group_jobs(jobs) == [(0, 4), (1,), (2,), (3,)]


def test_a_checkpoint_that_no_arm_uses_joins_nothing() -> None:
    alone = [study("a", end) for end in ("b", "c")]
    no_base = [replace(s, arms=tuple(a for a in s.arms if a.variant != "base")) for s in alone]
    assert group_jobs(dict(enumerate(alone))) == [(0, 1)]
    assert group_jobs(dict(enumerate(no_base))) == [(0,), (1,)]
