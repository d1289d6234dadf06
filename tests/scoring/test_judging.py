import pytest

from distlab.problems.problem import GoldKind
from distlab.scoring.judging import extract
from distlab.scoring.types import Extraction

TEXT = "It is 42."


class Fixed:
    name, version = "fixed", "1"

    def __init__(self, found: Extraction) -> None:
        self._found = found

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        return self._found


@pytest.mark.parametrize(("start", "end"), [(0, 0), (6, 8), (0, 9)])
def test_a_span_in_the_text_is_taken(start: int, end: int) -> None:
    found = Extraction("42", start, end, 9)
    assert extract(Fixed(found), TEXT, GoldKind.NUMBER) == (found, False)


@pytest.mark.parametrize(("start", "end"), [(0, 10), (-3, 8), (8, 6), (10, 12)])
def test_a_span_outside_of_the_text_is_an_error_and_no_answer_without_delta(
    start: int, end: int
) -> None:
    found = extract(Fixed(Extraction("42", start, end, 9)), TEXT, GoldKind.NUMBER)
    assert found == (Extraction(None, 0, 0, 9), True)
