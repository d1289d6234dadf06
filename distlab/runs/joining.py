"""Several runs, as a sweep leaves them, read as one study; reruns of its cells apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from distlab.errors import UserError
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest

_Value = TypeVar("_Value")
_Number = TypeVar("_Number", int, float)
# Fields of an address in which reruns of a cell differ, and in no other.
RERUN_FIELDS: Final = ("seed", "replicate")


@dataclass(frozen=True, slots=True)
class JoinedRuns:
    """Several runs as one study.

    A cell that an earlier run has under another seed or replicate is a rerun of that cell. Where a
    run has reruns, its other cells may be those of an earlier run, samples and all: greedy samples
    know no seed.

    Attributes:
        manifest: What ran, without reruns.
        firsts: Of each run, the keys of the cells whose verdicts the study takes from it.
        reruns: Of each run, the keys of its cells that are reruns.
    """

    manifest: Manifest
    firsts: tuple[frozenset[str], ...]
    reruns: tuple[frozenset[str], ...]


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


def join(manifests: Sequence[Manifest]) -> JoinedRuns:
    """Take several runs as one study.

    Args:
        manifests: At least one.

    Raises:
        UserError: Two runs hold the same cell, and it is no rerun.
    """
    seen: dict[str, Manifest] = {}
    firsts, reruns = [], []
    for manifest in manifests:
        again = {cell.key: seen[cell.key] for cell in manifest.cells if cell.key in seen}
        drawn_again = frozenset(key for key in again if _is_rerun(again[key], manifest, key))
        shared = {key: earlier for key, earlier in again.items() if key not in drawn_again}
        _check_shared(shared, manifest, has_reruns=bool(drawn_again))
        own = [cell.key for cell in manifest.cells if cell.key not in seen]
        seen |= dict.fromkeys(own, manifest)
        firsts.append(frozenset(own))
        reruns.append(drawn_again)
    parts = [only(manifest, keys) for manifest, keys in zip(manifests, firsts, strict=True)]
    return JoinedRuns(_as_one(parts), tuple(firsts), tuple(reruns))


def only(manifest: Manifest, keys: frozenset[str]) -> Manifest:
    """A manifest with some of its cells, and nothing of the others."""
    return replace(
        manifest,
        cells=tuple(cell for cell in manifest.cells if cell.key in keys),
        failures=tuple(row for row in manifest.failures if row.cell in keys),
        fingerprints={k: v for k, v in manifest.fingerprints.items() if k in keys},
        tokens={k: v for k, v in manifest.tokens.items() if k in keys},
        decisions=tuple(d for d in manifest.decisions if {d.base, d.instruct} <= keys),
    )


def rerun_fields(manifest: Manifest, key: str) -> dict[str, Any]:
    """What a cell's address has of the fields in which reruns differ, where it has any."""
    fields = manifest.fingerprints.get(key, {})
    return {name: fields[name] for name in RERUN_FIELDS if fields.get(name) is not None}


def _is_rerun(earlier: Manifest, later: Manifest, key: str) -> bool:
    one, two = earlier.fingerprints.get(key), later.fingerprints.get(key)
    return one is not None and two is not None and one != two and not _differing(one, two)


def _differing(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    """Fields of two addresses that tell them apart, other than those of reruns."""
    names = dict.fromkeys((*one, *two))
    return [n for n in names if n not in RERUN_FIELDS and one.get(n) != two.get(n)]


def _check_shared(shared: Mapping[str, Manifest], later: Manifest, *, has_reruns: bool) -> None:
    """Refuse cells that earlier runs have, unless they are the same and others were drawn again."""
    ours = {cell.key: cell.fingerprint for cell in later.cells}
    for key, earlier in shared.items():
        theirs = next(cell.fingerprint for cell in earlier.cells if cell.key == key)
        if theirs != ours[key]:
            one, two = (run.fingerprints.get(key, {}) for run in (earlier, later))
            raise _refused(earlier, later, key, _differing(one, two))
    if shared and not has_reruns:
        key, earlier = next(iter(shared.items()))
        raise _refused(earlier, later, key, ())


def _refused(earlier: Manifest, later: Manifest, key: str, differing: Sequence[str]) -> UserError:
    how = f" (with another {', '.join(differing)})" if differing else ""
    runs = f"the runs {earlier.run} and {later.run}"
    if earlier.run == later.run:
        # As where a run folder was copied.
        runs = f"two folders of the run {earlier.run}"
    return UserError(
        f"{runs} both have the cell {key}{how}, so they are no one "
        "study; report on one of them, put them side by side with `python -m distlab.compare`, or "
        "draw a rerun of it with another `seed` or `replicate`"
    )


def _as_one(manifests: Sequence[Manifest]) -> Manifest:
    first, *others = manifests
    if not others:
        return first
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
        tokens=_merged([manifest.tokens for manifest in manifests]),
        notes=tuple(_joined_notes(manifests)),
        readings=_merged([manifest.readings for manifest in manifests]),
        decisions=tuple(row for manifest in manifests for row in manifest.decisions),
    )


def _joined_notes(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Every note once, with the runs that have it where not all do."""
    having: dict[str, dict[str, None]] = {}
    for manifest in manifests:
        for note in manifest.notes:
            having.setdefault(note, {})[manifest.run] = None
    runs = {manifest.run for manifest in manifests}
    for note, some in having.items():
        yield note if set(some) == runs else f"{', '.join(some)}: {note}"


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
