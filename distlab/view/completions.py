r"""Completions: their texts in one DuckDB file, for searches over a million of them.

The file is made of the store at the first search and kept in the cache folder under a digest of
what it holds, so that the next view of the same run has it at once. A substring search reads all
of it, compressed (measured in ``docs/benchmarks.md``). An index of words would find no
``\boxed{7}``, and one of trigrams is larger than the text.
"""

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillAtIt
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb

from distlab.errors import UserError
from distlab.files import cache_folder
from distlab.view.texts import Texts

# The table of the texts, once ``Completions.is_ready``.
_TEXTS: Final = "completions.text"
# Searches whose finds are remembered (ours).
_RECENT: Final = 32
# Of the file; raise it with every change of what is in it.
_FORMAT: Final = 1
# Files of earlier runs that are left in the cache folder (ours).
_KEPT: Final = 8
_SUFFIX: Final = ".duckdb"

_INSERT: Final = """
INSERT INTO making.text
SELECT number, lower(text) FROM (
    SELECT DISTINCT ON (number) sample.number, shard.text
    FROM shard
    JOIN cells ON cells.name = ?
    JOIN problems ON problems.dataset = cells.dataset AND problems.name = shard.problem_id
    JOIN sample ON sample.cell = cells.place AND sample.problem = problems.place
               AND sample.rank = shard.rank
) AS found
WHERE number NOT IN (SELECT number FROM making.text)
ORDER BY number
"""


class Completions:
    """The texts of a run's samples, searchable after a while.

    Args:
        db: The run's tables: ``sample``, ``cells`` and ``problems``.
        texts: Where the texts are.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, texts: Texts) -> None:
        self._db = db
        self._texts = texts
        self._lock = threading.Lock()
        self._work: Future[None] | None = None
        self.read = 0

    @property
    def total(self) -> int:
        """Shards to read."""
        return len(self._texts.shards)

    def is_ready(self, patience: float) -> bool:
        """Whether ``TEXTS`` can be asked; the first call begins to make it.

        Args:
            patience: Seconds to wait for it.

        Raises:
            UserError: A shard is damaged, or the cache folder cannot be written. The next call
                tries again.
        """
        work = self._begun()
        try:
            work.result(patience)
        except StillAtIt:
            return False
        except (OSError, duckdb.Error) as error:
            self._forget()
            raise UserError(
                f"completions cannot be searched: {error}; DISTLAB_CACHE names another folder for "
                "what is kept"
            ) from error
        except UserError:
            self._forget()
            raise
        return True

    def _begun(self) -> Future[None]:
        with self._lock:
            if self._work is None:
                self._work = Future()
                # Not a pool's thread: Python would wait for it at the end.
                threading.Thread(target=self._run, args=(self._work,), daemon=True).start()
            return self._work

    def _forget(self) -> None:
        with self._lock:
            self._work = None

    def _run(self, work: Future[None]) -> None:
        try:
            self._attach()
        except Exception as error:
            work.set_exception(error)
        else:
            work.set_result(None)

    def _attach(self) -> None:
        folder = cache_folder() / "completions"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self._digest()}{_SUFFIX}"
        if not file.exists():
            self._make(file)
            _drop_old(folder, file)
        self._db.cursor().execute(f"ATTACH {_quoted(file)} AS completions (READ_ONLY)")

    def _digest(self) -> str:
        """Of the samples, their numbers and the shards that have their texts."""
        (rows,) = (
            self._db.cursor()
            .execute("SELECT count(*), bit_xor(hash(number, cell, problem, rank)) FROM sample")
            .fetchall()
        )
        facts = (_FORMAT, duckdb.__version__, rows, self._texts.shards)
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _make(self, file: Path) -> None:
        """Write the file under a draft's name, then rename it."""
        draft = file.with_name(f".{file.stem}-{threading.get_native_id()}.tmp")
        cursor = self._db.cursor()
        try:
            cursor.execute(f"ATTACH {_quoted(draft)} AS making")
            try:
                cursor.execute("CREATE TABLE making.text (number INTEGER, text VARCHAR)")
                for cell, path in self._texts.shards:
                    table = self._texts.shard(cell, path, ["problem_id", "rank", "text"])
                    cursor.register("shard", table)
                    cursor.execute(_INSERT, [cell])
                    cursor.unregister("shard")
                    self.read += 1
            finally:
                cursor.execute("DETACH making")
            draft.rename(file)
        finally:
            draft.unlink(missing_ok=True)
            self.read = 0


class Finds:
    """What recent searches found, each in a table: other pages of its list read no text again.

    Args:
        db: Where ``Completions`` are.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, str] = OrderedDict()
        self._made = 0

    def table(self, sought: str) -> str:
        """A table with the ``number`` of each sample whose completion has a text, without case."""
        with self._lock:
            if sought not in self._tables:
                self._search(sought)
            self._tables.move_to_end(sought)
            return self._tables[sought]

    def _search(self, sought: str) -> None:
        cursor = self._db.cursor()
        if len(self._tables) == _RECENT:
            _, oldest = self._tables.popitem(last=False)
            cursor.execute(f"DROP TABLE {oldest}")
        self._made += 1
        name = f"find_{self._made}"
        found = f"SELECT number FROM {_TEXTS} WHERE contains(text, lower(?))"
        cursor.execute(f"CREATE TABLE {name} AS {found}", [sought])
        self._tables[sought] = name


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _drop_old(folder: Path, file: Path) -> None:
    """Leave the newest files; one that another view has open lives on until it ends."""
    others = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda one: one.stat().st_mtime, reverse=True)
    for one in others[_KEPT:]:
        if one != file:
            # Another view may have dropped it a moment ago.
            with suppress(OSError):
                one.unlink()
