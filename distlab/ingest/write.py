"""Given samples in; cells of the store and a run folder out, as `score` and `report` take them."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from distlab.checkpoints.checkpoint import Variant
from distlab.config.compose import compose
from distlab.decoding.interface import Sample
from distlab.decoding.kinds import BUILT_IN
from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import GivenFile, Placed
from distlab.ingest.regrouped import regrouped
from distlab.problems import read_problems, write_problems
from distlab.problems.content import content_hash, same_question
from distlab.problems.problem import Problem
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import INGESTED, Manifest
from distlab.store.batches import prompt_hash
from distlab.store.cell import Cell
from distlab.store.fingerprint import ADDRESS_VERSION, ContentAddress
from distlab.store.store import Store, StoredCell, cell_path
from distlab.tabular.golds import equal

# Samples of a shard (ours), as runs commit them.
_SHARD_SAMPLES: Final = 5000
# Prompts are unknown: the hash of no tokens stands for all.
_NO_PROMPT: Final = prompt_hash(())


@dataclass(frozen=True, slots=True)
class CellLabels:
    """What the samples are; together they name the cell.

    Attributes:
        family: Name of the model family.
        variant: What was sampled.
        decoding: Name of the decoding method.
        kind: How ranks are to be read.
        dataset: Name of the dataset.
        prompt: Name of the prompt style.
    """

    family: str
    variant: Variant
    decoding: str
    kind: str
    dataset: str
    prompt: str


@dataclass(frozen=True, slots=True)
class IngestedFields(ContentAddress):
    """All that can change an ingested cell's samples; the counterpart of ``CellFields``.

    Attributes:
        file_sha256: Of the file's bytes (hex).
        columns: What of a sample is in which column.
        source: Says that no engine of ours drew them.
        schema: Version of the address; its name is older than that.
    """

    file_sha256: str
    columns: Mapping[str, str]
    source: str = INGESTED
    schema: int = ADDRESS_VERSION


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file that was read, or the files, whose samples make one cell.

    Attributes:
        paths: As they were given.
        sha256: Of the file's bytes; of several files, of their hashes in hex, one after another.
        skipped: Rows passed over at the user's word, from 1, as they were given.
        said: How the file was read: sentences that no reader of a table may overlook.
        log: Of a log of another tool: tool, task, model, and what it says of prompt, sampling,
            seeds and versions.
        stamps: Size and time of the last change of each file, before it was first read.
    """

    paths: tuple[Path, ...]
    sha256: str
    skipped: tuple[str, ...]
    said: tuple[str, ...] = ()
    log: Mapping[str, Any] = field(default_factory=dict)
    stamps: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, files: Sequence[Path], skipped: Sequence[str]) -> "SourceFile":
        """Take the stamps and the hash of files, before they are read."""
        stamps = tuple(map(_stamp, files))
        return cls(tuple(files), _digest(files), tuple(dict.fromkeys(skipped)), stamps=stamps)

    def check(self) -> None:
        """Check that no file changed: it is read twice, and hashed before.

        Raises:
            UserError: One did.
        """
        for path, stamp in zip(self.paths, self.stamps, strict=True):
            if _stamp(path) != stamp:
                raise UserError(f"{path} changed while it was read: ingest it once it is complete")

    @property
    def name(self) -> str:
        """The file's name; of several, the first's and how many more there are."""
        more = len(self.paths) - 1
        return self.paths[0].name + (f" and {more} more" if more else "")


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _digest(files: Sequence[Path]) -> str:
    """The hash of a file, or one over the hashes of several."""
    digests = []
    for file in files:
        with file.open("rb") as handle:
            digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def describe(
    n: int, labels: CellLabels, source: SourceFile, columns: ColumnMap
) -> tuple[Cell, IngestedFields]:
    """The cell of n samples per problem, and what its fingerprint is of."""
    fields = IngestedFields(source.sha256, columns.of_samples())
    fingerprint = fields.fingerprint()
    path = cell_path(
        labels.family, labels.variant, labels.decoding, labels.dataset, labels.prompt, fingerprint
    )
    kind = BUILT_IN[labels.kind]
    cell = Cell(
        **asdict(labels),
        n=n,
        fingerprint=fingerprint,
        path=path,
        order=kind.order,
        deltas=kind.margins,
    )
    return cell, fields


