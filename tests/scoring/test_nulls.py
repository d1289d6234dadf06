"""The null model, graded for real; its known shares are those of the published test sets."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from distlab.problems import Gold, GoldKind, Problem
from distlab.scoring import judging
from distlab.scoring.nulls import ANSWERS, grade_nulls
from distlab.scoring.pool import PoolSettings
from distlab.scoring.types import ComponentSpec
from tests.scoring.test_published import DATA, load

STANDARD = ComponentSpec("standard", "distlab.scoring.graders.standard:Standard")
MEDCALC = ComponentSpec("medcalc", "distlab.scoring.graders.medcalc:MedCalc")
SETTINGS = PoolSettings()
# Share solved by answering 0 to 9, and problems of the set.
KNOWN: Mapping[str, tuple[float, int]] = {
    "medcalc": (0.311, 1047),
    # 117 golds are a digit (23.4 %); graders accept 5 for `x=5` as well.
    "math-500": (0.236, 500),
    "gsm8k": (0.191, 1319),
    "math-perturb-hard": (0.168, 279),
}


def problem(name: str, gold: str) -> Problem:
    return Problem(name, "toy", "How many?", Gold(GoldKind.NUMBER, gold), name)


def correct(file: Path, grader: str) -> set[tuple[str, int]]:
    rows = pq.read_table(file).to_pylist()
    return {
        (row["problem_id"], row["answer"])
        for row in rows
        if row["grader"] == grader and row["verdict"] == "correct"
    }


def test_golds_are_graded_once_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = {
        "toy": [problem("a", "7"), problem("b", "19"), problem("c", "7"), problem("d", "x")]
    }
    files = {"toy": tmp_path / "nulls" / "toy.parquet"}
    grade_nulls(problems, files, [STANDARD, MEDCALC], SETTINGS)
    assert correct(files["toy"], "standard") == {("a", 7), ("b", 19), ("c", 7)}
    # MedCalc's grader judges no plain numbers: it leaves no rows.
    assert pq.read_metadata(files["toy"]).num_rows == 4 * len(ANSWERS)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("graded again")

    with monkeypatch.context() as patch:
        patch.setattr(judging, "GraderPool", refuse)
        grade_nulls(problems, files, [STANDARD, MEDCALC], SETTINGS)
    grade_nulls({"toy": [problem("a", "8")]}, files, [STANDARD], SETTINGS)
    assert correct(files["toy"], "standard") == {("a", 8)}


def test_another_run_finds_them_and_starts_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = {"toy": [problem("a", "7"), problem("b", "19")]}
    cache = tmp_path / "verdict-cache"
    first, second, third = ({"toy": tmp_path / f"{run}.parquet"} for run in range(3))
    grade_nulls(problems, first, [STANDARD], SETTINGS, cache=cache)
    with monkeypatch.context() as patch:
        patch.setattr(judging, "GraderPool", None)
        grade_nulls(problems, second, [STANDARD], SETTINGS, cache=cache)
        with pytest.raises(TypeError, match="not callable"):
            grade_nulls({"toy": [problem("c", "8")]}, third, [STANDARD], SETTINGS, cache=cache)
    assert pq.read_table(second["toy"]) == pq.read_table(first["toy"])
    assert correct(second["toy"], "standard") == {("a", 7), ("b", 19)}


@pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation sets are not at hand")
def test_known_shares(tmp_path: Path) -> None:
    problems = {name: load(name) for name in KNOWN}
    files = {name: tmp_path / f"{name}.parquet" for name in KNOWN}
    grade_nulls(problems, files, [STANDARD, MEDCALC], SETTINGS)
    for name, (share, count) in KNOWN.items():
        graders = ["standard", "medcalc"] if name == "medcalc" else ["standard"]
        for grader in graders:
            solved = {p for p, answer in correct(files[name], grader) if answer < 10}
            assert len(solved) / count == pytest.approx(share, abs=6e-4)
