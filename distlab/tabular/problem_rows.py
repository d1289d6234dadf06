"""A row and its gold in; a Problem out."""

from distlab.problems.problem import SIDES, Gold, GoldKind, Problem, Side
from distlab.problems.rows import Row
from distlab.tabular.choices import choices_of
from distlab.tabular.columns import ProblemColumns


def problem_of(row: Row, columns: ProblemColumns, name: str, dataset: str, gold: Gold) -> Problem:
    """The problem of a row.

    Args:
        row: Has every column that is named.
        columns: Where what is.
        name: Id of the problem.
        dataset: Name of its dataset.
        gold: Its gold.

    Raises:
        UserError: A column holds something else than it must.
    """

    def optional(column: str | None) -> str | None:
        return None if column is None else row.text(column)

    return Problem(
        id=name,
        dataset=dataset,
        question=optional(columns.question) or "",
        gold=gold,
        cluster=optional(columns.cluster) or optional(columns.pair) or name,
        pair=optional(columns.pair),
        side=_side(row, columns.side),
        strata={stratum: row.text(column) for stratum, column in columns.strata.items()},
    )


def asked(row: Row, columns: ProblemColumns, gold: Gold) -> str:
    """The question as it is put to a model: with its choices, a line each, where it has some.

    Raises:
        UserError: There is no question, or no choices.
    """
    assert columns.question is not None
    question = row.text(columns.question).strip()
    if gold.kind is not GoldKind.CHOICE or columns.choices is None:
        return question
    return f"{question}\n{choices_of(row, columns.choices).lettered}"


def _side(row: Row, column: str | None) -> Side | None:
    if column is None:
        return None
    text = row.text(column)
    for side in SIDES:
        if side == text:
            return side
    raise row.fault(column, f"must be {', '.join(SIDES[:-1])} or {SIDES[-1]}, not {text!r}")
