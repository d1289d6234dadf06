import contextlib
import time

import pytest

from distlab.tabular.gold_text import NoAnswerError, StatedGold, stated_gold


@pytest.mark.parametrize(
    ("cell", "text", "mark"),
    [
        ("18", "18", None),
        ("# 18", "18", "#"),
        ("#18", "18", "#"),
        ("# 2,125", "2,125", "#"),
        ("She makes 9 * 2 = $<<9*2=18>>18.\n#### 18", "18", "####"),
        ("First #### 3 and then\n#### -1,250\n", "-1,250", "####"),
        (r"We get $\boxed{3}$, no: \boxed{\frac{1}{2}}.", r"\frac{1}{2}", r"\boxed"),
        (r"$\fbox{5}$", "5", r"\boxed"),
        (r"#### \boxed{72}", "72", "####"),
        ("The final answer is: 42.", "42", "answer"),
        ("\u22125", "-5", None),
        ("$18$", "18", None),
        ("$18", "$18", None),
        (r"\(x+1\)", "x+1", None),
        ("$1$ and $2$", "$1$ and $2$", None),
        ("1e-05", "0.00001", None),
        ("1.5E3", "1500", None),
        (r"\text{odd}", r"\text{odd}", None),
        (r"\#18", r"\#18", None),
    ],
)
def test_a_cell_states_its_answer(cell: str, text: str, mark: str | None) -> None:
    assert stated_gold(cell) == StatedGold(text, mark)


@pytest.mark.parametrize("cell", ["n/a", "NA", "None", "null", "[invalid]", "-", "?", "$N/A$"])
def test_words_for_nothing_are_no_answer(cell: str) -> None:
    with pytest.raises(NoAnswerError, match="is no answer"):
        stated_gold(cell)


def test_a_box_without_a_group_is_no_answer() -> None:
    with pytest.raises(NoAnswerError, match="without a group"):
        stated_gold(r"so \boxed 5")


def test_a_word_for_nothing_that_is_asked_for_is_an_answer() -> None:
    assert stated_gold("NaN", "Return NaN if it has none.") == StatedGold("NaN")
    with pytest.raises(NoAnswerError, match="is no answer"):
        stated_gold("-", "What is 5 - 3?")


def seconds(cell: str) -> float:
    """CPU time of one reading."""
    start = time.process_time()
    with contextlib.suppress(NoAnswerError):
        stated_gold(cell)
    return time.process_time() - start


@pytest.mark.parametrize(
    "unit",
    ["x", "x ", "5", " ", "answer ", "answer is ", "#", "# ", "$", r"\boxed{", "{", "-", "a. "],
)
def test_the_time_grows_with_the_length(unit: str) -> None:
    # Four times the length: a quadratic pattern takes sixteen times as long.
    short, long = (unit * (length // len(unit)) for length in (20_000, 80_000))
    assert any(seconds(long) <= 8 * max(0.01, seconds(short)) for _ in range(3))
