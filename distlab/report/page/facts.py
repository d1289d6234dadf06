"""Where and how a study ran, as tables of text."""

import json
from collections.abc import Iterator

from distlab.report.table import StudyTables
from distlab.tables.text import TextTable, lay_texts


def cell_facts(study: StudyTables) -> TextTable:
    """The cells, with where their samples are."""
    titles = ("cell", "decoding", "n", "fingerprint", "folder in the store")
    rows = [(c.key, c.kind, str(c.n), c.fingerprint, c.path) for c in study.manifest.cells]
    return lay_texts("cells", "Cells", titles, rows)


def token_facts(study: StudyTables) -> TextTable:
    """New tokens of the cells that this run drew in, and what drawing siblings together saved."""
    titles = ("cell", "tokens kept", "tokens computed", "kept per computed")
    rows = [
        (key, str(of["kept"]), str(of["computed"]), f"{of['kept'] / max(1, of['computed']):.2f}")
        for key, of in study.manifest.tokens.items()
    ]
    return lay_texts("tokens", "New tokens drawn", titles, rows)


def dataset_facts(study: StudyTables) -> TextTable:
    """Provenance of the datasets."""
    rows = [
        (name, key, _shown(value))
        for name, facts in study.manifest.datasets.items()
        for key, value in facts.items()
    ]
    return lay_texts("datasets", "Datasets", ("dataset", "fact", "value"), rows)


def run_facts(study: StudyTables) -> TextTable:
    """Versions, host, timings and counts."""
    return lay_texts("run", "Versions and timings", ("what", "value"), list(_facts(study)))


def _facts(study: StudyTables) -> Iterator[tuple[str, str]]:
    manifest = study.manifest
    yield from manifest.versions.items()
    yield from ((f"host: {key}", _shown(value)) for key, value in manifest.host.items())
    yield from ((f"seconds: {key}", f"{took:.1f}") for key, took in manifest.timings_s.items())
    yield from ((key, str(count)) for key, count in manifest.counts.items())
    yield "store", manifest.store


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
