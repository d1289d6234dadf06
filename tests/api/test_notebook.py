"""The notebook in docs/ runs from its first cell to its last, on a small run."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "runs.ipynb"


def test_every_cell_runs_and_finds_what_the_run_holds(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "NAME").symlink_to(made)
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)
    names: dict[str, Any] = {}
    shown = []
    for cell in cells:
        *lines, last = _statements("".join(cell["source"]))
        exec("\n".join(lines), names)
        shown.append(eval(last, names))
    assert len(shown) == len(cells)
    assert set(names["scores"].grader) == {"standard", "given:score"}
    assert {"difference", "difference_low"} <= set(names["gaps"].columns)
    _, scores, gaps, head, base_alone, differing = shown
    assert (len(scores), len(gaps), len(head)) == (8, 4, 5)
    assert base_alone.question.tolist() == ["What is 1, words?"] * 2
    assert {"standard": "correct", "given:score": "incorrect"} in differing.verdicts.tolist()


def _statements(source: str) -> list[str]:
    """The statements of a cell; the last is an expression, whose value a notebook shows."""
    return [ast.unparse(statement) for statement in ast.parse(source).body]
