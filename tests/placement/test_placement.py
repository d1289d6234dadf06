import pytest

from distlab.placement.placement import EngineGroup, Node, Parallelism, Placement, fill, place, take


def h100(name: str, used: int = 0) -> Node:
    return Node(name, cpus=96, gpus=8, gpu_type="H100", used_gpus=used)


def group(tensor: int, pipeline: int = 1, gpu_type: str | None = None) -> EngineGroup:
    return EngineGroup(Parallelism(tensor, pipeline), cpus_per_rank=1, gpu_type=gpu_type)


def test_a_group_that_fits_a_node_stays_inside_one() -> None:
    assert place(group(8), [h100("a", used=1), h100("b")]) == Placement((("b", 8),))


def test_it_waits_rather_than_span_leftovers() -> None:
    assert place(group(8), [h100("a", used=4), h100("b", used=4)]) is None


def test_the_tightest_gap_is_taken_first() -> None:
    assert place(group(2), [h100("a"), h100("b", used=6)]) == Placement((("b", 2),))


def test_a_spanning_group_is_packed_node_by_node() -> None:
    found = place(group(8, pipeline=2), [h100("a"), h100("b"), h100("c", used=1)])
    assert found == Placement((("a", 8), ("b", 8)))
    assert found.spans
    assert found.bundles == ("a",) * 8 + ("b",) * 8


def test_a_pipeline_stage_is_not_cut_where_a_node_holds_one() -> None:
    nodes = [Node("a", 96, 6), Node("b", 96, 6), Node("c", 96, 4)]
    assert place(group(4, pipeline=3), nodes) == Placement((("a", 4), ("b", 4), ("c", 4)))


def test_tensor_parallelism_wider_than_any_node_spans() -> None:
    assert place(group(16), [h100("a"), h100("b")]) == Placement((("a", 8), ("b", 8)))


def test_the_last_part_takes_the_smallest_node_that_holds_it() -> None:
    nodes = [h100("a"), h100("b"), Node("c", 96, 4, "H100")]
    assert place(group(4, pipeline=3), nodes) == Placement((("a", 8), ("c", 4)))


def test_the_accelerator_type_is_respected() -> None:
    nodes = [Node("a", 96, 8, "A100"), h100("b")]
    assert place(group(8, gpu_type="H100"), nodes) == Placement((("b", 8),))
    assert place(group(8, gpu_type="H200"), nodes) is None


def test_cores_limit_ranks_too() -> None:
    starved = Node("a", cpus=3, gpus=8)
    assert place(group(4), [starved]) is None
    assert place(group(2), [starved]) == Placement((("a", 2),))


def test_a_cpu_group_never_spans() -> None:
    nodes = [Node("a", cpus=2, gpus=0), Node("b", cpus=2, gpus=0)]
    wide = EngineGroup(Parallelism(2), cpus_per_rank=2, gpus_per_rank=0)
    narrow = EngineGroup(Parallelism(2), cpus_per_rank=1, gpus_per_rank=0)
    assert place(wide, nodes) is None
    assert place(narrow, nodes) == Placement((("a", 2),))


@pytest.mark.parametrize(("replicas", "expected"), [(None, 8), (3, 3), (20, 8)])
def test_fill_stops_at_the_number_or_when_full(replicas: int | None, expected: int) -> None:
    placed, left = fill(group(2), [h100("a"), h100("b")], replicas)
    assert len(placed) == expected
    assert sum(node.used_gpus for node in left) == 2 * expected
    assert sum(node.used_cpus for node in left) == 2 * expected


def test_fill_places_each_replica_where_there_is_room() -> None:
    placed, _ = fill(group(8, pipeline=2), [h100("a"), h100("b"), h100("c"), h100("d")])
    assert [p.ranks for p in placed] == [(("a", 8), ("b", 8)), (("c", 8), ("d", 8))]


def test_take_leaves_other_nodes_alone() -> None:
    nodes = take(group(2), Placement((("a", 2),)), [h100("a"), h100("b")])
    assert [node.used_gpus for node in nodes] == [2, 0]


def test_parallelism_says_itself() -> None:
    assert str(Parallelism(8, 2, expert=True)) == "TP 8 x PP 2 x EP"
    assert str(Parallelism()) == "TP 1"
