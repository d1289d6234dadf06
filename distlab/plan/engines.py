"""The engines of a study on a cluster: what each takes, where each goes, and for how long."""

from collections.abc import Sequence

from distlab.config.study import Study
from distlab.plan.groups import choose
from distlab.plan.placement import Node, fill
from distlab.plan.records import EnginePlan


def plan_engines(study: Study, nodes: Sequence[Node]) -> EnginePlan:
    """Choose how engines are split and place as many as the nodes have free.

    Raises:
        UserError: As ``groups.choose``.
    """
    family, cluster = study.family, study.cluster
    choice = choose(family, cluster, nodes)
    checkpoints = tuple(dict.fromkeys(family.checkpoints[v].id for v in study.variants))
    wanted = None if cluster.replicas is None else cluster.replicas * len(checkpoints)
    placements, _ = fill(choice.group, nodes, wanted)
    facts = family.facts
    return EnginePlan(
        checkpoints=checkpoints,
        group=choice.group,
        nodes=tuple(nodes),
        placements=placements,
        fit=choice.fit,
        max_num_seqs=cluster.max_num_seqs,
        tokens_per_s=cluster.tokens_per_s,
        weight_bytes=None if facts is None else facts.weight_bytes,
    )
