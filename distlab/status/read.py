"""Reads what stores, runs and sweeps have; changes nothing."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pyarrow.fs as pafs

from distlab.errors import UserError
from distlab.problems import read_problems
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.status.cell_status import CellStatus
from distlab.store.asks import Ask, read_asks, settled, wanted
from distlab.store.claims import Witness, claims_on
from distlab.store.columns import strings
from distlab.store.repeats import first_of_each
from distlab.store.store import SHARD, Store, StoredCell


def store_status(store: Store) -> tuple[CellStatus, ...]:
    """Every cell of a store against all that runs have asked of it.

    Raises:
        UserError: A record is damaged.
        OSError: The store does not answer.
    """
    witness = Witness(store)
    found = []
    for cell in store.cells():
        asks = read_asks(cell)
        failures = {problem: why for ask in asks for problem, why in ask.failures.items()}
        found.append(_status(cell, wanted(asks), failures, asks, witness))
    return tuple(found)


def run_status(folders: Iterable[RunFolder]) -> tuple[CellStatus, ...]:
    """The cells of some runs, each once, against what the runs want of them.

    Raises:
        UserError: A run folder or a record cannot be read, or the stores have no cell of them.
        OSError: A store does not answer.
    """
    stores: dict[str, Store] = {}
    found: dict[tuple[str, str], _Wanted] = {}
    for folder in folders:
        manifest = folder.read_manifest()
        if manifest.store not in stores:
            stores[manifest.store] = Store.look(manifest.store)
        for path, want in _wanted(folder, manifest).items():
            found.setdefault((manifest.store, path), _Wanted({}, {})).add(want)
    if found and not any(stores[uri].cell(path).exists() for uri, path in found):
        uri, path = next(iter(found))
        raise UserError(
            f"the store {uri} has no cell {path}: its samples are gone, or the store was moved; "
            "name where it is with --store, or put it beside the run folder"
        )
    witnesses = {uri: Witness(store) for uri, store in stores.items()}
    return tuple(
        _status(cell, want.samples, want.failures, read_asks(cell), witnesses[uri])
        for (uri, path), want in found.items()
        for cell in [stores[uri].cell(path)]
    )


class _Wanted:
    """Samples per problem that runs want of a cell, and the problems that failed."""

    def __init__(self, samples: dict[str, int], failures: dict[str, str]) -> None:
        self.samples = samples
        self.failures = failures

    def add(self, other: "_Wanted") -> None:
        for problem, n in other.samples.items():
            self.samples[problem] = max(n, self.samples.get(problem, 0))
        self.failures.update(other.failures)


def _wanted(folder: RunFolder, manifest: Manifest) -> dict[str, _Wanted]:
    datasets = dict.fromkeys(cell.dataset for cell in manifest.cells)
    problems = {
        name: [problem.id for problem in read_problems(folder.problems(name))] for name in datasets
    }
    return {
        cell.path: _Wanted(
            dict.fromkeys(problems[cell.dataset], cell.n),
            {
                failure.problem_id: failure.error
                for failure in manifest.failures
                if failure.cell == cell.key and not failure.set_aside
            },
        )
        for cell in manifest.cells
    }


def _status(
    cell: StoredCell,
    asked: Mapping[str, int],
    failures: Mapping[str, str],
    asks: Sequence[Ask],
    witness: Witness,
) -> CellStatus:
    held, runs, unreadable = _held(cell)
    done = {p: sum(rank < n for rank in held.get(p, ())) for p, n in asked.items()}
    enough = settled(asks)
    want = {p: done[p] if p in enough else n for p, n in asked.items()}
    lost = {p: why for p, why in failures.items() if p in want and not done[p]}
    return CellStatus(
        name=cell.name,
        samples=sum(map(len, held.values())),
        wanted=sum(want.values()),
        done=sum(done.values()),
        missing=sum(n - done[p] for p, n in want.items() if p not in lost),
        failed=lost,
        last=_last_commit(cell),
        runs=runs,
        drawing=_drawing(cell, witness),
        stopped=asks[-1].stopped if asks else "",
        unreadable=unreadable,
    )


def _held(
    cell: StoredCell,
) -> tuple[dict[str, set[int]], Mapping[str, int], tuple[str, ...]]:
    """Ranks by problem, samples by the run that drew them, and why shards cannot be read.

    A repeated sample counts once.
    """
    table, unreadable = cell.readable_samples(["problem_id", "rank", "run"])
    table = table.take(first_of_each(table, ("problem_id", "rank")))
    held: dict[str, set[int]] = {}
    for problem, rank in zip(*(table.column(i).to_pylist() for i in range(2)), strict=True):
        held.setdefault(problem, set()).add(rank)
    return held, Counter(strings(table.column("run"))), unreadable


def _last_commit(cell: StoredCell) -> datetime.datetime | None:
    inside = pafs.FileSelector(cell.path, allow_not_found=True)
    infos = cell.store.fs.get_file_info(inside)
    commits = (info.mtime for info in infos if SHARD.fullmatch(info.base_name))
    return max((commit for commit in commits if commit is not None), default=None)


def _drawing(cell: StoredCell, witness: Witness) -> str:
    drivers = (witness.living(driver_id) for driver_id, _ in claims_on(cell))
    return next((driver.run for driver in drivers if driver is not None), "")
