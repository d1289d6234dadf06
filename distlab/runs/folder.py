"""The run folder: what a run leaves for `score`, `report` and people.

    manifest.json        what ran: config, cells, fingerprints, versions, timings, failures
    config.yaml          the composed Hydra config
    log.txt              engine and Ray output
    events.jsonl         what happened to engines: starts, deaths, problems set aside
    problems/NAME.parquet  the problems of each dataset, golds included
    verdicts/*.parquet   one row per sample, extractor and grader
    labels/*.parquet     what an ingested file said of its samples; scoring leaves it alone
    nulls/NAME.parquet   verdicts on the answers of a model that reads no question
    report.html, report.md, results/  what they say

Samples are not here: they are in the store, shared by all runs. Where run and store were moved,
the store is looked for in the run folder and beside it.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Final

from distlab.errors import UserError
from distlab.files import alone, folder_name, held, whole
from distlab.runs.decisions import Decision
from distlab.runs.manifest import Manifest
from distlab.store.cell import Cell, ProblemFailure

# Folder of the samples inside of a run folder that was bundled.
BESIDE: Final = "store"
_LOCK: Final = ".lock"
# Beside verdict files while they are made, and after a scoring that did not come to its end.
_IN_PART: Final = ".in-part"
# What a new folder may hold: the lock, and what Hydra writes before a sweep begins.
_NEW: Final = {_LOCK, "multirun.yaml"}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths inside a run folder, and its manifest.

    Attributes:
        path: The folder.
        store: Where its samples are; None for where its manifest says, or beside it.
    """

    path: Path
    store: str | None = None

    @property
    def manifest_file(self) -> Path:
        """``manifest.json``."""
        return self.path / "manifest.json"

    @property
    def log(self) -> Path:
        """Engine and Ray output."""
        return self.path / "log.txt"

    @property
    def events(self) -> Path:
        """What happened to engines, one JSON object per line."""
        return self.path / "events.jsonl"

    @property
    def verdicts(self) -> Path:
        """Folder of verdict Parquet files."""
        return self.path / "verdicts"

    @property
    def labels(self) -> Path:
        """Folder of Parquet files of labels that came with the samples."""
        return self.path / "labels"

    @property
    def html(self) -> Path:
        """``report.html``."""
        return self.path / "report.html"

    @property
    def results(self) -> Path:
        """Folder of the report's tables and figures as files."""
        return self.path / "results"

    @property
    def report(self) -> Path:
        """``report.md``."""
        return self.path / "report.md"

    def problems(self, dataset: str) -> Path:
        """Parquet file of one dataset's problems."""
        return self.path / "problems" / f"{folder_name(dataset)}.parquet"

    def nulls(self, dataset: str) -> Path:
        """Parquet file of the null model's verdicts on one dataset."""
        return self.path / "nulls" / f"{folder_name(dataset)}.parquet"

    def alone(self, waiting: Callable[[], None]) -> AbstractContextManager[None]:
        """Keep other processes from scoring and reporting this run for a block.

        Two at once would leave the verdicts of both, and a report on some of each.

        Args:
            waiting: Called once, before waiting for another process.
        """
        return alone(self.verdicts / ".lock", waiting)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Make verdicts in the block: unless it ends in order, the run counts as not scored.

        Where it was refused before it changed a verdict, the run stays what it was.

        Raises:
            OSError: The folder cannot be written.
        """
        mark = self.verdicts / _IN_PART
        mark.parent.mkdir(parents=True, exist_ok=True)
        was_in_part, before = mark.exists(), self._verdict_stamps()
        mark.touch()
        try:
            yield
        except UserError:
            if not was_in_part and self._verdict_stamps() == before:
                mark.unlink(missing_ok=True)
            raise
        mark.unlink(missing_ok=True)

    def _verdict_stamps(self) -> list[tuple[Path, int]]:
        return [(file, file.stat().st_mtime_ns) for file in self.verdict_files()]

    @property
    def is_in_part(self) -> bool:
        """Whether a scoring began that has not come to its end."""
        return (self.verdicts / _IN_PART).exists()

    @property
    def is_scored(self) -> bool:
        """Whether there are verdicts, and those of all samples."""
        return bool(self.verdict_files()) and not self.is_in_part

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace ``manifest.json`` in one step."""
        # ASCII, so that a lone surrogate in an error message cannot stop the manifest.
        with whole(self.manifest_file) as stream:
            stream.write(f"{json.dumps(asdict(manifest), indent=2)}\n".encode("ascii"))

    def read_manifest(self) -> Manifest:
        """Read ``manifest.json``.

        Raises:
            UserError: The folder has none, or it is not one of ours, or the store that was named
                holds no cell of the run.
        """
        try:
            raw = json.loads(self.manifest_file.read_text(encoding="utf-8"))
            read = Manifest(
                **{
                    **raw,
                    "cells": tuple(map(Cell.from_json, raw["cells"])),
                    "failures": tuple(ProblemFailure(**row) for row in raw["failures"]),
                    "decisions": tuple(map(Decision.from_json, raw.get("decisions", ()))),
                }
            )
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(
                f"{self.path} is not a run folder: it has no manifest.json; "
                "name a folder below `runs/`"
            ) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self.manifest_file} cannot be read: {error}") from error
        return replace(read, store=self._store_of(read))

    def _store_of(self, manifest: Manifest) -> str:
        """Where the samples are: as the manifest says, or beside the run where they were moved.

        A folder is taken for the store only where it holds a cell of the run, whose path has the
        hash of all that shaped its samples.

        Raises:
            UserError: A store was named that holds none.
        """
        if self.store is not None:
            if "://" in self.store or _holds(Path(self.store), manifest):
                return self.store
            cell = manifest.cells[0].path if manifest.cells else "any"
            raise UserError(
                f"--store {self.store} holds no cell of {self.path}: name the folder in which "
                f"{cell} lies"
            )
        if "://" in manifest.store or _holds(Path(manifest.store), manifest):
            return manifest.store
        here, name = self.path.absolute(), Path(manifest.store).name
        beside = (each / name for each in here.parents[:3])
        for place in (here / BESIDE, *beside):
            if _holds(place, manifest):
                return str(place)
        return manifest.store

    def verdict_files(self) -> list[Path]:
        """Parquet files of verdicts, by name."""
        return sorted(self.verdicts.rglob("*.parquet"))

    def label_files(self) -> list[Path]:
        """Parquet files of labels, by name."""
        return sorted(self.labels.glob("*.parquet"))

    def unscored(self, manifest: Manifest) -> UserError:
        """The sentence for a run that is not scored.

        Args:
            manifest: Its manifest.
        """
        some = self.is_in_part and self.verdict_files()
        has = "verdicts on some samples alone" if some else "no verdicts"
        return UserError(
            f"{self.path} has {has}: run `python -m distlab.score "
            f"{shlex.quote(str(self.path))}` first{manifest.to_resume}"
        )


