from distlab.engines.staffing import Claim, Staffing, staff
from distlab.placement.placement import EngineGroup, Node, Parallelism, Placement, take


def node(name: str, gpus: int = 8) -> Node:
    return Node(name, cpus=96, gpus=gpus, gpu_type="H100")


def group(tensor: int, pipeline: int = 1) -> EngineGroup:
    return EngineGroup(Parallelism(tensor, pipeline), cpus_per_rank=1)


def claim(tensor: int, held: int = 0, wanted: int = 9, pipeline: int = 1) -> Claim:
    return Claim(group(tensor, pipeline), held, wanted)


def placed(staffing: Staffing) -> list[tuple[int, tuple[tuple[str, int], ...]]]:
    return [(index, placement.ranks) for index, placement in staffing.starts]


def test_one_checkpoint_fills_the_cluster() -> None:
    decision = staff([claim(2)], [node("a", 4), node("b", 4)], [])
    assert placed(decision) == [(0, (("a", 2),))] * 2 + [(0, (("b", 2),))] * 2


def test_it_takes_no_more_than_it_has_use_for() -> None:
    assert len(staff([claim(2, wanted=3)], [node("a")], []).starts) == 3
    assert staff([claim(2, held=3, wanted=3)], [node("a")], []).starts == ()


def test_everyone_gets_a_first_replica_before_anyone_a_second() -> None:
    decision = staff([claim(4), claim(2)], [node("a")], [])
    assert [index for index, _ in decision.starts] == [0, 1, 1]


def test_what_fits_nowhere_now_waits_and_holds_back_second_replicas() -> None:
    busy = take(group(2), Placement((("b", 2),)), [node("a"), node("b")])
    decision = staff([claim(8, pipeline=2), claim(2)], busy, [])
    assert placed(decision) == [(1, (("b", 2),))]
    assert decision.homeless == (0,)


def test_nobody_takes_what_is_about_to_come_back_for_a_larger_one() -> None:
    busy = take(group(2), Placement((("b", 2),)), [node("a"), node("b")])
    giant = Claim(group(8, 2), 0, 1, is_new=True)
    assert staff([giant, claim(2)], busy, []) == Staffing((), (), (0,))


def test_what_can_never_fit_holds_nobody_back() -> None:
    decision = staff([claim(8, pipeline=4), claim(2)], [node("a", 4)], [])
    assert [index for index, _ in decision.starts] == [1, 1]
    assert decision.homeless == (0,)


def test_idle_replicas_are_given_up_only_as_far_as_it_helps() -> None:
    idle = [(group(4), Placement((("a", 4),))), (group(4), Placement((("a", 4),)))]
    nodes = [node("a", 8)]
    for held, placement in idle:
        nodes = list(take(held, placement, nodes))
    assert staff([claim(4)], nodes, idle).vacate == (0,)
    assert staff([claim(8)], nodes, idle).vacate == (0, 1)
    assert staff([claim(8, pipeline=2)], nodes, idle).vacate == ()


def test_a_checkpoint_that_is_done_leaves_its_place_to_one_that_is_not() -> None:
    idle = [(group(8), Placement((("b", 8),)))]
    full = take(group(8), Placement((("a", 8),)), [node("a"), node("b")])
    nodes = take(*idle[0], full)
    assert staff([claim(8, held=1, wanted=3)], nodes, idle) == Staffing((), (0,), ())
    assert staff([claim(8, held=1, wanted=1)], nodes, idle).vacate == ()
    # What is free comes first.
    assert staff([claim(2, held=1, wanted=3)], [node("a")], idle).vacate == ()
