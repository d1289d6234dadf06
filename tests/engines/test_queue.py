import random
from collections import Counter
from dataclasses import replace

import pytest

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import DecodingSpec, Sampler
from distlab.decoding.interface import SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.engines.messages import CellRequest, CellWork
from distlab.engines.queue import DrawQueue


def spec(max_tokens: int) -> CellWork:
    return CellWork(DecodingSpec("cot", CoT(), max_tokens), (), 0, "w", "run")


def work(problem: str, prompt: int = 2, cell: str = "a", ranks: int = 2) -> CellRequest:
    return cell, SampleRequest(problem, tuple(range(prompt)), tuple(range(ranks)))


def filled(*works: CellRequest) -> DrawQueue:
    queue = DrawQueue({"a": spec(8), "b": spec(64)})
    queue.add(works)
    return queue


def problems(queue: DrawQueue, room: int, *, is_idle: bool = True) -> list[str]:
    taken = queue.take(room, is_idle=is_idle)
    return [] if taken is None else [request.problem_id for _, request in taken.works]


def keys(*names: str) -> list[tuple[str, str]]:
    return [("a", name) for name in names]


def test_the_longest_expected_goes_first_and_ties_keep_their_order() -> None:
    queue = filled(work("short"), work("first", 5), work("second", 5), work("long", 2, "b"))
    assert problems(queue, 100) == ["long", "first", "second", "short"]


def test_a_lease_holds_what_there_is_room_for_but_at_least_one_draw() -> None:
    queue = filled(work("1"), work("2"), work("3"))
    assert problems(queue, 3) == ["1", "2"]
    assert problems(queue, 1) == ["3"]
    assert problems(queue, 0) == []
    assert (queue.waiting, queue.is_done) == (0, False)
    assert queue.done(keys("1", "2", "3")) == 6
    assert (queue.finished, queue.is_done) == (3, True)


def test_given_back_draws_wait_again() -> None:
    queue = filled(work("1"), work("2"))
    problems(queue, 9)
    queue.give_back(keys("1", "2"))
    assert (queue.waiting, problems(queue, 9)) == (4, ["1", "2"])


def test_a_killer_costs_four_engines_and_nobody_else_is_blamed() -> None:
    queue = filled(*(work(name) for name in "abKcd"))
    assert problems(queue, 9) == ["a", "b", "K", "c", "d"]
    # However the dispatcher names them, they are suspects in the order of the lease.
    assert queue.killed(keys("K", "d", "a", "c", "b"), "boom") == ()
    assert queue.waiting == 10
    assert problems(queue, 9) == ["d"]  # alone, the last leased first
    assert problems(queue, 9, is_idle=False) == []
    queue.done(keys("d"))
    assert problems(queue, 9) == ["c"]
    queue.done(keys("c"))
    assert problems(queue, 9) == ["K"]
    assert queue.killed(keys("K"), "boom") == ()
    # The rest of that death is explained: they are drawn together again, before the accused one.
    assert problems(queue, 9) == ["a", "b"]
    queue.done(keys("a", "b"))
    assert problems(queue, 9) == ["K"]
    assert queue.killed(keys("K"), "boom") == ()
    assert (queue.waiting, queue.draws_waiting, queue.is_done) == (2, 1, False)
    assert problems(queue, 9) == ["K"]
    (failure,) = queue.killed(keys("K"), "boom")
    assert (failure.cell, failure.problem_id, failure.set_aside) == ("a", "K", True)
    assert "3 engines in turn" in failure.error
    assert "boom" in failure.error
    assert queue.is_done


@pytest.mark.parametrize("hit", [0, 1, 2, 3])
def test_unrelated_deaths_lose_nothing(hit: int) -> None:
    """The engine dies while a group is drawn, and once more at any moment of what follows."""
    queue = filled(*(work(name) for name in "abcd"))
    problems(queue, 9)
    queue.killed(keys(*"abcd"), "killed from outside")
    done: list[str] = []
    for turn in range(20):
        if not (taken := problems(queue, 9)):
            break
        if turn == hit:
            assert queue.killed(keys(*taken), "killed from outside") == ()
        else:
            queue.done(keys(*taken))
            done += taken
    assert sorted(done) == ["a", "b", "c", "d"]
    assert queue.is_done


def test_an_accused_draw_is_tried_after_all_others_that_are_suspected() -> None:
    queue = filled(work("1"), work("2"), work("3"))
    assert problems(queue, 4) == ["1", "2"]
    queue.killed(keys("1", "2"), "boom")
    assert problems(queue, 4) == ["3"]
    queue.killed(keys("3"), "boom")
    assert problems(queue, 4) == ["3"]
    queue.killed(keys("3"), "boom")
    # Nobody was beside it when it was a suspect, so that the others' death stays unexplained.
    assert [problems(queue, 4) for _ in range(3)] == [["2"], ["1"], ["3"]]


