from dataclasses import replace
from pathlib import Path

import pytest

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.config.values import Arm, Family
from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder, DecodingSpec
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import SampleRequest
from distlab.sampling.engine_jobs import with_greedy_branches
from distlab.sampling.planned import PlannedCell
from distlab.store.cell import Cell
from distlab.store.store import Store
from tests.store.cells import FIELDS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path))


def cell(store: Store, decoder: Decoder, problems: str, *ranks: int) -> PlannedCell:
    name = decoder.kind
    requests = tuple(SampleRequest(p, (ord(p), 5), ranks) for p in problems)
    return PlannedCell(
        cell=Cell("f", "base", name, name, "toy", "p", 3, "f00d", f"f/{name}"),
        arm=Arm("base", DecodingSpec(name, decoder, 8), 3),
        family=Family("f", {}, 1, "float32", None, 64, {}, None, {}, False, ()),
        checkpoint=Checkpoint("m", "m", None, "w"),
        seed=0,
        fields=FIELDS,
        stop=(),
        prompt_hashes={},
        requests=requests,
        held=0,
        failures=(),
        stored=store.cell(f"f/{name}"),
    )


def left(cells: list[PlannedCell]) -> list[tuple[str, str, str | None]]:
    return [(p.cell.path, r.problem_id, r.greedy) for p in cells for r in p.requests]


def test_a_greedy_sample_is_left_to_the_branch_that_it_is(store: Store) -> None:
    both = [cell(store, Greedy(), "abc", 0), cell(store, CoT(), "ab", 0, 1)]
    assert left(with_greedy_branches(both)) == [
        # Nobody branches on it.
        ("f/greedy", "c", None),
        ("f/cot", "a", "f/greedy"),
        ("f/cot", "b", "f/greedy"),
    ]


def test_without_branch_0_nothing_changes(store: Store) -> None:
    both = [cell(store, Greedy(), "a", 0), cell(store, CoT(), "a", 1, 2)]
    assert with_greedy_branches(both) == both


def test_another_prompt_limit_or_stop_string_is_another_completion(store: Store) -> None:
    greedy, cot = cell(store, Greedy(), "a", 0), cell(store, CoT(), "a", 0, 1)
    longer = Arm("base", DecodingSpec("cot", CoT(), 9), 3)
    for other in (
        replace(cot, arm=longer),
        replace(cot, stop=("\n",)),
        replace(cot, requests=(SampleRequest("a", (1, 2), (0, 1)),)),
    ):
        assert with_greedy_branches([greedy, other]) == [greedy, other]


def test_two_greedy_cells_of_a_prompt_both_get_their_samples(store: Store) -> None:
    greedy, cot = cell(store, Greedy(), "a", 0), cell(store, CoT(), "a", 0, 1)
    twin = replace(greedy, cell=replace(greedy.cell, path="f/twin"))
    got = left(with_greedy_branches([greedy, twin, cot]))
    served = {path for path, _, _ in got} | {along for _, _, along in got if along is not None}
    assert served == {"f/greedy", "f/twin", "f/cot"}
