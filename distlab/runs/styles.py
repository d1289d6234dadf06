"""In what the cells of a run differ, by the fields behind their addresses."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell

# Settings from which a set of them has a spread (ours).
_FEWEST: Final = 3
# Fields that another format changes by itself.
_OF_FORMAT: Final = frozenset(
    {
        *("prompt.style", "prompt.format", "prompt.chat_template_of", "prompt.chat_date"),
        *("prompt.chat_template_sha256", "prompt.chat_template_kwargs"),
    }
)


class Varied(StrEnum):
    """What the cells of a set differ in, and in nothing else."""

    WORDING = "wording"
    EXEMPLARS = "exemplars"
    TEMPERATURE = "temperature"


# Fields that differ within a set.
_FIELDS: Final[Mapping[Varied, frozenset[str]]] = {
    Varied.WORDING: frozenset(
        {"prompt.style", "prompt.instruction", "prompt.instruction_template"}
    ),
    Varied.EXEMPLARS: frozenset(
        {"prompt.style", "prompt.seed", "prompt.exemplars", "prompt.exemplars_sha256"}
    ),
    Varied.TEMPERATURE: frozenset({"temperature"}),
}


def prompt_format(manifest: Manifest, cell: Cell) -> str | None:
    """Either "plain" or "chat"; None where the run does not say, as of samples from elsewhere."""
    found = _prompt(manifest, cell).get("format")
    return None if found is None else str(found)


def crossed_formats(manifest: Manifest, first: Cell, second: Cell) -> tuple[Cell, Cell] | None:
    """Two cells, the plain one first, where they differ in their prompt's format alone."""
    found = {prompt_format(manifest, cell): cell for cell in (first, second)}
    if found.keys() != {"plain", "chat"}:
        return None
    same = {_without(_fields(manifest, cell), _OF_FORMAT) for cell in (first, second)}
    return (found["plain"], found["chat"]) if len(same) == 1 else None


def sets_of(manifest: Manifest, varied: Varied) -> Iterator[tuple[Cell, ...]]:
    """Cells of one checkpoint and dataset that differ in one thing alone, at least three a set."""
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in manifest.cells:
        fields = _fields(manifest, cell)
        if not fields or (varied is Varied.TEMPERATURE and fields.get("decoding") != "stochastic"):
            continue
        decoding = "" if varied is Varied.TEMPERATURE else cell.decoding
        prompt = cell.prompt if varied is Varied.TEMPERATURE else ""
        rest = _without(fields, _FIELDS[varied])
        key = (cell.family, cell.variant, cell.dataset, decoding, prompt, rest)
        groups.setdefault(key, []).append(cell)
    yield from (tuple(group) for group in groups.values() if len(group) >= _FEWEST)


def repeated_prompts(manifest: Manifest) -> frozenset[str]:
    """Keys of cells that another stands for, where prompts as such are compared.

    Of a set of wordings or of draws of exemplars that is the first; how far figures move within a
    set is a question of its own.
    """
    return frozenset(
        cell.key
        for varied in (Varied.WORDING, Varied.EXEMPLARS)
        for cells in sets_of(manifest, varied)
        for cell in cells[1:]
    )


def _prompt(manifest: Manifest, cell: Cell) -> Mapping[str, Any]:
    prompt = _fields(manifest, cell).get("prompt")
    return prompt if isinstance(prompt, Mapping) else {}


def _fields(manifest: Manifest, cell: Cell) -> Mapping[str, Any]:
    return manifest.fingerprints.get(cell.key, {})


def _without(fields: Mapping[str, Any], names: frozenset[str]) -> str:
    """All other fields, those of a mapping dotted, as canonical JSON."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        inner = value.items() if isinstance(value, Mapping) else ()
        flat |= {f"{name}.{key}": each for key, each in inner} or {name: value}
    return json.dumps(
        {key: value for key, value in flat.items() if key not in names}, sort_keys=True
    )
