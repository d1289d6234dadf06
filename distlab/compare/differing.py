"""Two manifests in; the settings in which they differ out."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from distlab.compare.comparison import Pair, SettingRow
from distlab.runs.manifest import Manifest
from distlab.tables.numbers import DASH

# Settings that say where a run is, not what it is.
_PLACES: Final = frozenset({"runs", "store"})


def setting_rows(pair: Pair) -> tuple[SettingRow, ...]:
    """Every setting that differs: config, versions, datasets, then the fields of each cell."""
    first, second = pair.first.manifest, pair.second.manifest
    rows = list(_differing(_settings(first), _settings(second)))
    for mine, theirs in pair.cells:
        fields = (
            dict(_flat(manifest.fingerprints.get(cell.key, {}), ""))
            for manifest, cell in ((first, mine), (second, theirs))
        )
        named = f"{mine.arm} {mine.dataset} {mine.prompt}"
        rows += [
            SettingRow(f"{named}: {row.setting}", row.first, row.second)
            for row in _differing(*fields)
        ]
    return tuple(rows)


def _settings(manifest: Manifest) -> dict[str, str]:
    config = {name: value for name, value in manifest.config.items() if name not in _PLACES}
    hashes = {name: facts.get("content_hash") for name, facts in manifest.datasets.items()}
    return {
        **dict(_flat(config, "")),
        **dict(_flat(manifest.versions, "version")),
        **dict(_flat(hashes, "content of")),
        **dict(_flat({"device": manifest.host.get("device")}, "host")),
    }


def _flat(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}".lstrip("."))
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _differing(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[SettingRow]:
    for name in dict.fromkeys((*first, *second)):
        one, other = first.get(name, DASH), second.get(name, DASH)
        if one != other:
            yield SettingRow(name, one, other)
