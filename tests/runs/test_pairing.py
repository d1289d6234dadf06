from itertools import product

from distlab.runs.pairing import arm_pairs
from tests.runs.written import make_cell


def test_comparisons_are_the_study_and_its_matched_controls() -> None:
    cells = [
        make_cell(f"{variant}/{decoding}")
        for variant, decoding in product(("base", "instruct"), ("cot", "t0.05"))
    ]
    found = [(c.base.arm, c.instruct.arm, c.primary) for c in arm_pairs(cells)]
    assert found == [
        ("base/cot", "instruct/t0.05", True),
        ("base/cot", "instruct/cot", False),
        ("base/t0.05", "instruct/t0.05", False),
    ]
    warm = [(c.base.arm, c.instruct.arm, c.primary) for c in arm_pairs([cells[1], cells[2]])]
    assert warm == [("base/t0.05", "instruct/cot", True)]
    assert not list(arm_pairs(cells[:2]))
