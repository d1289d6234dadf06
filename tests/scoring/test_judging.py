import pytest

from distlab.errors import UserError
from distlab.problems.problem import GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.graders.standard import Standard
from distlab.scoring.judging import GraderFacts, extract
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import ComponentSpec, Extraction

TEXT = SampledText("It is 42.", truncated=False)


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


def test_an_answer_that_is_no_text_is_an_error() -> None:
    found = extract(Fixed(Extraction(42, 6, 8, 9)), TEXT, GoldKind.NUMBER)  # type: ignore[arg-type]
    assert found == (Extraction(None, 0, 0, 9), True)


USER = "She asks a\nuser\nfor 18."


@pytest.mark.parametrize(
    ("text", "turn_end", "read"),
    [
        # A turn by its tokens: what follows is cut, and the model's own "user" stays.
        ("It is 18.\nuser: and then?\nIt is 5.", 9, "18"),
        ("She has 18 pensuser\nAnd 5?", 15, "18"),
        (USER, len(USER), "18"),
        # By the text, where the tokens do not tell.
        ("It is 18.\nuser\nIt is 5.", None, "18"),
        (USER, None, None),
    ],
)
def test_a_turn_is_read_by_its_tokens_or_else_by_its_text(
    text: str, turn_end: int | None, read: str | None
) -> None:
    sampled = SampledText(text, truncated=False, turn_end=turn_end)
    found, failed = extract(Rules(), sampled, GoldKind.NUMBER)
    assert (found.answer, failed) == (read, False)
    assert found.cut <= len(sampled.turn)


def test_an_extractor_of_the_users_is_shown_the_turn_alone() -> None:
    past = Fixed(Extraction("5", 12, 13, 13))
    sampled = SampledText("18.\nuser\nand5", truncated=False, turn_end=3)
    assert extract(past, sampled, GoldKind.NUMBER) == (Extraction(None, 0, 0, 3), True)


@pytest.mark.parametrize(("turn_end", "read"), [(18, "12"), (None, None), (26, None)])
def test_a_turn_that_ended_before_max_tokens_is_whole(
    turn_end: int | None, read: str | None
) -> None:
    sampled = SampledText("So she has 12 pens!  More ", truncated=True, turn_end=turn_end)
    assert extract(Rules(), sampled, GoldKind.NUMBER)[0].answer == read


TRACE = "<think>The answer is 7. No: 9 * 2.</think>"


@pytest.mark.parametrize(
    ("answer", "truncated", "read"),
    [
        ("The answer is 18.", False, "18"),
        ("So she has 18 pens", False, "18"),
        # Nothing is taken out of the trace: neither where no answer follows nor where it broke off.
        ("", False, None),
        ("", True, None),
        ("So she has 18 pens", True, None),
    ],
)
def test_reasoning_is_never_read(answer: str, truncated: bool, read: str | None) -> None:
    text = TRACE + answer
    sampled = SampledText(text, truncated, turn_end=len(text), thinking_end=len(TRACE))
    found, failed = extract(Rules(), sampled, GoldKind.NUMBER)
    assert (found.answer, failed, found.cut) == (read, False, len(text))
    if read is not None:
        assert text[found.start : found.end] == read
    assert (found.start, found.end) == (0, 0) or found.start >= len(TRACE)


def test_a_turn_that_ended_inside_its_reasoning_has_no_answer() -> None:
    sampled = SampledText(f"{TRACE}18", False, turn_end=20, thinking_end=len(TRACE))
    assert extract(Rules(), sampled, GoldKind.NUMBER)[0].answer is None


def test_undeclared_marks_are_text_as_ever() -> None:
    """A checkpoint that is not asked to reason and writes the mark keeps the rules for that."""
    sampled = SampledText(f"{TRACE}The answer is 18.", truncated=False)
    assert extract(Rules(), sampled, GoldKind.NUMBER)[0].answer == "18"


class Undecided(Standard):
    def applies(self, kind: GoldKind) -> bool:
        raise SystemExit(3)


def test_a_grader_of_the_users_that_fails_to_say_what_it_judges_is_named() -> None:
    spec = ComponentSpec("mine", f"{__name__}:Undecided")
    with pytest.raises(UserError, match=r"asking which golds it judges fails \(SystemExit: 3\)"):
        GraderFacts.of(spec)
