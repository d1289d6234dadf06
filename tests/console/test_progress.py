import io
import sys
import time

import pytest
from rich.console import Console

from distlab.console.progress import (
    CellProgress,
    LiveView,
    PlainView,
    ReplicaProgress,
    State,
    format_seconds,
    make_progress_view,
)


def console(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def sampling() -> State:
    cells = {"a": CellProgress("base/cot · gsm8k · zero-shot", 4, 80, done_problems=1)}
    cells["a"].done_samples = 20
    since = time.monotonic() - 10
    return State("sampling", cells=cells, tokens=1000, drawn=20, sampling_since=since)


def test_a_log_gets_a_line_for_each_stage_and_not_for_each_sample() -> None:
    out = console()
    view = make_progress_view(out, State())
    assert isinstance(view, PlainView)
    state = State("loading a model into vLLM")
    for _ in range(50):
        view.refresh(state)
    state = sampling()
    for _ in range(50):
        view.refresh(state)
    assert printed(out).splitlines() == [
        "loading a model into vLLM",
        "sampling · 20/80 samples · 100 tokens/s · about 30 s left",
    ]


def test_a_terminal_gets_a_live_table() -> None:
    out = console(terminal=True)
    view = make_progress_view(out, sampling())
    assert isinstance(view, LiveView)
    with view.running():
        view.say("engine on n1 loaded in 20 s")
    text = printed(out)
    assert "engine on n1 loaded in 20 s" in text
    assert "base/cot · gsm8k · zero-shot" in text
    assert "1/4" in text
    assert "20/80" in text


def replica(tokens: int, **counts: int) -> ReplicaProgress:
    row = ReplicaProgress("org/model", "sampling", ("n1", "n2"), **counts)
    row.told(100.0, 0)
    row.told(102.0, tokens)
    return row


def test_every_engine_has_a_row_with_its_rate() -> None:
    state = sampling()
    state.replicas["r1"] = replica(500, leases=7, running=64, waiting=3, restarts=2)
    state.replicas["r2"] = ReplicaProgress("org/model", nodes=("n3",))
    out = console(terminal=True)
    with make_progress_view(out, state).running():
        pass
    (first,) = [line for line in printed(out).splitlines() if "r1 org/model on n1" in line]
    assert first.split()[-6:] == ["sampling", "7", "64", "3", "250", "2"]
    assert "and 1 more" in first
    (second,) = [line for line in printed(out).splitlines() if "r2 org/model on n3" in line]
    assert "loading" in second


def test_of_many_engines_the_rest_share_a_row() -> None:
    state = sampling()
    state.replicas = {f"r{i}": replica(20, leases=1) for i in range(64)}
    out = console(terminal=True)
    with make_progress_view(out, state).running():
        pass
    (rest,) = [line for line in printed(out).splitlines() if "52 more" in line]
    assert rest.split() == ["52", "more", "52", "0", "0", "520", "0"]
    plain = console()
    PlainView(plain).refresh(state)
    assert "64 engines" in printed(plain)


def test_what_others_print_stays_out_of_the_live_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = console(terminal=True)
    with make_progress_view(out, sampling()).running():
        print("(Replica pid=1) noise")
        print("(Replica pid=1) noise", file=sys.stderr)
    assert "noise" not in printed(out)
    assert capsys.readouterr() == ("(Replica pid=1) noise\n", "(Replica pid=1) noise\n")


def test_names_from_outside_are_no_markup() -> None:
    out = console()
    PlainView(out).say("[red]x[/red] [/]")
    assert printed(out) == "[red]x[/red] [/]\n"


def test_time_left_is_unknown_before_the_first_sample() -> None:
    assert State().left_s is None
    assert State().tokens_per_s == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7860, "2 h 11 min")],
)
def test_seconds_for_people(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
