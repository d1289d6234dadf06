"""Model text as HTML."""

import pytest

from distlab.view.samples import JudgedAnswer
from distlab.view.shown import block, excerpt, finalize, marked

TEXT = "We get <7>. The answer is 7. Q: next"


def reading(answer: str | None, start: int, end: int, cut: int) -> JudgedAnswer:
    return JudgedAnswer("rules", answer, start, end, cut, {})


def test_markup_is_escaped_once() -> None:
    assert block("<b>&amp;</b>") == "&lt;b&gt;&amp;amp;&lt;/b&gt;"


def test_line_ends_and_tabs_stay_and_other_scripts_too() -> None:
    assert block("a\n\tb é 数 שלום ∑") == "a\n\tb é 数 שלום ∑"


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u3164", "\U000e0101"]
)
def test_what_cannot_be_seen_is_written_out(character: str) -> None:
    shown = block(f"a{character}b")
    assert character not in shown
    assert character.encode("unicode_escape").decode() in shown


def test_lone_surrogates_can_be_sent() -> None:
    assert block("\ud800").encode() == (b'<span class="unseen" title="U+D800">\\ud800</span>')


def test_the_answer_is_marked_and_the_rest_set_apart() -> None:
    shown = marked(TEXT, reading("7", 26, 27, 28))
    assert shown == (
        'We get &lt;7&gt;. The answer is <mark title="read as the answer">7</mark>.'
        '<span class="beyond" title="not read"> Q: next</span>'
    )


def test_no_answer_is_no_mark() -> None:
    assert marked(TEXT, reading(None, 0, 0, len(TEXT))) == block(TEXT)
    assert marked(TEXT, None) == block(TEXT)


@pytest.mark.parametrize("size", [1, 5, 27, 100])
def test_parts_of_a_text_together_are_the_text(size: int) -> None:
    mine = reading("7", 26, 27, 28)
    parts = [marked(TEXT, mine, begin, begin + size) for begin in range(0, len(TEXT), size)]
    bare = [part.striptags() for part in parts]
    assert "".join(bare).replace(" ", "") == TEXT.replace(" ", "")


def test_a_reading_that_does_not_fit_breaks_nothing() -> None:
    assert marked("ab", reading("x", 5, 9, 1)) == (
        'a<span class="beyond" title="not read">b</span>'
    )


def test_long_texts_show_begin_and_end() -> None:
    made = excerpt("a" * 1000 + "b" * 1000, None)
    assert made.head == "a" * 900
    assert made.left_out == 500
    assert made.tail == "b" * 600


def test_whatever_a_template_prints_is_one_visible_line() -> None:
    assert finalize("a\n\x1b[1m") == r"a\n\x1b[1m"
    assert finalize(3) == 3
