"""Names and half-sentences that the report's questions share."""

from distlab.report.records import GapRow, Sides, Statement, StudyTables
from distlab.runs.records import Judge
from distlab.store.cell import Cell


def cannot_say(why: str) -> Statement:
    """The answer of a question that this study cannot answer."""
    return Statement(f"Cannot be said: {why}.")


def setting(cell: Cell) -> str:
    """As in "qwen3-8b on gsm8k (zero-shot)"."""
    return f"{cell.family} on {cell.dataset} ({cell.prompt})"


def headline_gaps(study: StudyTables) -> list[GapRow]:
    """The study's gaps, each under the judge that stands for its instruct arm."""
    return [
        row
        for row in study.gaps
        if row.primary and row.headline and row.judge == study.headlines[row.instruct.key]
    ]


def judge_name(judge: Judge) -> str:
    """As in "rules / math-verify"."""
    return f"{judge.extractor} / {judge.grader}"


def sides_name(sides: Sides) -> str:
    """As in "math (seed) → math-perturb-hard (hard)", or "gsm-symbolic: seed → twin"."""
    if sides.before_dataset == sides.after_dataset:
        return f"{sides.before_dataset}: {sides.before_side} → {sides.after_side}"
    return (
        f"{sides.before_dataset} ({sides.before_side}) → {sides.after_dataset} ({sides.after_side})"
    )


def pass_label(sizes: set[int]) -> str:
    """As in "Pass@20" where every cell has n = 20, else "Pass@n"."""
    return f"Pass@{next(iter(sizes))}" if len(sizes) == 1 else "Pass@n"
