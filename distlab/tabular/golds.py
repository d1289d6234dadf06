"""Golds out of a user's column, each tried on the standard grader before anything is stored."""

import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.errors import UserError
from distlab.problems.latex_golds import latex_gold
from distlab.problems.problem import Gold, GoldKind
from distlab.problems.rows import AnyOf, Row
from distlab.scoring.plain_number import PLAIN, plain_number
from distlab.scoring.pool import GraderPool, GradeTask
from distlab.scoring.types import ComponentSpec, Verdict
from distlab.tabular.choices import LETTERS, choice_gold, choices_of
from distlab.tabular.columns import ProblemColumns
from distlab.tabular.gold_text import NoAnswerError, StatedGold, stated_gold, words_gold

AUTO: Final = "auto"
KINDS: Final = (AUTO, *(kind.value for kind in GoldKind))
_DATE: Final = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2}")
_WEEKS_DAYS: Final = re.compile(r"\(?'?\d+ weeks?'?, '?\d+ days?'?\)?")
_STANDARD: Final = ComponentSpec("standard", "distlab.scoring.graders.standard:Standard")
_PROBLEMS: Final = {
    Verdict.INCORRECT: "which no grader finds equal to itself as {kind}",
    Verdict.ERROR: "which no grader can read as {kind}",
    Verdict.TIMEOUT: "which takes graders too long to read as {kind}",
}
# Rules with a tolerance say that two golds would accept one another, not that they are equal.
_TOLERANT: Final = frozenset({GoldKind.INTEGER, GoldKind.INTERVAL})
# Golds that are graded together (ours).
_AT_ONCE: Final = 64
# Longest number that is not tried (ours): as exact as a float.
_SURE_CHARACTERS: Final = 15
# Decimal digits that a float keeps (IEEE 754 binary64: DBL_DIG).
_FLOAT_DIGITS: Final = sys.float_info.dig
# Characters of a gold that a message shows (ours).
_SHOWN: Final = 60
_SAID: Final = {"true": "yes", "false": "no"}
_WORDS: Final = re.compile(r"[^\W\d_]{2,}(?:[ '\u2019-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class ReadGold:
    """A gold as it was read.

    Attributes:
        gold: The gold.
        mark: What it stood behind in its cell; None if it stood alone.
    """

    gold: Gold
    mark: str | None = None


def read_golds(rows: Sequence[Row], columns: ProblemColumns, kind: str) -> tuple[ReadGold, ...]:
    """The gold of each row.

    Args:
        rows: One per problem.
        columns: Where the gold is.
        kind: A ``GoldKind``, or "auto", which decides row by row (ours): a choice where the row
            has choices; a date; weeks and days; an interval where the row has limits and its gold
            is a number; a number in plain notation; else LaTeX as MATH writes it, several values
            included. In a file whose golds are mostly letters from A to J, or mostly words, the
            rows that are so are choices, or texts. Truth values are texts; where all golds are, yes
            and no say the same.

    Raises:
        UserError: A gold is absent, or the standard grader cannot read it.
    """
    stated = _all_stated(rows, columns, kind)
    read = tuple(_read(row, columns, kind, each) for row, each in zip(rows, stated, strict=True))
    if kind == AUTO:
        read = _mostly(_mostly(read, GoldKind.CHOICE, _is_letter), GoldKind.TEXT, _is_words)
    if all(each.gold.kind is GoldKind.TEXT and _truth(each.gold) in _SAID for each in read):
        read = tuple(replace(each, gold=_truth_gold(each.gold)) for each in read)
    _check_all(rows, [each.gold for each in read], columns)
    return read


def gold_of(row: Row, columns: ProblemColumns, kind: str) -> Gold:
    """The gold of one row, untried.

    Raises:
        UserError: It has none.
    """
    (stated,) = _all_stated([row], columns, kind)
    return _read(row, columns, kind, stated).gold


def said_of(golds: Sequence[ReadGold]) -> str:
    """What golds were taken as, and out of what they were read: for the user and the manifest."""
    kinds = Counter(each.gold.kind for each in golds)
    listed: list[str] = []
    for kind, count in kinds.most_common():
        first = next(each.gold for each in golds if each.gold.kind is kind)
        # The odd rows are those that a reader looks for.
        listed.append(f"{count} as {kind}" + (f" (such as {_shown(first)})" if listed else ""))
    marks = Counter(each.mark for each in golds if each.mark is not None)
    behind = [f"{count} were read from behind {mark}" for mark, count in marks.most_common()]
    return "golds: " + "; ".join([", ".join(listed), *behind])


def equal(pairs: Sequence[tuple[Gold, Gold]]) -> list[bool]:
    """Whether two golds differ in spelling only, pair by pair.

    1,000, 1000 and 1000.0 are one, and so is what the standard grader finds equal. Of golds with
    a tolerance the value must be the same, and the limits where both have some.
    """
    by_rule = [pair for pair in pairs if not _is_tolerant(*pair)]
    graded = dict(zip(by_rule, accepted(by_rule), strict=True))
    return [
        _spelled(first) == _spelled(second) and _same_limits(first, second)
        if _is_tolerant(first, second)
        else graded[first, second]
        for first, second in pairs
    ]


def accepted(pairs: Sequence[tuple[Gold, Gold]]) -> list[bool]:
    """Whether a gold, under its own kind and limits, accepts another, pair by pair."""
    found = [_spelled(first) == _spelled(second) for first, second in pairs]
    asked = [place for place, is_same in enumerate(found) if not is_same]
    if not asked:
        return found
    tasks = [GradeTask(0, pairs[place][0], pairs[place][1].text) for place in asked]
    with GraderPool([_STANDARD], workers=len(os.sched_getaffinity(0))) as pool:
        for place, verdict in zip(asked, pool.grade(tasks), strict=True):
            found[place] = verdict is Verdict.CORRECT
    return found


def _spelled(gold: Gold) -> str:
    """One spelling of what only its commas, zeros and blanks distinguish."""
    return plain_number(gold.text) or "".join(gold.text.split())


def _is_tolerant(first: Gold, second: Gold) -> bool:
    return first.kind in _TOLERANT or second.kind in _TOLERANT


def _same_limits(first: Gold, second: Gold) -> bool:
    if first.lower is None or second.lower is None:
        return True
    return (first.lower, first.upper) == (second.lower, second.upper)


def _mostly(
    read: Sequence[ReadGold], kind: GoldKind, fits: Callable[[Gold], bool]
) -> tuple[ReadGold, ...]:
    """Golds in LaTeX as another kind that fits them, where it fits most of all golds."""
    fitting = [each.gold.kind is GoldKind.LATEX and fits(each.gold) for each in read]
    if 2 * sum(fitting) <= len(read):
        return tuple(read)
    return tuple(
        replace(each, gold=_gold_of_most(kind, each.gold.text)) if is_fitting else each
        for each, is_fitting in zip(read, fitting, strict=True)
    )


def _gold_of_most(kind: GoldKind, text: str) -> Gold:
    return Gold(kind, _letter(text) if kind is GoldKind.CHOICE else text)


def _truth(gold: Gold) -> str:
    return gold.text.casefold()


def _truth_gold(gold: Gold) -> Gold:
    """A truth value that its other word says too: BoolQ's true is the yes of its questions."""
    return replace(gold, items=(*gold.items, _SAID[_truth(gold)]))


def _letter(text: str) -> str:
    """The letter that "(b)" is."""
    return text.strip("().: ").upper()


def _is_letter(gold: Gold) -> bool:
    return _letter(gold.text) in tuple(LETTERS)


def _is_words(gold: Gold) -> bool:
    return _WORDS.fullmatch(gold.text) is not None


def _all_stated(
    rows: Sequence[Row], columns: ProblemColumns, kind: str
) -> list[tuple[StatedGold, ...]]:
    """The answers of each row, none where it has choices; rows that state none are refused at once.

    Raises:
        UserError: There are some.
    """
    found, faults = [], []
    for row in rows:
        try:
            found.append(_stated(row, columns, kind))
        except NoAnswerError as error:
            faults.append((row, str(error)))
    if faults:
        row, why = faults[0]
        more = f" ({len(faults)} rows have no answer)" if len(faults) > 1 else ""
        remedy = f"{columns.naming('gold')} to the column of the final answers"
        others = columns.remedy([each for each, _ in faults])
        raise UserError(f"{row.place}: field `{columns.gold}` {why}{more}; {remedy}, or {others}")
    return found


def _offers(row: Row, columns: ProblemColumns) -> bool:
    """Whether a row has choices."""
    return columns.choices is not None and row.fields.get(columns.choices) is not None


def _stated(row: Row, columns: ProblemColumns, kind: str) -> tuple[StatedGold, ...]:
    """The answer of a cell, or each answer of a list; none where the row has choices.

    Raises:
        NoAnswerError: It states none.
    """
    column, question = columns.gold, ""
    value = row.fields.get(column)
    if value is None:
        raise NoAnswerError("is empty")
    if _offers(row, columns) and kind in (AUTO, GoldKind.CHOICE):
        return ()
    if columns.question is not None:
        question = row.text(columns.question)
    if isinstance(value, list | AnyOf) and not value:
        raise NoAnswerError("is an empty list")
    is_text = kind == GoldKind.TEXT or isinstance(value, AnyOf)
    cells = [
        _cell(Row(row.place, {column: each}), column)
        for each in (value if isinstance(value, list | AnyOf) else [value])
    ]
    return tuple(words_gold(cell) if is_text else stated_gold(cell, question) for cell in cells)


def _cell(row: Row, column: str) -> str:
    value = row.fields.get(column)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        # 0.1 + 0.2 is 0.30000000000000004: the digits behind the fifteenth are of the arithmetic.
        value = float(f"{value:.{_FLOAT_DIGITS}g}")
    # What is blank is no answer, which is not said here.
    is_blank = isinstance(value, str) and not value.strip()
    return "" if is_blank else Row(row.place, {column: value}).text(column)


def _check_all(rows: Sequence[Row], golds: Sequence[Gold], columns: ProblemColumns) -> None:
    """Refuse golds that the standard grader cannot read; equal ones are tried once."""
    firsts: dict[Gold, Row] = {}
    for row, gold in zip(rows, golds, strict=True):
        firsts.setdefault(gold, row)
    tried = [gold for gold in firsts if not _is_sure(gold)]
    if not tried:
        return
    with GraderPool([_STANDARD], workers=len(os.sched_getaffinity(0))) as pool:
        # Few at once: the first that fails is told before many have run into the deadline.
        for begin in range(0, len(tried), _AT_ONCE):
            some = tried[begin : begin + _AT_ONCE]
            _check([firsts[gold] for gold in some], some, columns, pool)


def _is_sure(gold: Gold) -> bool:
    """Whether it is a number that needs no trial."""
    is_short = len(gold.text) <= _SURE_CHARACTERS
    return gold.kind is GoldKind.NUMBER and is_short and PLAIN.fullmatch(gold.text) is not None


def _check(
    rows: Sequence[Row], golds: Sequence[Gold], columns: ProblemColumns, pool: GraderPool
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


def _read(row: Row, columns: ProblemColumns, kind: str, stated: Sequence[StatedGold]) -> ReadGold:
    if kind in (AUTO, GoldKind.CHOICE) and _offers(row, columns):
        assert columns.choices is not None
        return ReadGold(choice_gold(row, columns.gold, choices_of(row, columns.choices)))
    if kind == AUTO and isinstance(row.fields.get(columns.gold), bool):
        kind = GoldKind.TEXT
    items, mark = tuple(each.text for each in stated), stated[0].mark
    if isinstance(row.fields.get(columns.gold), AnyOf) and kind != GoldKind.LIST:
        if len({plain_number(text) or text for text in items}) == 1:
            # Spellings of one number.
            items = items[:1]
        else:
            kind = GoldKind.TEXT
    if kind == GoldKind.TEXT:
        return ReadGold(Gold(GoldKind.TEXT, items[0], items=items[1:]), mark)
    if len(items) > 1:
        # "1,000, 2" would be three.
        items = tuple(i.replace(",", "") if PLAIN.fullmatch(i) else i for i in items)
        return ReadGold(Gold(GoldKind.LIST, ", ".join(items), items=items), mark)
    text = items[0]
    chosen = _kind(row, columns, text) if kind == AUTO else GoldKind(kind)
    return ReadGold(_gold(row, columns, chosen, text), mark)


def _kind(row: Row, columns: ProblemColumns, text: str) -> GoldKind:
    """How a row's own gold is to be read."""
    if _DATE.fullmatch(text):
        return GoldKind.DATE
    if _WEEKS_DAYS.fullmatch(text):
        return GoldKind.WEEKS_DAYS
    if not PLAIN.fullmatch(text):
        return GoldKind.LATEX
    has_limits = all(
        column is not None and row.fields.get(column) not in (None, "")
        for column in (columns.gold_lower, columns.gold_upper)
    )
    return GoldKind.INTERVAL if has_limits else GoldKind.NUMBER


def _gold(row: Row, columns: ProblemColumns, kind: GoldKind, text: str) -> Gold:
    match kind:
        case GoldKind.LIST:
            return Gold(kind, text, items=latex_gold(text).items or (text,))
        case GoldKind.LATEX:
            # LIST where it names several values.
            return latex_gold(text)
        case GoldKind.INTERVAL:
            if columns.gold_lower is None or columns.gold_upper is None:
                keys = columns.naming("gold_lower", "gold_upper")
                raise row.fault(columns.gold, f"is an interval: {keys} to its limits")
            limits = row.number(columns.gold_lower), row.number(columns.gold_upper)
            return Gold(kind, text, lower=min(limits), upper=max(limits))
        case GoldKind.NUMBER if not PLAIN.fullmatch(text):
            shown = repr(text[:_SHOWN])
            raise row.fault(columns.gold, f"must be a number in plain notation, not {shown}")
        case GoldKind.CHOICE if _letter(text) not in tuple(LETTERS):
            raise row.fault(
                columns.gold,
                f"must be a letter from {LETTERS[0]} to {LETTERS[-1]} where no column of choices "
                f"is named, not {text[:_SHOWN]!r}",
            )
        case GoldKind.CHOICE:
            return Gold(kind, _letter(text))
        case _:
            return Gold(kind, text)
