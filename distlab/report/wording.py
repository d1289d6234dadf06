"""Names that the report's questions share."""

from distlab.analysis.claims import Answer, Decision
from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.runs.manifest import Manifest
from distlab.runs.scored import Judge
from distlab.runs.styles import prompt_format
from distlab.store.cell import Cell
from distlab.tables.numbers import p_value, percent


def setting(cell: Cell) -> str:
    """As in "qwen3-8b on gsm8k (zero-shot)"."""
    return f"{cell.family} on {data_of(cell)}"


def data_of(cell: Cell) -> str:
    """As in "gsm8k (zero-shot)"."""
    return f"{cell.dataset} ({cell.prompt})"


def between(base: Cell, instruct: Cell) -> str:
    """The setting of two arms, and which stages they are of where these are no pair."""
    return f"{setting(base)}{stages_of(base, instruct)}"


def stages_of(base: Cell, instruct: Cell) -> str:
    """As in ", rl − sft"; empty where they are base and instruct."""
    if (base.variant, instruct.variant) == (BASE, INSTRUCT):
        return ""
    return f", {instruct.variant} − {base.variant}"


def model_part(manifest: Manifest, base: Cell, instruct: Cell) -> str:
    """The model part of a gap by what is in it: where formats differ, the format too."""
    first, second = (prompt_format(manifest, cell) for cell in (base, instruct))
    if first is None or second is None:
        return "the model with its prompt format"
    if first == second:
        return "the model"
    formats = f"{first} for {base.variant}, {second} for {instruct.variant}"
    return f"the model with its prompt format ({formats})"


def judge_name(judge: Judge) -> str:
    """As in "rules / math-verify"."""
    return f"{judge.extractor} / {judge.grader}"


def who_solves_more(decision: Decision, arms: tuple[Cell, Cell], margin: float, which: str) -> str:
    """Which arm solves more, as far as it can be told; as in "the base arm solves more (p ...)".

    Args:
        decision: On a claim whose direction 1 is the second arm.
        arms: Base and instruct, or an earlier and a later stage.
        margin: Differences of less are none, as a share.
        which: What cannot be told if so, as in "which arm solves more".
    """
    winner = arms[1 if decision.direction > 0 else 0].variant
    return {
        Answer.YES: f"the {winner} arm solves more ({holm_note(decision)})",
        Answer.NO: f"both arms solve as much, within {percent(margin)} points",
        Answer.CANNOT_TELL: f"{which} cannot be told here{_told_alone(decision)}",
    }[decision.answer]


def _told_alone(decision: Decision) -> str:
    """Why an interval off zero tells nothing: the report has many claims."""
    if not decision.alone:
        return ""
    return f" (p {shown_p(decision.claim.yes)} alone, {p_value(decision.yes)} after Holm)"


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
