import time

import pytest

from distlab.brackets import depth, group_end, nesting


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("", ""),
        ("a(b)c", "00100"),
        ("[0,1)", "01110"),
        (r"\{1\}", "00110"),
        ("((", "01"),
        ("),(,)", "00010"),
    ],
)
def test_depth_is_that_of_the_brackets_around(text: str, depths: str) -> None:
    found = list(nesting(text))
    assert "".join(character for _, character, _ in found) == text
    assert "".join(str(depth) for _, _, depth in found) == depths


@pytest.mark.parametrize(
    ("text", "most"), [("", 0), ("a)", 0), ("()[{}]", 2), (")((", 2), ("[0,1)(", 1), ("((((", 4)]
)
def test_the_deepest_place_counts(text: str, most: int) -> None:
    assert depth(text) == most


def test_depth_counts_from_where_reading_starts() -> None:
    assert list(nesting("((a)", 1)) == [(1, "(", 0), (2, "a", 1), (3, ")", 0)]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("{}", 1),
        (r"{\frac{1}{2}} and {3}", 12),
        (r"{\left\{1, 2\right.}", 19),
        (r"{\{1\}}", 6),
        ("{ ( }", 4),
        ("{", -1),
        ("{{}", -1),
        (r"{\}", -1),
    ],
)
def test_a_group_ends_at_its_own_brace(text: str, end: int) -> None:
    assert group_end(text, 0) == end


def test_a_group_that_ends_beyond_the_part_looked_at_has_no_end() -> None:
    assert group_end("{abc}", 0, 4) == -1
    assert group_end("{abc}", 0, 5) == 4


def cpu_s(text: str) -> float:
    began = time.process_time()
    list(nesting(text))
    group_end(text, 0)
    return time.process_time() - began


def test_open_brackets_cost_time_in_proportion() -> None:
    # Thrice, since other processes take their share of the caches.
    assert any(cpu_s("{" * 400_000) < 40 * max(cpu_s("{" * 40_000), 0.005) for _ in range(3))
