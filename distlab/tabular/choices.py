"""Multiple choice: what a row offers, under which letters, and which of these is right."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, Final

from distlab.errors import UserError
from distlab.problems.problem import Gold, GoldKind
from distlab.problems.rows import AnyOf, Row
from distlab.tabular.paths import listed

# The letters that extractors read as an answer: ten choices at most.
LETTERS: Final = ascii_uppercase[:10]
# Names under which a row's object of choices holds their texts and their labels, as ARC has them.
_TEXTS: Final = "text"
_LABELS: Final = "label"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a row offers.

    Attributes:
        texts: In order; the first is A.
        labels: What the file calls each of them; its letters, where it has no labels.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def lettered(self) -> str:
        """One line per choice: "A. red"."""
        return "\n".join(
            f"{letter}. {text}" for letter, text in zip(LETTERS, self.texts, strict=False)
        )


def gathered(rows: Iterable[Row], columns: Sequence[str], name: str) -> Iterator[Row]:
    """The rows, each with what several columns offer as a list under a name.

    Args:
        rows: The rows.
        columns: Columns with a choice each, as MedMCQA's opa, opb, opc, opd; those that are empty
            behind the last choice offer none.
        name: Of the list; a row without any choice has None there.
    """
    for row in rows:
        count = max((n for n, c in enumerate(columns, 1) if row.label(c) is not None), default=0)
        offered = [row.fields.get(column) for column in columns[:count]]
        yield Row(row.place, {**row.fields, name: offered or None})


def choices_of(row: Row, column: str) -> Choices:
    """The choices of a row.

    Raises:
        UserError: The column holds no list of two to ten texts that differ.
    """
    value, labels = _texts_and_labels(row.fields.get(column))
    if isinstance(value, str):
        # As a CSV has it.
        value = listed(value)
    if not isinstance(value, list) or not 2 <= len(value) <= len(LETTERS):
        raise row.fault(
            column,
            f"must be a list of 2 to {len(LETTERS)} choices, an object with `{_TEXTS}` and "
            f"`{_LABELS}`, or one of labels to choices",
        )
    texts = _texts(row, column, value)
    if len(set(texts)) < len(texts):
        raise row.fault(column, "offers one choice twice")
    named = tuple(LETTERS[: len(texts)]) if labels is None else _texts(row, column, labels)
    if len(named) != len(texts):
        raise row.fault(column, f"has {len(named)} labels for {len(texts)} choices")
    return Choices(texts, named)


def _texts_and_labels(value: Any) -> tuple[object, object]:  # noqa: ANN401 (JSON of any shape)
    """What a cell offers, and what it calls them; None where it has no labels."""
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        # ARC's own files have an object per choice.
        return [one.get(_TEXTS) for one in value], [one.get(_LABELS) for one in value]
    if not isinstance(value, Mapping):
        return value, None
    if _TEXTS in value:
        return value[_TEXTS], value.get(_LABELS)
    # MedQA's: the labels are the keys. Parquet has every key in every row.
    given = {str(label): text for label, text in value.items() if text is not None}
    return list(given.values()), list(given)


def choice_gold(row: Row, column: str, choices: Choices) -> Gold:
    """The gold of a row: its letter, with the texts of all choices.

    A whole number counts from 0, as in MMLU. A text is a label, or one of the choices; in another
    case only where none is written so.

    Raises:
        UserError: It is none of the choices, or may be two.
    """
    value = row.fields.get(column)
    if isinstance(value, float) and value.is_integer():
        # Where some rows have none, pandas makes floats of whole numbers.
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and str(value) not in choices.labels:
        return _gold(row, column, choices, {value} & set(range(len(choices.texts))))
    if isinstance(value, list | AnyOf):
        raise row.fault(column, "names several choices, where one must be right")
    text = _text(row, column, value)
    bare = text.strip("().: ")
    found = {place for place, label in enumerate(choices.labels) if label == bare}
    found |= {place for place, choice in enumerate(choices.texts) if choice == text}
    found = found or _found_in_any_case(choices, {bare.casefold(), text.casefold()})
    if not found and bare.isdecimal():
        found = {int(bare)} & set(range(len(choices.texts)))
    return _gold(row, column, choices, found)


def _found_in_any_case(choices: Choices, wanted: set[str]) -> set[int]:
    pairs = enumerate(zip(choices.labels, choices.texts, strict=True))
    return {place for place, pair in pairs if wanted & {one.casefold() for one in pair}}


def _gold(row: Row, column: str, choices: Choices, found: set[int]) -> Gold:
    if len(found) != 1:
        what = "may be either of two" if found else "is none"
        raise _fault(row, column, choices, what)
    return Gold(GoldKind.CHOICE, LETTERS[found.pop()], items=choices.texts)


def _fault(row: Row, column: str, choices: Choices, what: str) -> UserError:
    shown = repr(row.fields.get(column))[:60]
    last = len(choices.texts) - 1
    return row.fault(
        column,
        f"is {shown}, which {what} of the {last + 1} choices: give a label "
        f"({', '.join(choices.labels)}), the text of a choice, or a number from 0 to {last}",
    )


def _texts(row: Row, column: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise row.fault(column, "must hold a list of texts")
    return tuple(_text(row, column, value) for value in values)


def _text(row: Row, column: str, value: object) -> str:
    """A choice, or what names one: a text, a number, or true or false."""
    if isinstance(value, bool):
        return str(value).lower()
    return Row(row.place, {column: value}).text(column).strip()
