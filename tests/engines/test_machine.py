import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.engines.machine import check_fits, known_nodes, parse_gpus, this_machine

LISTING = """\
0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559
1, GPU-bbbb, NVIDIA H100 80GB HBM3, 81559
2, GPU-cccc, NVIDIA A100-SXM4-40GB, 40960
3, GPU-dddd, Tesla T4, 15360
"""


def test_gpus_are_read_off_nvidia_smi() -> None:
    found = parse_gpus(LISTING, None)
    assert found == [("H100", 81559), ("H100", 81559), ("A100", 40960), (None, 15360)]


@pytest.mark.parametrize(
    ("visible", "count"), [("0,1", 2), ("GPU-bbbb", 1), ("", 0), ("-1", 0), ("2", 1)]
)
def test_only_visible_gpus_count(visible: str, count: int) -> None:
    assert len(parse_gpus(LISTING, visible)) == count


def test_this_machine_is_known_and_a_live_cluster_is_not() -> None:
    machine = this_machine()
    assert machine.cpus >= 1
    assert machine.memory_bytes > 2**30
    local = validate(compose_config([])).cluster
    assert known_nodes(local) == (machine,)
    described = validate(compose_config(["cluster=h100-2x8"])).cluster
    assert [(node.name, node.gpus) for node in known_nodes(described) or ()] == [
        ("a1", 8),
        ("a2", 8),
    ]
    assert known_nodes(validate(compose_config(["cluster=ray"])).cluster) is None


def test_a_live_cluster_is_checked_once_it_is_joined() -> None:
    study = validate(compose_config(["model=kimi-k2", "cluster=ray"]))
    check_fits(study.family, study.cluster)
