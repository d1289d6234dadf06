"""Which checkpoint gets the next replica, where, and which idle replicas make room for it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from distlab.placement.placement import EngineGroup, Node, Placement, place, take

Held = tuple[EngineGroup, Placement]
"""What one replica holds."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one checkpoint asks for.

    Attributes:
        group: What one of its replicas takes.
        held: Replicas it has, those that load included.
        wanted: Replicas it has use for.
        is_new: Has only just begun to wait: what it needs may be about to be given back, so
            nobody behind it may take that.
    """

    group: EngineGroup
    held: int
    wanted: int
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Staffing:
    """What to do now.

    Attributes:
        starts: (index of the claim, where) of replicas to start.
        vacate: Indices of idle replicas to give up.
        homeless: Indices of claims without any replica that fit nowhere now.
    """

    starts: tuple[tuple[int, Placement], ...]
    vacate: tuple[int, ...]
    homeless: tuple[int, ...]


def staff(claims: Sequence[Claim], nodes: Sequence[Node], idle: Sequence[Held]) -> Staffing:
    """Share out what is free.

    A first replica comes before any second one. Second ones are held back while a checkpoint that
    has none could run if others ended, so that it does not wait for ever. Idle replicas make room
    for first ones, and for second ones where nothing is free.

    Args:
        claims: The checkpoints, most urgent first.
        nodes: With what is taken on them, the idle replicas' places included.
        idle: What replicas hold that have nothing to do.
    """
    starts: list[tuple[int, Placement]] = []
    homeless = []
    free, empty = tuple(nodes), _emptied(nodes)
    for index, claim in enumerate(claims):
        if claim.held or not claim.wanted:
            continue
        if (found := place(claim.group, free)) is not None:
            starts.append((index, found))
            free = take(claim.group, found, free)
            continue
        homeless.append(index)
        if claim.is_new and place(claim.group, empty) is not None:
            break
    vacate = _vacate([claims[index].group for index in homeless], free, idle)
    if all(place(claims[index].group, empty) is None for index in homeless):
        starts += _more(claims, {index for index, _ in starts}, free)
        if not starts:
            growing = [claim.group for claim in claims if 0 < claim.held < claim.wanted]
            vacate = vacate or _vacate(growing, free, idle)
    return Staffing(tuple(starts), vacate, tuple(homeless))


def _more(
    claims: Sequence[Claim], started: set[int], free: tuple[Node, ...]
) -> list[tuple[int, Placement]]:
    """One replica per checkpoint in turn, until nothing fits or nothing is wanted."""
    have = [claim.held + (index in started) for index, claim in enumerate(claims)]
    starts: list[tuple[int, Placement]] = []
    grew = True
    while grew:
        grew = False
        for index, claim in enumerate(claims):
            if have[index] and have[index] < claim.wanted and (found := place(claim.group, free)):
                starts.append((index, found))
                free = take(claim.group, found, free)
                have[index] += 1
                grew = True
    return starts


def _vacate(
    homeless: Sequence[EngineGroup], free: tuple[Node, ...], idle: Sequence[Held]
) -> tuple[int, ...]:
    """The idle replicas whose places are enough for the first that can be housed so."""
    for group in homeless:
        nodes, leaving = free, []
        for index, (held, placement) in enumerate(idle):
            nodes = _without(held, placement, nodes)
            leaving.append(index)
            if place(group, nodes) is not None:
                return tuple(leaving)
    return ()


def _without(held: EngineGroup, placement: Placement, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    ranks = dict(placement.ranks)
    return tuple(node.taking(held, -ranks.get(node.name, 0)) for node in nodes)


def _emptied(nodes: Sequence[Node]) -> tuple[Node, ...]:
    return tuple(replace(node, used_cpus=0.0, used_gpus=0) for node in nodes)
