"""Run folders in; a Study out. Verdicts are streamed into matrices and no answer is kept."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from distlab.analysis.answers import NONE
from distlab.analysis.arrays import BoolArray, CodeArray
from distlab.errors import UserError
from distlab.problems.problem import Problem
from distlab.problems.problem_table import read_problems
from distlab.runs.folder import RunFolder
from distlab.runs.joining import JoinedRuns, join, only, parameters
from distlab.runs.labels import Labels, read_labels
from distlab.runs.manifest import Manifest
from distlab.runs.scored import (
    JudgedRuns,
    NullTable,
    Rerun,
    SampleFacts,
    SampleKey,
    VerdictTable,
    source_numbers,
)
from distlab.runs.spellings import remarks_on_ids, respelt, respelt_sentence
from distlab.scoring.types import CODES, CORRECT, INCORRECT, NO_VERDICT, Verdict
from distlab.scoring.verdict_schema import NULLS, upgraded
from distlab.store.cell import Cell
from distlab.store.columns import strings

COLUMNS: Final = (
    "cell",
    "problem_id",
    "rank",
    "extractor",
    "answer",
    "answer_start",
    "grader",
    "verdict",
    "truncated",
    "tokens",
    "delta",
    "gold_in_text",
)
# Verdict files of version 1 have none of these columns, those of 2 the first, of 3 the first two.
_GIVEN: Final = "delta_given"
_CLASS: Final = "answer_class"
_CONTINUED: Final = "continued"
_THINKING: Final = "thinking_tokens"
_LATER: Final = (_GIVEN, _CLASS, _CONTINUED, _THINKING)
_BATCH_ROWS: Final = 65_536
# Characters of an answer that a report keeps (ours).
_ANSWER_CHARACTERS: Final = 200


def read_study(runs: Sequence[Path], store: str | None = None) -> JudgedRuns:
    """Read run folders as one study.

    Args:
        runs: The folders; of several, what they share is the same, and a cell that two hold is a
            rerun.
        store: Where their samples are; None for where they say, or beside them.

    Raises:
        UserError: One is no run folder, a file in it cannot be read, or they do not go together.
    """
    folders = [RunFolder(run, store) for run in runs]
    manifests = [folder.read_manifest() for folder in folders]
    joined = join(manifests)
    problems = _problems(folders, manifests)
    collector = _Collector(joined.manifest, problems)
    for folder, manifest, keys in zip(folders, manifests, joined.firsts, strict=True):
        collector.read(folder, _others(manifest, keys))
    reruns, doubts = _reruns(folders, manifests, joined, problems)
    tables = collector.tables()
    return JudgedRuns(
        runs=tuple(runs),
        manifest=joined.manifest,
        parameters=parameters(manifests),
        tables=tables,
        nulls=tuple(_nulls(folders, problems)),
        remarks=(*collector.remarks(), *remarks_on_ids(tables, joined.manifest.cells), *doubts),
        reruns=reruns,
    )


def _others(manifest: Manifest, keys: frozenset[str]) -> frozenset[str]:
    return frozenset(cell.key for cell in manifest.cells if cell.key not in keys)


def _reruns(
    folders: Sequence[RunFolder],
    manifests: Sequence[Manifest],
    joined: JoinedRuns,
    problems: Mapping[str, Sequence[Problem]],
) -> tuple[tuple[Rerun, ...], list[str]]:
    """The runs that drew cells again, and what was odd about their files."""
    reruns, remarks = [], []
    for folder, manifest, keys in zip(folders, manifests, joined.reruns, strict=True):
        if keys:
            collector = _Collector(only(manifest, keys), problems)
            collector.read(folder, _others(manifest, keys))
            reruns.append(Rerun(manifest, collector.tables()))
            remarks += [f"{manifest.run}: {text}" for text in collector.remarks()]
    return tuple(reruns), remarks


def _problems(
    folders: Sequence[RunFolder], manifests: Sequence[Manifest]
) -> dict[str, tuple[Problem, ...]]:
    """The problems of every dataset, which must be the same in all runs."""
    problems: dict[str, tuple[Problem, ...]] = {}
    for folder, manifest in zip(folders, manifests, strict=True):
        for name in dict.fromkeys(cell.dataset for cell in manifest.cells):
            found = read_problems(folder.problems(name))
            if (before := problems.setdefault(name, found)) != found:
                pairs = respelt((p.id for p in before), (p.id for p in found))
                why = f". {respelt_sentence(pairs, name, 'They')}" if pairs else ""
                raise UserError(
                    f"{folder.path} has other problems of {name} than the runs before it, so they "
                    f"cannot share a table; report on them one by one{why}"
                )
    return problems


def _nulls(
    folders: Sequence[RunFolder], problems: Mapping[str, Sequence[Problem]]
) -> Iterator[NullTable]:
    """The null verdicts of every dataset and grader; nothing where a run has none."""
    for name, rows in problems.items():
        index = {problem.id: row for row, problem in enumerate(rows)}
        codes: dict[str, CodeArray] = {}
        for file in (folder.nulls(name) for folder in folders):
            if file.exists():
                _add_nulls(file, index, codes)
        yield from (NullTable(name, grader, matrix) for grader, matrix in codes.items())


def _add_nulls(file: Path, index: Mapping[str, int], codes: dict[str, CodeArray]) -> None:
    batch = _null_batch(file)
    problems, graders = _EncodedColumn.of(batch["problem_id"]), _EncodedColumn.of(batch["grader"])
    verdicts = _codes(_EncodedColumn.of(batch["verdict"]), file)
    answers = batch["answer"].to_numpy(zero_copy_only=False)
    rows = np.array([index.get(name, -1) for name in problems.names], dtype=np.int64)
    shape = (len(index), int(answers.max(initial=-1)) + 1)
    for place, grader in enumerate(graders.names):
        mine = (graders.codes == place) & (rows[problems.codes] >= 0)
        matrix = codes.setdefault(grader, np.full(shape, NO_VERDICT, dtype=np.int8))
        matrix[rows[problems.codes[mine]], answers[mine]] = verdicts[mine]


def _null_batch(file: Path) -> pa.RecordBatch:
    try:
        return pq.read_table(file, schema=NULLS).combine_chunks().to_batches()[0]
    except (pa.ArrowException, OSError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{file} cannot be read ({reason}); run `python -m distlab.score` again"
        ) from error


def read_answers(runs: Sequence[Path], wanted: Collection[SampleKey]) -> dict[SampleKey, str]:
    """The answers of a few samples.

    Args:
        runs: The run folders.
        wanted: The samples; all of them have verdicts.

    Returns:
        Every wanted sample's answer, cut to what a table shows; "" where it has none.

    Raises:
        UserError: A verdict file cannot be read.
    """
    found = dict.fromkeys(wanted, "")
    if not found:
        return found
    problems = pa.array(sorted({key.problem_id for key in wanted}))
    columns = ("cell", "extractor", "problem_id", "rank", "answer")
    folders = [RunFolder(run) for run in runs]
    joined = join([folder.read_manifest() for folder in folders])
    for folder, keys in zip(folders, joined.firsts, strict=True):
        for batch in (b for file in folder.verdict_files() for b in _batches(file, columns)):
            some = batch.filter(pc.is_in(batch["problem_id"], value_set=problems))
            for *labels, answer in zip(*(some[name].to_pylist() for name in columns), strict=True):
                if (key := SampleKey(*labels)) in found and key.cell in keys:
                    found[key] = (answer or "")[:_ANSWER_CHARACTERS]
    return found


def _batches(file: Path, columns: Sequence[str] = COLUMNS) -> Iterator[pa.RecordBatch]:
    try:
        parquet = pq.ParquetFile(file)
        if absent := [name for name in COLUMNS if name not in parquet.schema_arrow.names]:
            raise UserError(
                f"{file} has no column `{absent[0]}`, so it is no verdict file of ours; "
                "remove it, or run `python -m distlab.score` again"
            )
        wanted = [*columns, *_LATER] if columns is COLUMNS else list(columns)
        for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            yield upgraded(batch) if columns is COLUMNS else batch
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{file} cannot be read ({reason}); run `python -m distlab.score` again"
        ) from error


@dataclass(slots=True, eq=False)
class _Matrices:
    """The matrices of one cell and extractor while they are being filled."""

    facts: SampleFacts
    given: BoolArray
    codes: dict[str, npt.NDArray[np.int8]] = field(default_factory=dict)

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "_Matrices":
        """Nothing present."""
        return cls(SampleFacts.empty(shape), given=np.zeros(shape, dtype=np.bool_))

    def codes_of(self, grader: str) -> npt.NDArray[np.int8]:
        """The grader's code matrix, made on first use."""
        if grader not in self.codes:
            self.codes[grader] = np.full(self.facts.present.shape, NO_VERDICT, dtype=np.int8)
        return self.codes[grader]


