"""Names that the report's questions share."""

from distlab.analysis.claims import Decision
from distlab.runs.scored import Judge
from distlab.store.cell import Cell
from distlab.tables.numbers import p_value


def setting(cell: Cell) -> str:
    """As in "qwen3-8b on gsm8k (zero-shot)"."""
    return f"{cell.family} on {cell.dataset} ({cell.prompt})"


def judge_name(judge: Judge) -> str:
    """As in "rules / math-verify"."""
    return f"{judge.extractor} / {judge.grader}"


def holm_note(decision: Decision) -> str:
    """The adjusted p of a yes, as in "p < 0.001 after Holm"."""
    return f"p {shown_p(decision.yes)} after Holm over the report's claims"


def alone_note(decision: Decision) -> str:
    """That a gap is told from zero by its own test, and not over all that the report claims."""
    return (
        f"Alone the gap would be told from zero (p {shown_p(decision.claim.yes)}); over all "
        f"claims of this report it is not (p {shown_p(decision.yes)} after Holm)."
    )


def shown_p(p: float) -> str:
    """For sentences, as in "= 0.012" or "< 0.001"."""
    shown = p_value(p)
    return shown if shown.startswith("<") else f"= {shown}"
