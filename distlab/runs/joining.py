"""Several runs, as a sweep leaves them, read as one study."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from distlab.errors import UserError
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest

_Value = TypeVar("_Value")
_Number = TypeVar("_Number", int, float)


def runs_in(folder: Path) -> list[Path]:
    """The run folders that a path stands for: itself, or those a sweep left in it.

    Args:
        folder: A run folder, or the folder of a sweep.

    Returns:
        Run folders, by name; the path alone where it holds none, for a reader to refuse.
    """
    if RunFolder(folder).manifest_file.exists() or not folder.is_dir():
        return [folder]
    jobs = [path for path in folder.iterdir() if RunFolder(path).manifest_file.exists()]
    return sorted(jobs, key=lambda path: (len(path.name), path.name)) or [folder]


def unscored_runs(runs: Sequence[Path]) -> list[UserError]:
    """What to say of runs that are not scored beside others that are.

    Args:
        runs: Run folders.

    Raises:
        UserError: None is scored, and none says that it has no sample to judge; or one is no run
            folder.
    """
    folders = list(map(RunFolder, runs))
    bare = [(folder, folder.read_manifest()) for folder in folders if not folder.is_scored]
    waiting = [f.unscored(run) for f, run in bare if f.is_in_part or not run.failures]
    if waiting and len(waiting) == len(folders):
        raise waiting[0]
    return waiting


def join(manifests: Sequence[Manifest]) -> Manifest:
    """The manifest of several runs as one; of one run, its own.

    Args:
        manifests: At least one.

    Raises:
        UserError: Two runs hold the same cell.
    """
    first, *others = manifests
    if not others:
        return first
    seen: dict[str, Manifest] = {}
    for manifest in manifests:
        for cell in manifest.cells:
            if (earlier := seen.setdefault(cell.key, manifest)) is not manifest:
                raise UserError(
                    f"the runs {earlier.run} and {manifest.run} both have the cell {cell.key}, so "
                    "they are no one study; report on one of them, or put them side by side with "
                    "`python -m distlab.compare`"
                )
    return replace(
        first,
        run=" + ".join(manifest.run for manifest in manifests),
        command="\n".join(dict.fromkeys(manifest.command for manifest in manifests)),
        cells=tuple(cell for manifest in manifests for cell in manifest.cells),
        failures=tuple(row for manifest in manifests for row in manifest.failures),
        fingerprints=_merged([manifest.fingerprints for manifest in manifests]),
        datasets=_merged([manifest.datasets for manifest in manifests]),
        versions=_joined_texts([manifest.versions for manifest in manifests]),
        host=_joined_texts([manifest.host for manifest in manifests]),
        timings_s=_added([manifest.timings_s for manifest in manifests]),
        counts=_added([manifest.counts for manifest in manifests]),
        notes=tuple(f"{manifest.run}: {note}" for manifest in manifests for note in manifest.notes),
        readings=_merged([manifest.readings for manifest in manifests]),
        decisions=tuple(row for manifest in manifests for row in manifest.decisions),
    )


def parameters(manifests: Sequence[Manifest]) -> dict[str, float]:
    """Family to its number of parameters, where its run's config says it."""
    sizes: dict[str, float] = {}
    for manifest in manifests:
        size = manifest.config.get("model", {}).get("parameters")
        if size is not None:
            sizes |= {cell.family: float(size) for cell in manifest.cells}
    return sizes


def _merged(maps: Sequence[Mapping[str, _Value]]) -> dict[str, _Value]:
    return {key: value for each in maps for key, value in each.items()}


def _added(maps: Sequence[Mapping[str, _Number]]) -> dict[str, _Number]:
    keys = dict.fromkeys(key for each in maps for key in each)
    return {key: sum(each.get(key, 0) for each in maps) for key in keys}


def _joined_texts(maps: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Every different value of a key."""
    keys = dict.fromkeys(key for each in maps for key in each)
    return {
        key: " | ".join(dict.fromkeys(str(each[key]) for each in maps if key in each))
        for key in keys
    }
