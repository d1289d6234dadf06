"""One piece of stored samples in, its committed verdicts out. Knows nothing of Ray."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from distlab.problems.opening import goes_on
from distlab.problems.problem import Gold
from distlab.scoring.cache import commit
from distlab.scoring.delta import COLUMNS as OF_DELTA
from distlab.scoring.delta import Deltas
from distlab.scoring.equal_answers import equal_answers
from distlab.scoring.gold_mention import GoldMention
from distlab.scoring.judging import AnswerJudge, Codes, GraderFacts
from distlab.scoring.pieces import Piece
from distlab.scoring.pool import PoolSettings
from distlab.scoring.reader import Reader
from distlab.scoring.sampled_text import COLUMNS as OF_TEXT
from distlab.scoring.sampled_text import SampledText, sampled_texts
from distlab.scoring.types import (
    BY_CODE,
    ERROR,
    NO_ANSWER,
    NO_VERDICT,
    TIMEOUT,
    ComponentSpec,
    Extraction,
)
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.columns import strings, token_counts
from distlab.store.store import read_shard


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """What is the same for every piece of a run.

    Attributes:
        out: Folder of the verdict files.
        extractors: Run on every sample.
        graders: Run on every distinct answer of a problem.
        settings: How grader workers are held.
        cache: Folder of the verdicts kept over runs, or None.
    """

    out: Path
    extractors: tuple[ComponentSpec, ...]
    graders: tuple[GraderFacts, ...]
    settings: PoolSettings
    cache: Path | None


@dataclass(frozen=True, slots=True)
class PieceSummary:
    """What came of a piece.

    Attributes:
        samples: Samples scored.
        answers: Distinct (problem, answer) among them, over all extractors.
        graded: Verdicts made by a grader.
        recalled: Verdicts taken from the cache.
        timeouts: Verdict rows that are ``timeout``.
        errors: Verdict rows that are ``error``.
    """

    samples: int = 0
    answers: int = 0
    graded: int = 0
    recalled: int = 0
    timeouts: int = 0
    errors: int = 0

    def __add__(self, other: "PieceSummary") -> "PieceSummary":
        return PieceSummary(
            self.samples + other.samples,
            self.answers + other.answers,
            self.graded + other.graded,
            self.recalled + other.recalled,
            self.timeouts + other.timeouts,
            self.errors + other.errors,
        )


def verdict_file(out: Path, piece: Piece) -> Path:
    """Where a piece's verdicts are; there or not, never half."""
    return out / f"verdicts-{piece.name}.parquet"


@dataclass(frozen=True, slots=True)
class _Read:
    """What one extractor made of the samples: one entry per sample.

    Attributes:
        extractions: Where and what.
        distinct: Position of the answer among the piece's distinct ones, -1 where there is none.
        failed: Whether the extractor tripped.
    """

    extractions: list[Extraction]
    distinct: npt.NDArray[np.int64]
    failed: npt.NDArray[np.bool_]


