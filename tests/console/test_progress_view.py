import io
import sys
import time

import pytest
from rich.console import Console

from distlab.console.progress import CellProgress, ReplicaProgress, State
from distlab.console.progress_view import LiveView, PlainView, make_progress_view


def console(terminal: bool = False, width: int = 100, height: int = 25) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, height=height)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def cell(label: str = "base/cot · gsm8k · zero-shot") -> CellProgress:
    row = CellProgress(label, 4, 80, done_problems=1, max_tokens=50)
    row.advance(time.monotonic() - 10, 200)
    row.finish(time.monotonic() - 10, 20, 1000, 0)
    return row


def sampling() -> State:
    return State("sampling", cells={"a": cell()}, sampling_since=time.monotonic() - 10)


def drawn(state: State, width: int = 100, height: int = 25) -> list[str]:
    """The lines of the live view, as they stand on the terminal."""
    out = console(terminal=True, width=width, height=height)
    view = LiveView(out, state)
    plain = Console(file=io.StringIO(), width=width, height=height)
    plain.print(view._render())
    return printed(plain).splitlines()


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


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_cell_has_one_line_with_all_its_figures(width: int) -> None:
    headline, line = drawn(sampling(), width)
    assert headline[2:] == "sampling · 20/80 samples · 100 tokens/s · about 30 s left"
    assert len(line) <= width
    assert "25 %" in line
    assert "0:10 0:30 left" in line
    assert ("100 tok/s" in line) == (width >= 70)
    assert ("━" in line) == (width >= 90)


def test_what_is_loading_is_said_with_a_spinner_and_how_long_it_has_taken() -> None:
    state = State("loading org/model into vLLM", stage_since=time.monotonic() - 65)
    (line,) = drawn(state)
    assert line[1:] == " loading org/model into vLLM · 1:05"
    assert not line[0].isascii()


def test_time_left_is_a_bound_until_a_sample_is_whole() -> None:
    row = CellProgress("base/cot", 4, 80, max_tokens=50)
    row.advance(time.monotonic() - 10, 400)
    line = drawn(State("sampling", cells={"a": row}, sampling_since=1.0))[1]
    assert "≤ 1:30 left" in line


def test_of_more_cells_than_lines_those_under_way_are_shown_and_the_others_counted() -> None:
    cells = {f"c{i}": CellProgress(f"waits {i}", 4, 80) for i in range(30)}
    cells["done"] = CellProgress("all there", 4, 80, done_samples=80)
    cells["under way"] = cell("under way")
    lines = drawn(State("sampling", cells=cells, sampling_since=1.0), height=16)
    assert lines[1].startswith("under way")
    assert len(lines) <= 16
    assert lines[-1].split() == ["22", "more,", "1", "done"]


def test_a_narrower_terminal_leaves_nothing_behind() -> None:
    out = console(terminal=True, width=100)
    view = LiveView(out, sampling())
    with view.running():
        view._live.refresh()
        out.width = 50
        before = len(printed(out))
        view._live.refresh()
        redrawn = printed(out)[before:]
    # Two lines of up to 100 characters are four of 50: the cursor goes up to the first.
    assert redrawn.count("\x1b[1A") == 3


def test_a_terminal_gets_what_is_said_above_the_table() -> None:
    out = console(terminal=True)
    view = make_progress_view(out, sampling())
    assert isinstance(view, LiveView)
    with view.running():
        view.say("engine on n1 loaded in 20 s")
    assert "engine on n1 loaded in 20 s" in printed(out)


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    state = sampling()
    state.cells["a"].failed = 1
    out = console(terminal=True)
    with LiveView(out, state).running():
        pass
    assert "1 failed" in printed(out)
    assert "\x1b[3" not in printed(out)


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress_view(console(terminal=True), State()), PlainView)


def replica(tokens: int, **counts: int) -> ReplicaProgress:
    row = ReplicaProgress("org/model", "sampling", ("n1", "n2"), **counts)
    row.told(100.0, 0)
    row.told(102.0, tokens)
    return row


def test_several_engines_have_a_row_each_with_its_rate() -> None:
    state = sampling()
    state.replicas["r1"] = replica(500, problems=7, running=64, waiting=3, restarts=2)
    state.replicas["r2"] = ReplicaProgress("org/model", nodes=("n3",))
    lines = drawn(state)
    (first,) = [line for line in lines if "r1 org/model on n1" in line]
    assert first.split()[-6:] == ["sampling", "7", "64", "3", "250", "2"]
    assert "and 1 more" in first
    (second,) = [line for line in lines if "r2 org/model on n3" in line]
    assert "loading" in second


def test_of_many_engines_the_rest_share_a_row() -> None:
    state = sampling()
    state.replicas = {f"r{i}": replica(20, problems=1) for i in range(64)}
    (rest,) = [line for line in drawn(state) if "52 more" in line]
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
