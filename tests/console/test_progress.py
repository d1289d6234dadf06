import time

import pytest

from distlab.console.progress import (
    CellProgress,
    ReplicaProgress,
    State,
    format_rate,
    format_seconds,
)


def test_time_left_is_known_from_the_first_token_on() -> None:
    row = CellProgress("base/cot", 4, 80, max_tokens=100)
    assert row.left_s(5.0) is None
    row.advance(10.0, 0)
    row.advance(12.0, 50)
    row.advance(22.0, 350)
    # 400 tokens in 10 s, and 8000 at the most to make.
    assert row.tokens_per_s(22.0) == 40
    assert row.left_s(22.0) == (8000 - 400) / 40
    assert row.is_bound


def test_a_bound_waits_for_an_engine_that_warms_up() -> None:
    row = CellProgress("base/cot", 4, 80, max_tokens=100)
    row.advance(10.0, 2)
    # Two tokens in half a minute of compiling would promise days.
    assert row.left_s(40.0) is None
    state = State(cells={"a": row}, sampling_since=10.0)
    row.began = time.monotonic() - 30
    assert state.left_s is None
    # What is slow and whole is no bound.
    row.finish(40.0, 1, 2, 0)
    assert row.left_s(row.began + 40) == 79 * 2 / (2 / 40)


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0.0"), (0.01, "< 0.1"), (4.24, "4.2"), (130.4, "130")]
)
def test_a_rate_is_not_rounded_to_nothing(rate: float, text: str) -> None:
    assert format_rate(rate) == text


def test_whole_samples_say_how_long_the_others_will_be() -> None:
    row = CellProgress("base/cot", 4, 80, max_tokens=100, done_samples=40)
    row.advance(10.0, 300)
    row.finish(20.0, 20, 200, 1)
    assert (row.done_samples, row.done_problems) == (60, 1)
    # 20 samples of 10 tokens to come, of which 100 tokens are made.
    assert row.left_s(20.0) == (20 * 10 - 100) / 30
    assert not row.is_bound


def test_an_engine_that_tells_of_no_tokens_is_timed_by_what_is_committed() -> None:
    row = CellProgress("base/cot", 4, 80)
    row.finish(10.0, 10, 100, 0)
    row.finish(20.0, 10, 100, 1)
    assert row.tokens_per_s(20.0) == 20


def test_time_left_of_a_study_is_over_what_is_under_way() -> None:
    now = time.monotonic()
    done = CellProgress("done", 1, 4, done_samples=4)
    done.began, done.made = now - 1000, 10
    under = CellProgress("under", 1, 8, done_samples=4, drawn=4, tokens=400)
    under.began, under.made = now - 10, 400
    later = CellProgress("later", 1, 4, max_tokens=200)
    state = State(cells={"a": done, "b": under, "c": later}, sampling_since=now - 10)
    assert state.tokens_per_s == pytest.approx(40, rel=0.1)
    assert state.left_s == pytest.approx((400 + 800) / 40, rel=0.1)
    assert state.is_bound


def test_time_left_is_unknown_before_the_first_token() -> None:
    assert State().left_s is None
    assert State().tokens_per_s == 0


def test_an_engine_counts_from_when_it_is_first_asked() -> None:
    row = ReplicaProgress("m")
    assert row.told(1.0, 500) == 0
    assert row.told(3.0, 700) == 200
    assert row.tokens_per_s == 100


def test_a_stage_is_timed_from_its_beginning() -> None:
    state = State("loading", stage_since=1.0)
    state.enter("loading")
    assert state.stage_since == 1.0
    state.enter("sampling")
    assert state.stage_since > 1.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7860, "2 h 11 min")],
)
def test_seconds_for_people(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
