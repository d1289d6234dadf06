"""The content hash of a dataset's rows, and its check against the known one."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Known:
    """What a published set holds, counted and hashed on a copy of the official file.

    Attributes:
        rows: Rows of the whole set.
        content_hash: ``content_hash`` of its rows, or None where no copy was at hand.
    """

    rows: int
    content_hash: str | None


def content_hash(rows: Iterable[Mapping[str, str | int | float | None]]) -> str:
    """sha256 (hex) over the rows, whatever file they came in.

    Each row is canonical JSON (keys sorted, no blanks, UTF-8) of the fields the loader uses;
    numbers are written in plain notation without trailing zeros, so that 10, 10.0 and "10" agree;
    the lines are sorted, so that a reordered copy of a set is the same set.
    """
    lines = sorted(
        json.dumps(
            {name: _canonical(value) for name, value in row.items()},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row in rows
    )
    digest = hashlib.sha256()
    for number, line in enumerate(lines):
        digest.update(f"\n{line}".encode() if number else line.encode())
    return digest.hexdigest()


def text_hash(text: str) -> str:
    """First 12 hex digits of sha256 over a text, runs of blanks taken as one: a stable id."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def folded(text: str) -> str:
    """A text with runs of blanks, and forms of a character, taken as one."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def same_question(one: str, other: str) -> bool:
    """Whether two questions differ in blanks and in forms of a character only, or one is absent."""
    if one == other or not one.strip() or not other.strip():
        return True
    return folded(one) == folded(other)


def compare(known: Known | None, rows: int, found: str, remedy: str) -> tuple[str, ...]:
    """What the reader must know of a set that is not the published one.

    Args:
        known: The published set, or None where it is not known.
        rows: Rows found.
        found: Content hash found.
        remedy: What to do about a mismatch.

    Returns:
        At most one sentence.
    """
    if known is None:
        return ("its rows could not be checked: no published copy was at hand to hash",)
    if rows != known.rows:
        return (f"it has {rows} rows where the published set has {known.rows}; {remedy}",)
    if known.content_hash is None:
        return (f"its {rows} rows match in number; their content has no known hash to check",)
    if found != known.content_hash:
        return (
            f"its content hash {found[:12]} is not the published set's "
            f"{known.content_hash[:12]}; {remedy}",
        )
    return ()


def duplicates(ids: Sequence[str]) -> tuple[int, int] | None:
    """Positions of the first repeated id and of its first occurrence, or None."""
    seen: dict[str, int] = {}
    for position, name in enumerate(ids):
        if name in seen:
            return position, seen[name]
        seen[name] = position
    return None


def _canonical(value: str | int | float | None) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else repr(value)
    if not _NUMBER.fullmatch(text.strip()):
        return text
    number = Decimal(text.strip())
    return "0" if number == 0 else f"{number.normalize():f}"
