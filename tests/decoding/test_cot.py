import asyncio
import threading
from collections.abc import Sequence
from math import exp, log

import pytest

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import Sample, SampleRequest
from tests.decoding.scripted import ScriptedEngine, ids

FIRST = [("5", log(0.4)), ("W", log(0.3)), ("", log(0.1)), (" ", log(0.05))]


def draw(
    engine: ScriptedEngine,
    ranks: tuple[int, ...],
    stop: tuple[str, ...] = (),
    max_tokens: int = 50,
) -> list[Sample]:
    work, stopping = SampleRequest("p", ids("Q"), ranks), StoppingCriteria(max_tokens, stop)
    return asyncio.run(CoT().sample(engine, work, stopping, no_seed))


def no_seed(rank: int) -> int:
    raise AssertionError("a branch has no seed")


def test_branches_are_ranked_by_first_token_and_continue_from_its_id() -> None:
    engine = ScriptedEngine(FIRST, {"Q5": " apples", "QW": "e get 12."})
    five, we = draw(engine, (0, 1))
    assert (five.text, five.rank) == ("5 apples", 0)
    assert (we.text, we.rank) == ("We get 12.", 1)
    assert we.first_token_logprob == pytest.approx(log(0.3))
    assert [r.prompt_ids for r in engine.requests] == [ids("Q5"), ids("QW")]


def test_continuations_are_greedy_and_leave_room_for_the_branch_token() -> None:
    engine = ScriptedEngine(FIRST, {"QW": "x"})
    draw(engine, (1,))
    (request,) = engine.requests
    assert (request.sampling, request.seed, request.max_tokens) == ({}, None, 49)


def test_an_eos_branch_is_kept_and_costs_no_request() -> None:
    engine = ScriptedEngine(FIRST)
    (sample,) = draw(engine, (2,))
    assert (sample.text, sample.token_ids, sample.truncated) == ("", (0,), False)
    assert (sample.margins, sample.token_lengths) == ((pytest.approx(0.1),), (0,))
    assert engine.requests == []


def test_a_whitespace_branch_is_kept() -> None:
    engine = ScriptedEngine(FIRST, {"Q ": "7"})
    (sample,) = draw(engine, (3,))
    assert sample.text == " 7"


def test_a_branch_keeps_the_margin_and_the_length_of_every_token() -> None:
    engine = ScriptedEngine(FIRST, {"QW": "e: 12."}, margin={"1": 0.9, "2": 0.7})
    (sample,) = draw(engine, (1,))
    assert sample.margins == pytest.approx((0.1, 0.5, 0.5, 0.5, 0.9, 0.7, 0.5, 0.5))
    # The last token is EOS.
    assert sample.token_lengths == (1, 1, 1, 1, 1, 1, 1, 0)


def test_the_first_margin_is_that_of_the_first_position_whatever_the_branch() -> None:
    engine = ScriptedEngine(FIRST, {"Q5": " apples"})
    for (sample,) in (draw(engine, (0,)), draw(engine, (1,))):
        assert sample.margins is not None
        assert sample.margins[0] == pytest.approx(exp(FIRST[0][1]) - exp(FIRST[1][1]))


def test_lengths_are_of_the_text_before_it_was_cut() -> None:
    engine = ScriptedEngine(FIRST, {"QW": "e.\nQ: more"})
    (sample,) = draw(engine, (1,), stop=("\nQ:",))
    assert sample.text == "We."
    assert sample.token_lengths == (1,) * 6


def test_a_stop_string_that_begins_in_the_branch_token_cuts() -> None:
    engine = ScriptedEngine([("\n", -1.0), ("a", -2.0)], {"Q\n": "Q: another"})
    (sample,) = draw(engine, (0,), stop=("\nQ:",))
    assert (sample.text, sample.stop_string, sample.truncated) == ("", "\nQ:", False)


def test_a_branch_that_reaches_the_limit_is_truncated() -> None:
    (sample,) = draw(ScriptedEngine(FIRST, {"QW": "e get"}), (1,), max_tokens=3)
    assert (sample.text, sample.truncated) == ("We ", True)


def test_a_limit_of_one_token_asks_for_no_continuation() -> None:
    engine = ScriptedEngine(FIRST)
    (sample,) = draw(engine, (1,), max_tokens=1)
    assert (sample.text, sample.truncated, engine.requests) == ("W", True, [])


def test_missing_ranks_alone_are_drawn() -> None:
    engine = ScriptedEngine(FIRST, {"QW": "e"})
    assert [sample.rank for sample in draw(engine, (1, 3))] == [1, 3]
    assert len(engine.requests) == 2


def test_text_and_lengths_are_made_beside_the_event_loop() -> None:
    ticked = threading.Event()

    class Waiting(ScriptedEngine):
        """Decodes once the event loop has gone on."""

        def decode(self, token_ids: Sequence[int]) -> str:
            assert ticked.wait(60), "the event loop stands still"
            return super().decode(token_ids)

    async def drawn() -> list[Sample]:
        # A branch that starts with EOS, so that the engine itself decodes nothing.
        draw = SampleRequest("p", ids("Q"), (2,))
        drawing = asyncio.ensure_future(
            CoT().sample(Waiting(FIRST), draw, StoppingCriteria(50), no_seed)
        )
        while not drawing.done():
            await asyncio.sleep(0.01)
            ticked.set()
        return await drawing

    (sample,) = asyncio.run(drawn())
    assert sample.text == ""
