"""Verdicts kept over runs, by gold, answer and grader version.

    FOLDER/GRADER-DIGEST/*.parquet      key (two 64-bit halves), verdict, deadline_s

Samples are looked up for graders alone that say they are expensive (``cached = True``): that costs
some microseconds, which a string comparison beats. The null model's few verdicts are kept of every
grader. Files are written whole under names of their own,
never changed, and merged by whoever finds many: writers at the same time do not meet. Errors are
not kept; a timeout is, and counts for deadlines up to the one that it overran.

A cache saves time and never ends a run: a damaged file is dropped, and where nothing can be kept
all is judged anew. The log says so.
"""

import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.files import folder_name, whole
from distlab.problems.problem import Gold
from distlab.scoring.types import BY_CODE, CODES, TIMEOUT, ComponentSpec, Verdict
from distlab.scoring.verdict_schema import required

_log = logging.getLogger(__name__)

# Part of a folder's digest: files of another format are never looked at. Raise it with the schema,
# with ``CODES`` and with what is kept.
_FORMAT = 2
_KEPT = (Verdict.CORRECT, Verdict.INCORRECT, Verdict.TIMEOUT)
_KEPT_CODES = [CODES[verdict] for verdict in _KEPT]
_SCHEMA = pa.schema(
    [
        required("high", pa.uint64()),
        required("low", pa.uint64()),
        # As in ``CODES``.
        required("verdict", pa.int8()),
        required("deadline_s", pa.float32()),
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
        identity = repr((_FORMAT, spec.target, sorted(spec.options.items()), version)).encode()
        digest = hashlib.sha256(identity).hexdigest()[:16]
        cache = cls(root / f"{folder_name(spec.name)}-{digest}", deadline_s)
        cache._known = _best_of_each(_read(cache._files()))
        return cache

    def merge(self) -> None:
        """Put many files into one."""
        files = self._files()
        if len(files) > _MANY_FILES and self._write(_best_of_each(_read(files))):
            for file in files:
                _remove(file)

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
            & ((verdict != TIMEOUT) | late)
        )
        return [
            BY_CODE[code] if is_held else self._fresh.get(key)
            for key, code, is_held in zip(keys, verdict.tolist(), held.tolist(), strict=True)
        ]

    def keep(self, verdicts: Mapping[bytes, Verdict]) -> None:
        """Keep new verdicts by their keys, errors excepted, in memory and on disk."""
        new = {key: verdict for key, verdict in verdicts.items() if verdict in _KEPT}
        if not new:
            return
        if len(self._fresh) + len(new) > _MOST_FRESH:
            self._fresh.clear()
        self._fresh.update(new)
        halves = np.frombuffer(b"".join(new), _KEY)
        codes = np.array([CODES[verdict] for verdict in new.values()], np.int8)
        deadlines = np.full(len(new), self.deadline_s, np.float32)
        self._write(pa.table([halves["high"], halves["low"], codes, deadlines], schema=_SCHEMA))

    def _files(self) -> list[Path]:
        try:
            return sorted(self.folder.glob("*.parquet"))
        except OSError as error:
            _log.warning("the verdict cache %s cannot be read: %s", self.folder, error)
            return []

    def _write(self, table: pa.Table) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            commit(table, self.folder / f"{uuid.uuid4().hex}.parquet")
        except OSError as error:
            _log.warning("the verdict cache %s cannot be written: %s", self.folder, error)
            return False
        return True


def commit(table: pa.Table, path: Path) -> None:
    """Write a Parquet file whole or not at all, its pages with checksums.

    Raises:
        OSError: The disk is full or the folder is gone.
    """
    with whole(path) as stream:
        pq.write_table(table, stream, compression="zstd", write_page_checksum=True)


def _read(files: Sequence[Path]) -> pa.Table:
    tables = [_SCHEMA.empty_table()]
    for file in files:
        try:
            tables.append(_checked(pq.ParquetFile(file, page_checksum_verification=True).read()))
        except FileNotFoundError:
            # Another run has merged it away meanwhile; its verdicts are then made again.
            continue
        except Exception as error:
            # Damage raises what it likes, and no verdict here is worth the end of a run.
            _log.warning("%s is damaged (%s): its verdicts are made again", file, error)
            _remove(file)
    return pa.concat_tables(tables)


def _checked(table: pa.Table) -> pa.Table:
    if not table.schema.equals(_SCHEMA):
        raise ValueError("other columns")
    if not np.isin(table.column("verdict").to_numpy(), _KEPT_CODES).all():
        raise ValueError("unknown verdicts")
    return table


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s cannot be removed: %s", file, error)


def _best_of_each(table: pa.Table) -> pa.Table:
    """Sort by key; of equal keys keep a verdict before a timeout, the longest timeout first."""
    high, low = (table.column(name).to_numpy() for name in ("high", "low"))
    timeout = table.column("verdict").to_numpy() == TIMEOUT
    deadline = table.column("deadline_s").to_numpy()
    order = np.lexsort((-deadline, timeout, low, high))
    first: npt.NDArray[np.bool_] = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(high[order]) != 0) | (np.diff(low[order]) != 0)
    return table.take(order[first]).combine_chunks()
