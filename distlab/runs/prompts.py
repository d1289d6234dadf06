"""The prompts of a run, as the models saw them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from distlab.runs.folder import RunFolder
from distlab.store.kept_prompts import PROMPTS, prompt_table
from distlab.store.store import Store


def run_prompts(run: Path, cells: Sequence[str] | None = None) -> pa.Table:
    """Every prompt that the store keeps of a run's cells, one row per cell and problem.

    Args:
        run: The run folder.
        cells: Keys of cells; None for all.

    Returns:
        Columns ``cell`` (its key), ``problem_id``, ``prompt_hash`` (as in the samples), ``text``
        (what the model saw) and ``turns`` (role and content of each; empty for plain text). Cells
        that no run of this version of distlab has rendered have no rows.

    Raises:
        UserError: It is no run folder, or a file cannot be read.
    """
    manifest = RunFolder(run).read_manifest()
    store, tables = Store.look(manifest.store), []
    for cell in manifest.cells:
        if cells is None or cell.key in cells:
            found = prompt_table(store.cell(cell.path))
            keys = pa.array([cell.key] * found.num_rows, pa.string())
            tables.append(found.add_column(0, "cell", keys))
    schema = PROMPTS.insert(0, pa.field("cell", pa.string()))
    return pa.concat_tables(tables) if tables else schema.empty_table()
