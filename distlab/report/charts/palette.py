"""Colours and shapes of charts; the colours are Okabe and Ito's, made for colour-blind readers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    """How one series looks.

    Attributes:
        colour: As "#rrggbb".
        shape: Position in the renderer's list of marker shapes.
    """

    colour: str
    shape: int


_BLUE, _RED, _GREEN, _ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
_SKY, _PINK, _GREY = "#56b4e9", "#cc79a7", "#808080"

# What keeps its colour in every chart.
_FIXED: Final[Mapping[str, Look]] = {
    "base": Look(_BLUE, 0),
    "instruct": Look(_RED, 1),
    "paper": Look(_GREY, 3),
    "null": Look(_PINK, 4),
    "correct": Look(_GREEN, 0),
    "wrong": Look(_RED, 1),
    "no_answer": Look(_ORANGE, 2),
    "truncated": Look(_SKY, 3),
    "unjudged": Look(_GREY, 4),
}
# What the others take in turn.
_CYCLE: Final = (Look(_BLUE, 0), Look(_GREEN, 1), Look(_ORANGE, 2), Look(_PINK, 4), Look(_SKY, 5))


def looks(roles: Sequence[str]) -> tuple[Look, ...]:
    """A look for each series by its role; a colour that comes again has another shape."""
    chosen: list[Look] = []
    cycled = 0
    # A stage of a ladder looks like neither of its neighbours.
    taken = {_FIXED[role].colour for role in ("base", "instruct") if role in roles}
    cycle = [look for look in _CYCLE if look.colour not in taken]
    used: Counter[str] = Counter()
    for role in roles:
        look = _FIXED.get(role)
        if look is None:
            look, cycled = cycle[cycled % len(cycle)], cycled + 1
        chosen.append(Look(look.colour, look.shape + used[look.colour]))
        used[look.colour] += 1
    return tuple(chosen)
