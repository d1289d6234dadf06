"""Given samples in; cells of the store and a run folder out, as `score` and `report` take them."""

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from distlab.checkpoints.checkpoint import Variant
from distlab.config.compose import compose
from distlab.decoding.interface import Sample
from distlab.decoding.kinds import BUILT_IN
from distlab.errors import UserError
from distlab.ingest.columns import ColumnMap
from distlab.ingest.given_problems import GivenProblem
from distlab.problems import read_problems, write_problems
from distlab.problems.content import content_hash, same_question
from distlab.problems.problem import Problem
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import INGESTED, Manifest
from distlab.store.batches import prompt_hash, to_batch
from distlab.store.cell import Cell
from distlab.store.fingerprint import ADDRESS_VERSION, ContentAddress
from distlab.store.store import CellWriter, Store, cell_path
from distlab.tabular.golds import equal

# Samples that become Arrow rows together (ours): a batch costs as much as some hundred of them.
_BATCH_SAMPLES: Final = 1000
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
    """

    paths: tuple[Path, ...]
    sha256: str
    skipped: tuple[str, ...]
    said: tuple[str, ...] = ()
    log: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name; of several, the first's and how many more there are."""
        more = len(self.paths) - 1
        return self.paths[0].name + (f" and {more} more" if more else "")


def describe(
    given: Sequence[GivenProblem], labels: CellLabels, source: SourceFile, columns: ColumnMap
) -> tuple[Cell, IngestedFields]:
    """The cell of the samples, and what its fingerprint is of."""
    fields = IngestedFields(source.sha256, columns.of_samples())
    fingerprint = fields.fingerprint()
    path = cell_path(
        labels.family, labels.variant, labels.decoding, labels.dataset, labels.prompt, fingerprint
    )
    n = len(given[0].samples)
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
    given: Sequence[GivenProblem], cell: Cell, fields: IngestedFields, store: Store, run: str
) -> None:
    """Commit what the store does not hold of them yet.

    Args:
        given: Problems, each with ``cell.n`` samples.
        cell: Their cell.
        fields: What its fingerprint is made of.
        store: The store that takes them.
        run: Name of the run that brings them.

    Raises:
        OSError: The disk is full or the store is gone.
    """
    stored = store.cell(cell.path)
    stored.create(fields)
    held = stored.ranks({item.problem.id: _NO_PROMPT for item in given})
    writer = CellWriter(stored)
    missing: list[Sample] = []
    for item in given:
        missing += _samples(item, held.get(item.problem.id, set()))
        if len(missing) >= _BATCH_SAMPLES:
            writer.add(to_batch(missing, run))
            missing = []
    if missing:
        writer.add(to_batch(missing, run))
    writer.flush()


def _samples(item: GivenProblem, held: set[int]) -> Iterator[Sample]:
    for rank, given in enumerate(item.samples):
        if rank not in held:
            yield Sample(
                problem_id=item.problem.id,
                rank=rank,
                prompt_ids=(),
                token_ids=(),
                text=given.text,
                truncated=given.truncated,
                stop_string=None,
                given_delta=given.delta,
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
    rows = [{"id": p.id, "question": p.question, "gold": p.gold.text} for p in problems]
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


def merged_problems(folder: RunFolder, cell: Cell, given: Sequence[GivenProblem]) -> list[Problem]:
    """The problems of the run's dataset, those of this cell added; what the run has stays.

    Raises:
        UserError: The run has a problem of the same id that is not the same.
    """
    file = folder.problems(cell.dataset)
    problems = {problem.id: problem for problem in (read_problems(file) if file.exists() else ())}
    shared = [
        (item.problem, problems[item.problem.id]) for item in given if item.problem.id in problems
    ]
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
    for item in given:
        problems.setdefault(item.problem.id, item.problem)
    return list(problems.values())


def write_run(folder: RunFolder, manifest: Manifest, dataset: str, rows: list[Problem]) -> None:
    """Write problems, then the manifest that makes the folder a run."""
    write_problems(folder.problems(dataset), rows)
    folder.write_manifest(manifest)
