"""Addresses of cells as runs leave them, for questions about what prompts differ in."""

from collections.abc import Iterable
from typing import Any

from distlab.store.cell import Cell


def fields(cell: Cell, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever a field holds)
    """The fields of a cell's address; ``more`` are those of its prompt."""
    prompt = {"style": cell.prompt, "shots": "0", "seed": "0", "instruction": "Solve.", **more}
    temperature = float(cell.decoding[1:]) if cell.decoding.startswith("t") else 0.0
    return {
        "checkpoint": cell.variant,
        "decoding": cell.kind,
        "temperature": temperature,
        "prompt": prompt,
        "stop": ["\nQ:"],
        "seed": 0,
    }


def fingerprints(cells: Iterable[Cell], **more: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Of several cells, whose prompts have ``more`` in common."""
    return {cell.key: fields(cell, **more) for cell in cells}