@contextmanager
def occupied(wanted: Path) -> Iterator[RunFolder]:
    """A folder for the block that no other process writes; removed at the end if it is empty.

    Args:
        wanted: The folder; made if missing. What an earlier run left in it stays.

    Raises:
        UserError: Another process writes it.
        OSError: It cannot be made.
    """
    with _tried(wanted) as is_ours:
        if not is_ours:
            raise UserError(
                f"{wanted} is in use by another process: wait until it ends, or name another folder"
            )
        yield RunFolder(wanted)


@contextmanager
def occupied_new(wanted: Path) -> Iterator[RunFolder]:
    """As ``occupied``, but a folder that holds nothing: where ``wanted`` does, with a number.

    Raises:
        OSError: It cannot be made.
    """
    for number in chain((1,), count(2)):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        with _tried(path) as is_ours:
            if is_ours and {file.name for file in path.iterdir()} <= _NEW:
                yield RunFolder(path)
                return


@contextmanager
def _tried(folder: Path) -> Iterator[bool]:
    """Whether a folder could be had for the block; an empty one is removed at its end."""
    try:
        with held(folder / _LOCK) as is_ours:
            yield is_ours
    finally:
        with suppress(OSError):  # there is something in it
            folder.rmdir()


def _holds(store: Path, manifest: Manifest) -> bool:
    """Whether a folder holds a cell of a run."""
    return any((store / cell.path).is_dir() for cell in manifest.cells)