class _Collector:
    """Scatters verdict rows into the matrices of their cell, extractor and grader."""

    def __init__(self, manifest: Manifest, problems: Mapping[str, Sequence[Problem]]) -> None:
        self._manifest = manifest
        self._problems = {name: tuple(rows) for name, rows in problems.items()}
        self._sources = source_numbers(problems)
        self._cells = {cell.key: cell for cell in manifest.cells}
        self._index = {
            name: {problem.id: row for row, problem in enumerate(rows)}
            for name, rows in problems.items()
        }
        self._matrices: dict[tuple[str, str], _Matrices] = {}
        self._placed = 0
        self._unclassed = 0
        self._strange: dict[str, int] = {}

    def read(self, folder: RunFolder, others: Set[str]) -> None:
        """Take in a run's verdicts and labels, those of other cells left out."""
        for file in folder.verdict_files():
            for batch in _batches(file):
                self.add(batch, file, others)
        for file in folder.label_files():
            if (labels := read_labels(file)).cell not in others:
                self.add_labels(labels)

    def add(self, batch: pa.RecordBatch, file: Path, others: Set[str]) -> None:
        """Scatter one batch."""
        rows = _DecodedBatch.of(batch, file)
        columns = (rows.cells, rows.extractors, rows.graders)
        # One number per group: numpy takes a hundred times as long for unique columns.
        shape = tuple(len(column.names) + 1 for column in columns)
        groups = np.ravel_multi_index(tuple(column.codes + 1 for column in columns), shape)
        for group in np.unique(groups):
            chosen = np.flatnonzero(groups == group)
            cell_key, extractor, grader = (
                column.names[column.codes[chosen[0]]] for column in columns
            )
            if cell_key in others:
                continue
            if cell_key in self._cells:
                self._scatter(rows, chosen, self._cells[cell_key], extractor, grader)
            else:
                self._note("are of a cell that the manifest does not name", chosen.size)

    def _scatter(
        self,
        rows: "_DecodedBatch",
        chosen: npt.NDArray[np.intp],
        cell: Cell,
        extractor: str,
        grader: str,
    ) -> None:
        index = self._index[cell.dataset]
        of_name = np.array([index.get(name, -1) for name in rows.problems.names], dtype=np.int64)
        problem, rank = of_name[rows.problems.codes[chosen]], rows.ranks[chosen]
        known, wanted = problem >= 0, (rank >= 0) & (rank < cell.n)
        self._note("are of a problem that its dataset does not hold", int((~known).sum()))
        chosen, at = chosen[known & wanted], (problem[known & wanted], rank[known & wanted])
        matrices = self._matrices.get((cell.key, extractor))
        if matrices is None:
            matrices = _Matrices.empty((len(self._problems[cell.dataset]), cell.n))
            self._matrices[cell.key, extractor] = matrices
        matrices.codes_of(grader)[at] = rows.verdicts[chosen]
        matrices.facts.present[at] = True
        matrices.facts.answers[at] = rows.answers[chosen]
        matrices.facts.starts[at] = rows.starts[chosen]
        matrices.facts.truncated[at] = rows.truncated[chosen]
        matrices.facts.tokens[at] = rows.tokens[chosen]
        matrices.facts.deltas[at] = rows.deltas[chosen]
        matrices.facts.gold_in_text[at] = rows.gold_in_text[chosen]
        matrices.facts.continued[at] = rows.continued[chosen]
        matrices.facts.thinking[at] = rows.thinking[chosen]
        matrices.given[at] = rows.given[chosen]
        self._placed += chosen.size
        self._unclassed += int(rows.unclassed[chosen].sum())

    def add_labels(self, labels: Labels) -> None:
        """Put a cell's labels beside the verdicts on its samples, under each extractor."""
        if (cell := self._cells.get(labels.cell)) is None:
            self._note("are of a cell that the manifest does not name", labels.ranks.size)
            return
        index = self._index[cell.dataset]
        problem = np.array([index.get(name, -1) for name in labels.problem_ids], dtype=np.int64)
        # Ingested again with fewer samples, a cell has labels of more.
        known = (problem >= 0) & (labels.ranks < cell.n)
        at = problem[known], labels.ranks[known]
        said = np.where(labels.correct[known], CORRECT, INCORRECT).astype(np.int8)
        for (key, _), matrices in self._matrices.items():
            if key == labels.cell:
                present = matrices.facts.present[at]
                matrices.codes_of(labels.judge)[at] = np.where(present, said, NO_VERDICT)
                self._placed += int(present.sum())

    def _note(self, what: str, count: int) -> None:
        if count:
            self._strange[what] = self._strange.get(what, 0) + count

    def tables(self) -> tuple[VerdictTable, ...]:
        """The filled matrices, in the order of the manifest."""
        extractors = self._manifest.in_order("extractor", {key[1] for key in self._matrices})
        graders = self._manifest.in_order(
            "grader", {name for m in self._matrices.values() for name in m.codes}
        )
        return tuple(
            self._table(cell, extractor, grader)
            for cell in self._manifest.cells
            for extractor in extractors
            for grader in graders
            if (matrices := self._matrices.get((cell.key, extractor))) and grader in matrices.codes
        )

    def _table(self, cell: Cell, extractor: str, grader: str) -> VerdictTable:
        matrices = self._matrices[cell.key, extractor]
        problems = self._problems[cell.dataset]
        failures = {row.problem_id for row in self._manifest.failures if row.cell == cell.key}
        return VerdictTable(
            cell=cell,
            extractor=extractor,
            grader=grader,
            problems=problems,
            sources=self._sources[cell.dataset],
            failed=np.array([problem.id in failures for problem in problems], dtype=np.bool_),
            codes=matrices.codes[grader],
            facts=matrices.facts,
        )

    def remarks(self) -> tuple[str, ...]:
        """What was odd about the rows."""
        found = [
            f"{count} verdict rows {what} and are left out."
            for what, count in self._strange.items()
        ]
        filled = sum(
            int((codes != NO_VERDICT).sum())
            for matrices in self._matrices.values()
            for codes in matrices.codes.values()
        )
        if again := self._placed - filled:
            found.append(
                f"{again} verdict rows repeat a sample, extractor and grader that another row "
                "has; the last one read counts."
            )
        if self._unclassed:
            found.append(
                "Verdicts were stored by an earlier version, which did not compare answers with "
                "each other: 1,000 and 1000 are two in maj@n, agg and “distinct”; run "
                "`distlab score` again to count them as one."
            )
        return (*found, *self._given_deltas(), *self._lacking_deltas())

    def _given_deltas(self) -> Iterator[str]:
        """Of which samples Delta is not the extractor's own."""
        counts: dict[str, tuple[int, int]] = {}
        for (cell, _), matrices in self._matrices.items():
            counts[cell] = int(matrices.given.sum()), int(matrices.facts.present.sum())
        for cell, (given, present) in counts.items():
            if given:
                yield (
                    f"{cell}: the Deltas of {given} of its {present} samples came with them "
                    "(ingested, or drawn before distlab kept what Delta is made of: then over the "
                    "answer that “rules” saw at that time), so max and agg vote with "
                    "these whichever extractor a row names."
                )

    def _lacking_deltas(self) -> Iterator[str]:
        """Under which extractors answers have no Delta, and how many."""
        for (key, extractor), matrices in self._matrices.items():
            cell, answered = self._cells[key], matrices.facts.answers != NONE
            votes = cell.deltas and not cell.stops_early
            lacking = int((answered & np.isnan(matrices.facts.deltas)).sum())
            if votes and lacking:
                yield (
                    f"{key}: {lacking} of the {int(answered.sum())} answers that “{extractor}” "
                    "read have no Delta (they came without one, or do not stand in their text "
                    "word for word), so they have no vote in max and agg."
                )


