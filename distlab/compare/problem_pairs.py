"""Problems of two sides in; which are the same ones out: by id, else by question."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from distlab.compare.comparison import Shared
from distlab.errors import counted
from distlab.problems.content import folded
from distlab.problems.problem import Problem
from distlab.runs.spellings import respelt
from distlab.tabular.golds import equal

# Characters of a question below which it may stand in another by chance (ours).
_TELLING: Final = 12


@dataclass(frozen=True, slots=True)
class _Same:
    """A problem on both sides.

    Attributes:
        row: Its place on the first side.
        at: Its place on the second.
        by_id: Whether the ids are the same.
        is_asked: Whether both sides tell the question.
    """

    row: int
    at: int
    by_id: bool
    is_asked: bool


def pair_problems(first: Sequence[Problem], second: Sequence[Problem]) -> Shared:
    """Pair the problems of two sides.

    Problems of one id are the same where their questions are, or where one question stands inside
    of the other, as inside of a prompt. What is left is paired by its question, where that is asked
    once on each side. Pairs whose golds are not equal are left out.
    """
    asked = [[folded(problem.question) for problem in side] for side in (first, second)]
    places = {problem.id: at for at, problem in enumerate(second)}
    named = [(row, places[p.id]) for row, p in enumerate(first) if p.id in places]
    found = {
        row: _Same(row, at, True, bool(asked[0][row] and asked[1][at]))
        for row, at in named
        if _is_one(asked[0][row], asked[1][at])
    }
    taken = {same.at for same in found.values()}
    for row, at in _by_question(asked, found, taken):
        found[row] = _Same(row, at, False, True)
    pairs = [found[row] for row in sorted(found)]
    is_same = equal([(first[same.row].gold, second[same.at].gold) for same in pairs])
    kept = [same for same, alike in zip(pairs, is_same, strict=True) if alike]
    others = [same for same, alike in zip(pairs, is_same, strict=True) if not alike]
    left = {row for row in range(len(first)) if row not in found}
    missed = set(range(len(second))) - {same.at for same in pairs}
    return Shared(
        names=tuple(first[same.row].id for same in kept),
        first=np.array([same.row for same in kept], dtype=np.int64),
        second=np.array([same.at for same in kept], dtype=np.int64),
        clusters=_clusters([(first[same.row], second[same.at]) for same in kept]),
        by_id=sum(same.by_id for same in kept),
        unasked=sum(not same.is_asked for same in kept),
        alone=(len(left), len(missed)),
        clashing=sum(not _is_one(asked[0][row], asked[1][at]) for row, at in named),
        regolded=tuple(
            (first[same.row].id, first[same.row].gold.text, second[same.at].gold.text)
            for same in others
        ),
        respelt=respelt((first[row].id for row in left), (second[at].id for at in missed)),
    )


def _is_one(question: str, other: str) -> bool:
    """Whether two questions are one: equal, one inside of the other, or one not told."""
    short, long = sorted((question, other), key=len)
    return short == long or not short or (len(short) >= _TELLING and short in long)


def _by_question(
    asked: Sequence[Sequence[str]], found: Mapping[int, _Same], taken: set[int]
) -> Iterator[tuple[int, int]]:
    """Rows of the rest whose question is asked once on either side."""
    counts = [Counter(side) for side in asked]
    places = {question: at for at, question in enumerate(asked[1]) if at not in taken}
    for row, question in enumerate(asked[0]):
        is_once = counts[0][question] == counts[1][question] == 1
        if row not in found and question and is_once and question in places:
            yield row, places[question]


def _clusters(pairs: Sequence[tuple[Problem, Problem]]) -> tuple[str, ...]:
    """The clusters of the side that has fewer: a log, and many a file, knows of none."""
    first = tuple(one.cluster for one, _ in pairs)
    second = tuple(other.cluster for _, other in pairs)
    return first if len(set(first)) <= len(set(second)) else second


def pairing_sentences(name: str, shared: Shared) -> Iterator[str]:
    """How the problems of a dataset were paired, and how many were not.

    Args:
        name: The dataset.
        shared: As ``pair_problems`` found them.
    """
    ways = {"by id": shared.by_id, "by question": len(shared.names) - shared.by_id}
    told = " and ".join(f"{count:,} {way}" for way, count in ways.items() if count)
    alone = f"{shared.alone[0]:,} of A and {shared.alone[1]:,} of B have no counterpart"
    paired = f"{counted(len(shared.names), 'problem')} paired{f', {told}' if told else ''}"
    yield f"{name}: {paired}; {alone}."
    if shared.unasked:
        pairs = counted(shared.unasked, "pair")
        yield f"{name}: {pairs} of which one side tells no question, so that the id decides."
    if shared.clashing:
        yield (
            f"{name}: {counted(shared.clashing, 'id')} with other questions in A than in B, looked "
            "for by their questions."
        )
    if shared.regolded:
        one, gold, other = shared.regolded[0]
        yield (
            f"{name}: {counted(len(shared.regolded), 'pair')} left out for golds that are not "
            f"equal ({one}: {gold!r} and {other!r})."
        )