def test_an_accused_draw_whose_machine_went_away_stays_accused() -> None:
    queue = filled(work("1"))
    for _ in range(3):
        problems(queue, 9)
        assert queue.killed(keys("1"), "boom") == ()
    problems(queue, 9)
    queue.give_back(keys("1"))
    taken = queue.take(9, is_idle=True)
    assert taken is not None
    assert taken.alone
    assert len(queue.killed(keys("1"), "boom")) == 1


def test_deaths_are_barren_until_a_draw_comes_back_and_second_tries_do_not_count() -> None:
    queue = filled(work("1"), work("K"))
    problems(queue, 9)
    queue.killed(keys("1", "K"), "boom")
    problems(queue, 9)
    queue.killed(keys("K"), "boom")
    assert queue.barren_deaths == 2
    queue.done(keys(*problems(queue, 9)))
    assert queue.barren_deaths == 0
    for _ in range(2):
        problems(queue, 9)
        queue.killed(keys("K"), "boom")
    assert queue.barren_deaths == 0


def test_suspects_come_last_and_new_draws_before_them() -> None:
    queue = filled(work("1"))
    problems(queue, 9)
    queue.killed(keys("1"), "boom")
    queue.add([work("new")])
    assert problems(queue, 9) == ["new"]
    taken = queue.take(9, is_idle=True)
    assert taken is not None
    assert taken.alone


def test_a_suspect_whose_machine_went_away_stays_one() -> None:
    queue = filled(work("1"), work("2"))
    problems(queue, 9)
    queue.killed(keys("1", "2"), "boom")
    assert problems(queue, 9) == ["2"]
    queue.give_back(keys("2"))
    taken = queue.take(9, is_idle=True)
    assert taken is not None
    assert (taken.alone, taken.works[0][1].problem_id) == (True, "2")


@pytest.mark.parametrize("killers", [1, 2, 5])
def test_any_number_of_killers_is_found_and_everyone_else_is_drawn(killers: int) -> None:
    names = [f"K{i}" for i in range(killers)] + [f"p{i}" for i in range(20)]
    queue = filled(*(work(name) for name in names))
    set_aside, done, deaths = set(), set(), 0
    while not queue.is_done:
        taken = queue.take(16, is_idle=True)
        assert taken is not None
        flying = [(cell, request.problem_id) for cell, request in taken.works]
        if any(problem.startswith("K") for _, problem in flying):
            deaths += 1
            set_aside.update(f.problem_id for f in queue.killed(flying, "boom"))
        else:
            queue.done(flying)
            done.update(problem for _, problem in flying)
    assert set_aside == {f"K{i}" for i in range(killers)}
    assert done == {f"p{i}" for i in range(20)}
    assert deaths <= 4 * killers


@pytest.mark.parametrize("seed", range(20))
def test_whatever_dies_when_a_draw_ends_done_or_has_seen_three_lone_deaths(seed: int) -> None:
    """Engines die of the killers and, at one lease in four, of nothing that was drawn."""
    chance = random.Random(seed)
    names = ["K0", "K1", *(f"p{i}" for i in range(20))]
    queue = filled(*(work(name) for name in names))
    lone, done, aside = Counter[str](), set[str](), set[str]()
    for _ in range(1000):
        if queue.is_done:
            break
        taken = queue.take(16, is_idle=True)
        assert taken is not None
        drawn = [request.problem_id for _, request in taken.works]
        if chance.random() < 0.25 or {"K0", "K1"} & set(drawn):
            lone.update(drawn if taken.alone else ())
            aside.update(failure.problem_id for failure in queue.killed(keys(*drawn), "boom"))
        else:
            queue.done(keys(*drawn))
            done.update(drawn)
    assert queue.is_done
    assert done | aside == set(names)
    assert aside == {name for name in names if lone[name] == 3} >= {"K0", "K1"}


def test_siblings_take_the_room_of_the_sequences_that_they_run_as() -> None:
    request = SampleRequest("p", (1,), tuple(range(20)))
    together = DecodingSpec("t0.05", Stochastic(0.05), 8, Sampler.AUTO)
    for decoding, sequences in (
        (together, 5),
        (replace(together, sampler=Sampler.INDEPENDENT), 20),
        # Hot draws part early.
        (replace(together, decoder=Stochastic(0.6)), 20),
    ):
        queue = DrawQueue({"c": CellWork(decoding, (), 0, "w", "run")})
        queue.add([("c", replace(request, problem_id=str(i))) for i in range(4)])
        assert queue.waiting == 4 * sequences
        taken = queue.take(2 * sequences, is_idle=True)
        assert taken is not None
        assert len(taken.works) == 2
        assert queue.waiting == queue.sequences(taken) == 2 * sequences
        assert queue.done([("c", "0"), ("c", "1")]) == 2 * sequences