@dataclass(frozen=True, slots=True, eq=False)
class _EncodedColumn:
    """A column of repeated strings: [rows] codes into ``names``."""

    names: list[str]
    codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: "pa.Array[pa.Scalar[pa.DataType]]") -> "_EncodedColumn":
        """Encode; a null gets code -1."""
        encoded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        codes = encoded.indices.cast(pa.int64()).fill_null(-1)
        return cls(
            strings(encoded.dictionary.cast(pa.string())), codes.to_numpy(zero_copy_only=False)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _DecodedBatch:
    """A batch of verdict rows as arrays, each [rows].

    Answers are the numbers of their classes, and where these are not known (``unclassed``) codes
    of their spellings.
    """

    cells: _EncodedColumn
    problems: _EncodedColumn
    extractors: _EncodedColumn
    graders: _EncodedColumn
    ranks: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]
    answers: npt.NDArray[np.int64]
    unclassed: BoolArray
    starts: npt.NDArray[np.int32]
    truncated: npt.NDArray[np.bool_]
    tokens: npt.NDArray[np.int32]
    deltas: npt.NDArray[np.float32]
    gold_in_text: npt.NDArray[np.bool_]
    continued: npt.NDArray[np.bool_]
    thinking: npt.NDArray[np.float32]
    given: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, batch: pa.RecordBatch, file: Path) -> "_DecodedBatch":
        """Decode a batch of ``file``."""
        classes = batch[_CLASS].cast(pa.int64()).fill_null(NONE).to_numpy()
        answered = batch["answer"].is_valid().to_numpy(zero_copy_only=False)
        unclassed = answered & (classes == NONE)
        return cls(
            cells=_EncodedColumn.of(batch["cell"]),
            problems=_EncodedColumn.of(batch["problem_id"]),
            extractors=_EncodedColumn.of(batch["extractor"]),
            graders=_EncodedColumn.of(batch["grader"]),
            ranks=batch["rank"].to_numpy(zero_copy_only=False).astype(np.int64),
            verdicts=_codes(_EncodedColumn.of(batch["verdict"]), file),
            answers=np.where(unclassed, _spellings(batch) if unclassed.any() else NONE, classes),
            unclassed=unclassed,
            starts=batch["answer_start"].to_numpy(zero_copy_only=False),
            truncated=batch["truncated"].to_numpy(zero_copy_only=False),
            tokens=batch["tokens"].to_numpy(zero_copy_only=False),
            deltas=batch["delta"].to_numpy(zero_copy_only=False).astype(np.float32),
            gold_in_text=batch["gold_in_text"].to_numpy(zero_copy_only=False),
            continued=batch[_CONTINUED].fill_null(False).to_numpy(zero_copy_only=False),
            thinking=batch[_THINKING].to_numpy(zero_copy_only=False).astype(np.float32),
            given=batch[_GIVEN].to_numpy(zero_copy_only=False),
        )


def _spellings(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Codes of the answers of verdict rows, equal for equal strings."""
    answers = _EncodedColumn.of(batch["answer"])
    digests = np.array([*map(_digest, answers.names), NONE], dtype=np.int64)
    return digests[answers.codes]


def _digest(answer: str) -> int:
    """63 bits that stand for an answer: a million answers take 8 MB whatever their length."""
    digest = hashlib.blake2b(answer.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _codes(verdicts: _EncodedColumn, file: Path) -> npt.NDArray[np.int8]:
    for name in verdicts.names:
        if name not in set(Verdict):
            raise UserError(
                f"{file} holds the unknown verdict {name!r}; run `python -m distlab.score` again"
            )
    of_name = np.array(
        [CODES[Verdict(name)] for name in verdicts.names] + [NO_VERDICT], dtype=np.int8
    )
    return of_name[verdicts.codes]
