import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from distlab.problems import DatasetSpec, load_dataset
from distlab.problems.content import text_hash
from distlab.problems.rows import Row, read_rows
from distlab.problems.seed_pairs import pair_of
from tests.problems.finding_seeds import SeedStatement, find_seeds

REBUILD = "the packaged map is not what find_seeds finds on the published files"


def _statement(row: Row, key: str) -> SeedStatement:
    return SeedStatement(row.text(key), row.text("problem"), row.text("type"))


def test_no_problems_have_no_seeds() -> None:
    assert find_seeds([], []) == {}
    assert find_seeds([SeedStatement("1", "text", "Algebra")], []) == {}
    assert pair_of("nobody asked this") is None


def test_the_published_pairs_are_found_again(real: Callable[[str], Path]) -> None:
    """Where seed_pairs.json, the packaged map, comes from."""
    math = [row for row in read_rows(real("math/test.jsonl")) if row.text("level") == "Level 5"]
    perturbed = [
        row
        for row in read_rows(real("math-perturb/math_perturb_simple.jsonl"))
        if row.text("original_split") == "test"
    ]
    found = find_seeds(
        [_statement(row, "problem_id") for row in perturbed],
        [_statement(row, "idx") for row in math],
    )
    published = json.loads(real("math-perturb/seed_pairs.json").read_text())
    assert found == {str(one["problem_id"]): str(one["math_test_idx"]) for one in published}
    assert len(found) == 115
    texts = {row.text("idx"): row.text("problem") for row in math}
    packaged = json.loads((files("distlab.problems") / "seed_pairs.json").read_text())
    assert packaged == {key: text_hash(texts[seed]) for key, seed in found.items()}, REBUILD


def test_seeds_of_every_set_share_their_pair(
    real: Callable[[str], Path], real_spec: Callable[..., DatasetSpec]
) -> None:
    pairs = {
        name: {one.pair: one for one in load_dataset(real_spec(name)).problems if one.pair}
        for name in ("math", "math-500", "math-perturb-simple", "math-perturb-hard")
    }
    hard = pairs["math-perturb-hard"]
    assert len(hard) == 279
    assert set(hard) == set(pairs["math-perturb-simple"])
    assert len(pairs["math"]) == 115
    assert set(pairs["math-500"]) < set(pairs["math"]) < set(hard)
    assert len(pairs["math-500"]) == 12
    for pair, seed in pairs["math"].items():
        assert hard[pair].strata["original_split"] == "test"
        assert hard[pair].strata["subject"] == seed.strata["subject"]
        assert (seed.side, seed.cluster) == ("seed", hard[pair].cluster)
    published = json.loads(real("math-perturb/seed_pairs.json").read_text())
    in_500 = {one["math_500_unique_id"] for one in published} - {None}
    assert {one.id for one in pairs["math-500"].values()} == in_500