class Scorer:
    """Scores pieces, with a pool of one grader worker of its own.

    Raises:
        UserError: An extractor or a grader cannot be made.
    """

    def __init__(self, job: ScoringJob) -> None:
        self._job = job
        self._readers = [Reader(spec, job.settings) for spec in job.extractors]
        self._judge = AnswerJudge(job.graders, job.settings, job.cache)

    def close(self) -> None:
        """End the grader worker, and what reads with extractors of the user's."""
        self._judge.close()
        for reader in self._readers:
            reader.close()

    def score(self, piece: Piece) -> PieceSummary:
        """Extract, grade and commit.

        Raises:
            UserError: A shard cannot be read.
            OSError: The verdicts cannot be written.
        """
        samples = _read_samples(piece)
        problem_ids = strings(samples.column("problem_id"))
        texts = strings(samples.column("text"))
        golds = [piece.golds[problem_id] for problem_id in problem_ids]
        answers: dict[tuple[str, str], int] = {}
        sampled = sampled_texts(samples)
        reads = [_read_answers(r, problem_ids, sampled, golds, answers) for r in self._readers]
        codes, graded, recalled = self._judge.judge(piece.golds, list(answers))
        late = (codes == TIMEOUT).any(axis=1).tolist()
        classes = equal_answers(
            self._judge.grade, self._job.graders, piece.golds, list(answers), late
        )
        rows = _rows_of(reads, self._applies(golds), codes)
        facts = _facts(samples, _mentions(piece.golds, problem_ids, texts))
        continued = _continued(piece.rests, problem_ids, sampled)
        facts = facts.append_column("continued", pa.array(continued, pa.bool_()))
        found = _found(reads, classes, Deltas(samples))
        table = _verdict_table(piece.cell, facts, found, rows, self._job)
        commit(table, verdict_file(self._job.out, piece))
        counts = np.bincount(rows.code, minlength=len(BY_CODE))
        return PieceSummary(
            samples=piece.samples,
            answers=len(answers),
            graded=graded,
            recalled=recalled,
            timeouts=int(counts[TIMEOUT]),
            errors=int(counts[ERROR]),
        )

    def _applies(self, golds: Sequence[Gold]) -> npt.NDArray[np.bool_]:
        """Which graders (axis 1) judge the gold of which sample (axis 0)."""
        kinds = {gold.kind for gold in golds}
        row_of = {kind: [kind in grader.kinds for grader in self._job.graders] for kind in kinds}
        return np.array([row_of[gold.kind] for gold in golds], np.bool_)


_OF_TOKENS = ("token_ids", "computed_tokens", "thinking_tokens")
_Labels: TypeAlias = "pa.DictionaryArray[pa.lib.Int32Type, pa.lib.StringType]"


@dataclass(frozen=True, slots=True)
class _VerdictRows:
    """Verdict rows as positions: sample, extractor and grader, and the verdict's code."""

    sample: npt.NDArray[np.int64]
    extractor: npt.NDArray[np.int64]
    grader: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]


def _read_samples(piece: Piece) -> pa.Table:
    """The piece's samples, sorted by problem and rank, with ``tokens`` counted."""
    columns = ["problem_id", "rank", *_OF_TOKENS, *OF_TEXT, *OF_DELTA]
    parts = []
    for shard in piece.shards:
        table = read_shard(piece.filesystem, shard.path, columns)
        lean = table.drop_columns(["token_ids", "computed_tokens"])
        lean = lean.append_column("tokens", token_counts(table))
        parts.append(lean.take(shard.rows))
    samples = pa.concat_tables(parts)
    return samples.sort_by([("problem_id", "ascending"), ("rank", "ascending")])


def _read_answers(
    reader: Reader,
    problem_ids: Sequence[str],
    samples: Sequence[SampledText],
    golds: Sequence[Gold],
    answers: dict[tuple[str, str], int],
) -> _Read:
    """Run one extractor; add the distinct answers to ``answers``.

    Equal samples of a problem are read once: at a low temperature many are.
    """
    extractions: list[Extraction] = []
    distinct = np.full(len(samples), -1, np.int64)
    failed = np.zeros(len(samples), np.bool_)
    seen: dict[SampledText, tuple[Extraction, bool]] = {}
    rows = zip(problem_ids, samples, golds, strict=True)
    for row, (problem_id, sampled, gold) in enumerate(rows):
        if row and problem_id != problem_ids[row - 1]:
            seen.clear()
        if sampled not in seen:
            seen[sampled] = reader.read(sampled, gold.kind)
        extraction, failed[row] = seen[sampled]
        extractions.append(extraction)
        if extraction.answer is not None:
            distinct[row] = answers.setdefault((problem_id, extraction.answer), len(answers))
    return _Read(extractions, distinct, failed)


def _mentions(
    golds: Mapping[str, Gold], problem_ids: Sequence[str], texts: Sequence[str]
) -> list[bool]:
    mentions = {problem_id: GoldMention(gold) for problem_id, gold in golds.items()}
    return [mentions[p].stands_in(text) for p, text in zip(problem_ids, texts, strict=True)]


