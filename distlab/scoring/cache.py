"""Verdicts kept over runs, by gold, answer and grader version.

    FOLDER/GRADER-DIGEST/*.parquet      key (two 64-bit halves), verdict, deadline_s

Samples are looked up for graders alone that say they are expensive (``cached = True``): that costs
some microseconds, which a string comparison beats. The null model's few verdicts are kept of every
grader. Files are written whole under names of their own,
never changed, and merged by whoever finds many: writers at the same time do not meet. Errors are
not kept; a timeout is, and counts for deadlines up to the one that it overran.
"""

import contextlib
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.files import whole
from distlab.problems.types import Gold
from distlab.scoring.types import ComponentSpec, Verdict

_KEPT = (Verdict.CORRECT, Verdict.INCORRECT, Verdict.TIMEOUT)
_TIMEOUT = _KEPT.index(Verdict.TIMEOUT)
_SCHEMA = pa.schema(
    [
        pa.field("high", pa.uint64(), nullable=False),
        pa.field("low", pa.uint64(), nullable=False),
        # Position in correct, incorrect, timeout.
        pa.field("verdict", pa.int8(), nullable=False),
        pa.field("deadline_s", pa.float32(), nullable=False),
    ]
)
_KEY = np.dtype([("high", "<u8"), ("low", "<u8")])
# Files of a grader that are merged into one (ours).
_MANY_FILES = 200
# New verdicts held in memory (ours); they are on disk as well.
_MOST_FRESH = 100_000


def cache_key(gold: Gold, answer: str) -> bytes:
    """128 bits over everything that a verdict depends on beside the grader."""
    text = repr((gold.kind.value, gold.text, gold.items, gold.lower, gold.upper, answer))
    return hashlib.blake2b(text.encode(), digest_size=_KEY.itemsize).digest()


@dataclass(slots=True)
class VerdictCache:
    """The kept verdicts of one grader.

    Attributes:
        folder: The grader's own folder.
        deadline_s: Deadline of this run.
    """

    folder: Path
    deadline_s: float
    _known: pa.Table = field(default_factory=_SCHEMA.empty_table)
    _fresh: dict[bytes, Verdict] = field(default_factory=dict)

    @classmethod
    def open(
        cls, root: Path, spec: ComponentSpec, version: str, deadline_s: float
    ) -> "VerdictCache":
        """Read what is kept for a grader of this version and these options."""
        identity = repr((spec.target, sorted(spec.options.items()), version)).encode()
        digest = hashlib.sha256(identity).hexdigest()[:16]
        cache = cls(root / f"{spec.name}-{digest}", deadline_s)
        cache.folder.mkdir(parents=True, exist_ok=True)
        cache._known = _best_of_each(_read(cache._files()))
        return cache

    def merge(self) -> None:
        """Put many files into one."""
        files = self._files()
        if len(files) > _MANY_FILES:
            self._write(_best_of_each(_read(files)))
            for file in files:
                file.unlink(missing_ok=True)

    def find(self, keys: Sequence[bytes]) -> list[Verdict | None]:
        """What is kept for each key, None where nothing is."""
        wanted = np.frombuffer(b"".join(keys), _KEY)
        high = self._known.column("high").to_numpy()
        if not len(high):
            return [self._fresh.get(key) for key in keys]
        at = np.minimum(np.searchsorted(high, wanted["high"]), len(high) - 1)
        verdict = self._known.column("verdict").to_numpy()[at]
        late = self._known.column("deadline_s").to_numpy()[at] >= np.float32(self.deadline_s)
        held = (
            (high[at] == wanted["high"])
            & (self._known.column("low").to_numpy()[at] == wanted["low"])
            & ((verdict != _TIMEOUT) | late)
        )
        return [
            _KEPT[code] if is_held else self._fresh.get(key)
            for key, code, is_held in zip(keys, verdict.tolist(), held.tolist(), strict=True)
        ]

    def keep(self, keys: Sequence[bytes], verdicts: Sequence[Verdict]) -> None:
        """Keep new verdicts, errors excepted, in memory and on disk."""
        new = {k: v for k, v in zip(keys, verdicts, strict=True) if v in _KEPT}
        if not new:
            return
        if len(self._fresh) + len(new) > _MOST_FRESH:
            self._fresh.clear()
        self._fresh.update(new)
        halves = np.frombuffer(b"".join(new), _KEY)
        codes = np.array([_KEPT.index(verdict) for verdict in new.values()], np.int8)
        deadlines = np.full(len(new), self.deadline_s, np.float32)
        self._write(pa.table([halves["high"], halves["low"], codes, deadlines], schema=_SCHEMA))

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def _write(self, table: pa.Table) -> None:
        commit(table, self.folder / f"{uuid.uuid4().hex}.parquet")


def commit(table: pa.Table, path: Path) -> None:
    """Write a Parquet file whole or not at all.

    Raises:
        OSError: The disk is full or the folder is gone.
    """
    with whole(path) as stream:
        pq.write_table(table, stream, compression="zstd")


def _read(files: Sequence[Path]) -> pa.Table:
    tables = [_SCHEMA.empty_table()]
    for file in files:
        # Another run may have merged it away meanwhile; its verdicts are then made again.
        with contextlib.suppress(FileNotFoundError):
            tables.append(pq.read_table(file, schema=_SCHEMA))
    return pa.concat_tables(tables)


def _best_of_each(table: pa.Table) -> pa.Table:
    """Sort by key; of equal keys keep a verdict before a timeout, the longest timeout first."""
    high, low = (table.column(name).to_numpy() for name in ("high", "low"))
    timeout = table.column("verdict").to_numpy() == _TIMEOUT
    deadline = table.column("deadline_s").to_numpy()
    order = np.lexsort((-deadline, timeout, low, high))
    first: npt.NDArray[np.bool_] = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(high[order]) != 0) | (np.diff(low[order]) != 0)
    return table.take(order[first]).combine_chunks()
