"""Names that the report's questions share."""

from distlab.runs.scored import Judge
from distlab.store.cell import Cell


def setting(cell: Cell) -> str:
    """As in "qwen3-8b on gsm8k (zero-shot)"."""
    return f"{cell.family} on {cell.dataset} ({cell.prompt})"


def judge_name(judge: Judge) -> str:
    """As in "rules / math-verify"."""
    return f"{judge.extractor} / {judge.grader}"