def _continued(
    rests: Mapping[str, str], problem_ids: Sequence[str], samples: Sequence[SampledText]
) -> list[bool | None]:
    """Whether each sample goes on with what the prompt hid; None where it hid nothing."""
    hidden = [rests.get(problem_id) for problem_id in problem_ids]
    return [
        None if rest is None else goes_on(sampled.text, rest)
        for rest, sampled in zip(hidden, samples, strict=True)
    ]


def _rows_of(reads: Sequence[_Read], applies: npt.NDArray[np.bool_], codes: Codes) -> _VerdictRows:
    """Cross samples, extractors and graders; sorted in that order."""
    cube = np.empty((len(applies), len(reads), applies.shape[1]), np.int8)
    for index, read in enumerate(reads):
        answered = read.distinct >= 0
        cube[answered, index] = codes[read.distinct[answered]]
        silent = np.where(read.failed, ERROR, NO_ANSWER)
        blank = np.where(applies, silent[:, None], NO_VERDICT)
        cube[~answered, index] = blank[~answered]
    sample, extractor, grader = np.nonzero(cube != NO_VERDICT)
    return _VerdictRows(sample, extractor, grader, cube[sample, extractor, grader].astype(np.int64))


def _facts(samples: pa.Table, mentioned: Sequence[bool]) -> pa.Table:
    """What every verdict row of a sample repeats."""
    given = samples.column("given_delta").is_valid()
    facts = samples.select(["problem_id", "rank", "truncated", "tokens", "thinking_tokens"])
    facts = facts.append_column("gold_in_text", pa.array(mentioned, pa.bool_()))
    return facts.append_column("delta_given", given)


def _found(reads: Sequence[_Read], classes: Sequence[int], deltas: Deltas) -> pa.Table:
    """What each extractor read: sample by sample, and of a sample extractor by extractor."""
    found = [
        extraction
        for each in zip(*(r.extractions for r in reads), strict=True)
        for extraction in each
    ]
    # The last is that of no answer, at -1.
    class_of = np.array([*classes, -1], np.int32)
    of_each = class_of[np.stack([read.distinct for read in reads], axis=1).ravel()]
    confidence = np.stack([deltas.under(read.extractions) for read in reads], axis=1)
    return pa.table(
        {
            "answer": pa.array([_storable(e.answer) for e in found], pa.string()),
            "answer_class": pa.array(of_each, mask=of_each < 0),
            "answer_start": pa.array([e.start for e in found], pa.int32()),
            "answer_end": pa.array([e.end for e in found], pa.int32()),
            "text_cut": pa.array([e.cut for e in found], pa.int32()),
            "delta": pa.array(confidence.ravel(), from_pandas=True),
        }
    )


def _verdict_table(
    cell: str, facts: pa.Table, found: pa.Table, rows: _VerdictRows, job: ScoringJob
) -> pa.Table:
    """Lay the rows out in the schema of verdicts."""
    taken = facts.take(rows.sample)
    read = found.take(rows.sample * len(job.extractors) + rows.extractor)
    labels = {
        "cell": _labels(np.zeros(len(rows.sample), np.int64), [cell]),
        "extractor": _labels(rows.extractor, [spec.name for spec in job.extractors]),
        "grader": _labels(rows.grader, [grader.spec.name for grader in job.graders]),
        "verdict": _labels(rows.code, [verdict.value for verdict in BY_CODE]),
    }
    columns = labels | {
        name: table.column(name) for table in (taken, read) for name in table.column_names
    }
    arrays = [columns[field.name].cast(field.type) for field in VERDICTS]
    return pa.table(arrays, schema=VERDICTS)


def _labels(codes: npt.NDArray[np.int64], names: Sequence[str]) -> "_Labels":
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(names, pa.string()))


def _storable(answer: str | None) -> str | None:
    """The answer as UTF-8 can hold it: lone surrogates, as JSON escapes make them, become "?"."""
    return answer and answer.encode("utf-8", "replace").decode()