def store_samples(
    given: GivenFile, cell: StoredCell, source: SourceFile, folder: RunFolder, run: str
) -> None:
    """Commit what the store does not hold of them yet, a shard of whole problems after another.

    Args:
        given: The samples and their problems.
        cell: Their cell in the store.
        source: The files that they are read from.
        folder: Of the run that brings them; samples are put aside there.
        run: Its name.

    Raises:
        UserError: A file changed since it was first read.
        OSError: The disk is full or the store is gone.
    """
    samples, ids = given.samples, [problem.id for problem in given.problems]
    missing = samples.missing(ids, cell.ranks(dict.fromkeys(ids, _NO_PROMPT)))
    together = max(1, _SHARD_SAMPLES // samples.n)
    sizes = np.bincount(samples.problem[missing] // together).tolist()
    drawn = (
        (placed.problem // together, _sample(ids[placed.problem], placed))
        for placed in samples.of(missing)
    )
    for batches in regrouped(drawn, sizes, run, folder.path):
        source.check()
        cell.commit(batches)


def _sample(problem_id: str, placed: Placed) -> Sample:
    return Sample(
        problem_id=problem_id,
        rank=placed.rank,
        prompt_ids=(),
        token_ids=(),
        text=placed.sample.text,
        truncated=placed.sample.truncated,
        stop_string=None,
        given_delta=placed.sample.delta,
    )


def new_manifest(run: str, store: Store) -> Manifest:
    """The manifest of a run folder that holds nothing yet, with the default components."""
    default = compose([])
    return Manifest(
        run=run,
        command="",
        store=store.address,
        cells=(),
        config={
            INGESTED: [],
            "extractor": asdict(default.extractor),
            "grader": asdict(default.grader),
        },
        versions={
            "python": platform.python_version(),
            "distlab": importlib.metadata.version("distlab"),
            "engine": "none: the samples were ingested",
        },
    )


def with_cell(
    manifest: Manifest,
    cell: Cell,
    fields: IngestedFields,
    problems: Sequence[Problem],
    source: SourceFile,
    columns: ColumnMap,
) -> Manifest:
    """The manifest with one cell more.

    Args:
        manifest: Of an ingested run.
        cell: The cell, in the store already.
        fields: What its fingerprint is made of.
        problems: All problems of its dataset, those of other cells included.
        source: Where its samples are from.
        columns: Which columns were read.

    Raises:
        UserError: The run has a cell of these labels from another file.
    """
    check_new(manifest, cell)
    cells = {other.key: other for other in manifest.cells} | {cell.key: cell}
    files = [row for row in manifest.config[INGESTED] if row["cell"] != cell.key]
    mapping = {name: value for name, value in asdict(columns).items() if value}
    told: dict[str, Any] = {
        "cell": cell.key,
        "file": _listed(source),
        "sha256": source.sha256,
    }
    if source.log:
        told["log"] = dict(source.log)
    return replace(
        manifest,
        cells=tuple(cells.values()),
        config={**manifest.config, INGESTED: [*files, {**told, "columns": mapping}]},
        fingerprints={**manifest.fingerprints, cell.key: fields.as_json()},
        datasets={**manifest.datasets, cell.dataset: _dataset(problems, source)},
        notes=tuple(dict.fromkeys((*manifest.notes, *_notes(cell, source, columns)))),
    )


def check_new(manifest: Manifest, cell: Cell) -> None:
    """Refuse labels that the run has from another file, or from other columns.

    Raises:
        UserError: The run has a cell of these labels, and it is not the same.
    """
    for other in manifest.cells:
        if other.key == cell.key and other.fingerprint != cell.fingerprint:
            raise UserError(
                f"the run has a cell {cell.key} from another file or other columns: "
                "give another --variant, --decoding, --prompt or --family"
            )


def _dataset(problems: Sequence[Problem], source: SourceFile) -> dict[str, object]:
    rows = ({"id": p.id, "question": p.question, "gold": p.gold.text} for p in problems)
    return {
        "problems": len(problems),
        "rows": len(problems),
        "content_hash": content_hash(rows),
        "source": ", ".join(map(str, source.paths)),
        "revision": None,
        "notes": [],
    }


def _listed(source: SourceFile) -> str:
    return ", ".join(str(path.absolute()) for path in source.paths)


def _notes(cell: Cell, source: SourceFile, columns: ColumnMap) -> Iterator[str]:
    """What no reader of a table may overlook."""
    unknown = "prompts, seeds and token counts are unknown"
    if source.log:
        unknown = "what the log says of prompts, sampling and seeds stands in the manifest"
    yield (
        f"{cell.key}: samples ingested from {source.name} (sha256 {source.sha256[:12]}); no "
        f"engine of distlab drew them: {unknown}"
    )
    if columns.truncated is None:
        yield f"{cell.key}: {source.name} does not say which samples were cut off: none counts"
    if source.skipped:
        rows = ", ".join(map(str, source.skipped))
        yield f"{cell.key}: row {rows} of {source.name} left out as asked (--skip)"
    yield from (f"{cell.key}: {sentence}" for sentence in source.said)


def merged_problems(folder: RunFolder, cell: Cell, given: Sequence[Problem]) -> list[Problem]:
    """The problems of the run's dataset, those of this cell added; what the run has stays.

    Raises:
        UserError: The run has a problem of the same id that is not the same.
    """
    file = folder.problems(cell.dataset)
    problems = {problem.id: problem for problem in (read_problems(file) if file.exists() else ())}
    shared = [(each, problems[each.id]) for each in given if each.id in problems]
    same = equal([(theirs.gold, ours.gold) for ours, theirs in shared])
    for (ours, theirs), is_same in zip(shared, same, strict=True):
        is_asked = same_question(ours.question, theirs.question)
        if not (is_same and is_asked):
            what = "question" if is_same else "gold"
            raise UserError(
                f"problem {ours.id!r} of {cell.dataset} has another {what} in {file}: "
                "give this file's problems another --dataset"
            )
        if not theirs.question:
            problems[ours.id] = replace(theirs, question=ours.question)
    for each in given:
        problems.setdefault(each.id, each)
    return list(problems.values())


def write_run(folder: RunFolder, manifest: Manifest, dataset: str, rows: list[Problem]) -> None:
    """Write problems, then the manifest that makes the folder a run."""
    write_problems(folder.problems(dataset), rows)
    folder.write_manifest(manifest)
