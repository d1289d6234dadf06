"""Ids that are one to a reader and two to a program: "0" and "0.0", "07" and "7"."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from distlab.runs.pairing import arm_pairs
from distlab.runs.scored import VerdictTable
from distlab.store.cell import Cell

_NUMBER: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def respelt(first: Iterable[str], second: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Ids of either side alone that differ in spelling only: in case, blanks, zeros.

    Args:
        first: Ids of one side.
        second: Ids of the other.

    Returns:
        Pairs of ids, sorted.
    """
    ours, theirs = set(first), set(second)
    alone = {_as_read(name): name for name in sorted(theirs - ours)}
    both = ((name, alone.get(_as_read(name))) for name in sorted(ours - theirs))
    return tuple((name, other) for name, other in both if other is not None)


def respelt_sentence(pairs: Sequence[tuple[str, str]], dataset: str, sides: str) -> str:
    """Why problems do not pair, and what to do.

    Args:
        pairs: As ``respelt`` found them, one at least.
        dataset: Name of the dataset.
        sides: Who spells them differently, as the subject of a sentence.
    """
    one, other = pairs[0]
    return (
        f"{sides} spell {len(pairs)} ids of {dataset} differently ({one!r} and {other!r}), so "
        "these problems do not pair: write the ids alike, and ingest again."
    )


def remarks_on_ids(tables: Sequence[VerdictTable], cells: Sequence[Cell]) -> Iterator[str]:
    """A sentence on each two arms whose problems do not pair for the spelling of their ids."""
    sampled = {table.cell.key: _sampled(table) for table in tables}
    for pair in arm_pairs(cells):
        base, instruct = (sampled.get(cell.key, set()) for cell in (pair.base, pair.instruct))
        if found := respelt(base, instruct):
            sides = f"{pair.base.key} and {pair.instruct.arm}"
            yield respelt_sentence(found, pair.base.dataset, sides)


def _sampled(table: VerdictTable) -> set[str]:
    drawn = np.flatnonzero(table.facts.present.any(axis=1))
    return {table.problems[row].id for row in drawn.tolist()}


def _as_read(name: str) -> str:
    return _NUMBER.sub(_shortest, " ".join(name.split()).casefold())


def _shortest(number: re.Match[str]) -> str:
    whole, fraction = number[1].lstrip("0") or "0", (number[2] or "").rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
