import pytest

from distlab.runs.spellings import respelt


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("0", "0.0"), ("7", "07"), ("12", "12.00"), ("q-7", "Q-007"), ("a b", " a  b ")),
        ("test/1.50", "test/1.5"),
    ],
)
def test_ids_that_differ_in_spelling_only_are_found_on_either_side(one: str, other: str) -> None:
    assert respelt(["x", one], ["x", other]) == ((one, other),)
    assert respelt([other], [one]) == ((other, one),)


def test_ids_that_both_sides_have_and_other_ids_are_not() -> None:
    assert respelt(["7", "07", "10", "1.1"], ["7", "07", "1", "11"]) == ()
