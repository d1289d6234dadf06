"""Golds out of a user's column, each tried on the standard grader before anything is stored."""

import os
import re
from collections.abc import Sequence
from typing import Final

from distlab.ingest.columns import ColumnMap
from distlab.problems.latex import latex_gold
from distlab.problems.problem import Gold, GoldKind
from distlab.problems.rows import Row
from distlab.scoring.pool import GraderPool, GradeTask
from distlab.scoring.types import ComponentSpec, Verdict

AUTO: Final = "auto"
KINDS: Final = (AUTO, *(kind.value for kind in GoldKind))
_NUMBER: Final = re.compile(r"-?\d[\d,]*(\.\d+)?")
_STANDARD: Final = ComponentSpec("standard", "distlab.scoring.graders.standard:Standard")
_PROBLEMS: Final = {
    Verdict.INCORRECT: "which no grader finds equal to itself as {kind}",
    Verdict.ERROR: "which no grader can read as {kind}",
    Verdict.TIMEOUT: "which takes graders too long to read as {kind}",
}
# Golds that are graded together (ours).
_AT_ONCE: Final = 64
# Characters of a gold that a message shows (ours).
_SHOWN: Final = 60


def read_golds(rows: Sequence[Row], columns: ColumnMap, kind: str) -> tuple[Gold, ...]:
    """The gold of each row.

    Args:
        rows: One per problem.
        columns: Where the gold is.
        kind: A ``GoldKind``, or "auto": number where every gold is a number in plain notation,
            else LaTeX as MATH writes it, several values included (ours).

    Raises:
        UserError: A gold is absent, or the standard grader cannot read it.
    """
    if kind == AUTO:
        plain = all(_NUMBER.fullmatch(_text(row, columns.gold)) for row in rows)
        kind = GoldKind.NUMBER if plain else GoldKind.LATEX
    golds = tuple(_gold(row, columns, GoldKind(kind)) for row in rows)
    for row, gold in zip(rows, golds, strict=True):
        if gold.kind is GoldKind.NUMBER and not _NUMBER.fullmatch(gold.text):
            shown = _shown(gold)
            raise row.fault(columns.gold, f"must be a number in plain notation, not {shown}")
    with GraderPool([_STANDARD], workers=len(os.sched_getaffinity(0))) as pool:
        # Few at once: the first that fails is told before many have run into the deadline.
        for begin in range(0, len(rows), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            _check(rows[some], golds[some], columns, pool)
    return golds


def _check(
    rows: Sequence[Row], golds: Sequence[Gold], columns: ColumnMap, pool: GraderPool
) -> None:
    """Refuse golds that the standard grader does not find equal to themselves."""
    # White space keeps the grader's short cut for identical texts out of it.
    tasks = [GradeTask(0, gold, f" {gold.text} ") for gold in golds]
    for row, gold, verdict in zip(rows, golds, pool.grade(tasks), strict=True):
        if verdict is not Verdict.CORRECT:
            problem = _PROBLEMS[verdict].format(kind=gold.kind)
            raise row.fault(columns.gold, f"holds {_shown(gold)}, {problem}")


def _shown(gold: Gold) -> str:
    return repr(gold.text[:_SHOWN])


def _gold(row: Row, columns: ColumnMap, kind: GoldKind) -> Gold:
    text = _text(row, columns.gold)
    match kind:
        case GoldKind.LIST:
            return Gold(kind, text, items=_items(row, columns.gold))
        case GoldKind.LATEX:
            # LIST where it names several values.
            return latex_gold(text)
        case GoldKind.INTERVAL:
            if columns.gold_lower is None or columns.gold_upper is None:
                raise row.fault(
                    columns.gold, "is an interval: map gold_lower and gold_upper to its limits"
                )
            limits = row.number(columns.gold_lower), row.number(columns.gold_upper)
            return Gold(kind, text, lower=min(limits), upper=max(limits))
        case _:
            return Gold(kind, text)


def _text(row: Row, column: str) -> str:
    value = row.fields.get(column)
    if isinstance(value, list):
        return ", ".join(_items(row, column))
    return row.text(column).strip()


def _items(row: Row, column: str) -> tuple[str, ...]:
    """The values of a gold that the file gives as a list, or as text in LaTeX."""
    value = row.fields.get(column)
    if not isinstance(value, list):
        gold = latex_gold(row.text(column).strip())
        return gold.items or (gold.text,)
    if not value:
        raise row.fault(column, "is an empty list")
    return tuple(Row(row.place, {column: item}).text(column).strip() for item in value)
