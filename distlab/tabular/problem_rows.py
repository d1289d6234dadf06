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
    pair = _label(row, columns.pair)
    return Problem(
        id=name,
        dataset=dataset,
        question="" if columns.question is None else row.text(columns.question),
        gold=gold,
        cluster=_label(row, columns.cluster) or pair or name,
        pair=pair,
        side=_side(row, columns, pair),
        strata={stratum: _stratum(row, column) for stratum, column in columns.strata.items()},
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


def _label(row: Row, column: str | None) -> str | None:
    return None if column is None else row.label(column)


def _stratum(row: Row, column: str) -> str:
    if (label := row.label(column)) is None:
        raise row.fault(column, "is empty")
    return label


def _side(row: Row, columns: ProblemColumns, pair: str | None) -> Side | None:
    """Side of the pair; a row that is of no pair has none."""
    column = columns.side
    if column is None:
        return None
    if columns.pair is not None and pair is None:
        if row.label(column) is None:
            return None
        raise row.fault(column, "is of a row without a pair")
    text = row.text(column)
    for side in SIDES:
        if side == text:
            return side
    raise row.fault(column, f"must be {', '.join(SIDES[:-1])} or {SIDES[-1]}, not {text!r}")
