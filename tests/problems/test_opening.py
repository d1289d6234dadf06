import pytest

from distlab.problems.opening import goes_on, split_question


@pytest.mark.parametrize(
    ("question", "opening", "rest"),
    [
        ("one two  three\nfour five", "one two  three", "four five"),
        ("a b c d e f g", "a b c d e", "f g"),
        ("a b", "a", "b"),
        ("alone", "alone", ""),
        ("", "", ""),
    ],
)
def test_the_opening_is_the_first_sixty_per_cent_of_words(
    question: str, opening: str, rest: str
) -> None:
    assert split_question(question) == (opening, rest)


@pytest.mark.parametrize(
    ("text", "rest", "does"),
    [
        (" four five? Answer: 3", "four five?", True),
        ("four\n five?", "four five?", True),
        ("four six?", "four five?", False),
        ("four", "four five?", False),
        ("so four five?", "four five?", False),
        ("anything", "", False),
    ],
)
def test_a_text_goes_on_word_for_word(text: str, rest: str, does: bool) -> None:
    assert goes_on(text, rest) is does
