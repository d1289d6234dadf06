import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.problems import DatasetSpec

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

LOADERS = {
    "arithmetic": "distlab.problems.arithmetic:Arithmetic",
    "gsm8k": "distlab.problems.gsm8k:GSM8K",
    "gsm-symbolic": "distlab.problems.gsm_symbolic:GSMSymbolic",
    "math": "distlab.problems.math:MATH",
    "math-500": "distlab.problems.math:MATH500",
    "math-perturb-simple": "distlab.problems.math_perturb:Simple",
    "math-perturb-hard": "distlab.problems.math_perturb:Hard",
    "medcalc": "distlab.problems.medcalc:MedCalc",
}
FILES = {
    "gsm8k": "gsm8k/test.jsonl",
    "math": "math/test.jsonl",
    "math-500": "math-500/test.jsonl",
    "math-perturb-simple": "math-perturb/math_perturb_simple.jsonl",
    "math-perturb-hard": "math-perturb/math_perturb_hard.jsonl",
    "medcalc": "medcalc/test_v1.0.csv",
}


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Path of a real evaluation file; skips where the data folder is absent."""

    def find(name: str) -> Path:
        if not DATA.is_dir():
            pytest.skip(f"the evaluation sets are not at {DATA}")
        return DATA / name

    return find


@pytest.fixture
def spec() -> Callable[..., DatasetSpec]:
    """A DatasetSpec by dataset name."""

    def make(name: str, path: Path | None = None, **more: object) -> DatasetSpec:
        where = None if path is None else str(path)
        return DatasetSpec(name, LOADERS[name], path=where, **more)

    return make


@pytest.fixture
def real_spec(
    real: Callable[[str], Path], spec: Callable[..., DatasetSpec]
) -> Callable[..., DatasetSpec]:
    """A DatasetSpec that reads the real file."""

    def make(name: str, **more: object) -> DatasetSpec:
        return spec(name, real(FILES[name]), **more)

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Sequence[Mapping[str, Any]]], Path]:
    """Writes rows to tmp_path in the format that the name's suffix says."""

    def put(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        path = tmp_path / name
        match path.suffix:
            case ".jsonl":
                path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            case ".parquet":
                pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
            case ".csv":
                with path.open("w", newline="") as file:
                    writer = csv.DictWriter(file, rows[0].keys())
                    writer.writeheader()
                    writer.writerows(rows)
        return path

    return put
