"""A study's overrides, made fit for another folder or another machine."""

import hashlib
import re
import sysconfig
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from distlab.checkpoints.checkpoint import recognised_source
from distlab.config.compose import compose_config
from distlab.config.derive import family_name
from distlab.config.door import validate
from distlab.config.ladder import checkpoint_nodes, lacks_id
from distlab.config.own_parts import own_conf_folders
from distlab.config.quoting import quoted
from distlab.config.sweeps import sweep_jobs
from distlab.errors import Unavailable, UserError
from distlab.files import expanded
from distlab.importing import origin

MULTIRUN = ("-m", "--multirun")
# Files of a dataset, and all paths whose keys do not depend on the study.
_FILES = ("path", "train_path")
_PATHS = ("store", "runs", *(f"dataset.{key}" for key in _FILES))
_DIGEST = 10
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def composed(overrides: Sequence[str]) -> list[DictConfig]:
    """The config of each job that the overrides stand for, checked as a run would check it.

    A checkpoint that says what the config leaves to it may be where the run is and not here: then
    the rest is checked there.

    Raises:
        UserError: A run would refuse one.
    """
    configs = [compose_config(job) for job in sweep_jobs(unflagged(overrides))]
    for config in configs:
        with suppress(Unavailable):
            validate(config)
    return configs


def unflagged(overrides: Sequence[str]) -> list[str]:
    """The overrides without Hydra's flag of a sweep."""
    return [override for override in overrides if override not in MULTIRUN]


def anchored(
    overrides: Sequence[str],
    config: DictConfig,
    below: Path | None = None,
    along: Set[str] = frozenset(),
    mounts: Sequence[str] = (),
) -> list[str]:
    """The overrides with paths that mean the same in another folder or on another machine.

    Args:
        overrides: As typed.
        config: Composed from them.
        below: What relative paths are below over there; None for this folder, where it is shared.
        along: Names of files and folders that go along, so that paths in YAML that begin with one
            of them stay as they are.
        mounts: Folders that are there too, where relative paths are below one.

    Raises:
        UserError: A path is absolute, and only what is below ``below`` and the mounts is there.
    """
    moved = {}
    typed = {override.partition("=")[0].lstrip("+") for override in overrides}
    for key in (*_PATHS, *_typed_paths(overrides, config)):
        value = OmegaConf.select(config, key)
        if value is None or "://" in value:
            continue
        if key not in typed and Path(value).parts[:1] and Path(value).parts[0] in along:
            continue
        value = expanded(value)
        there = None if below is None else (*mounts, str(below))
        if there and Path(value).is_absolute() and not any(map(Path(value).is_relative_to, there)):
            raise UserError(
                f"`{key}` is {value}: pods have {' and '.join(there)} alone; give a path below "
                "one of them"
            )
        moved[key] = str((below or Path.cwd()) / value)
    return [*overrides, *(f"{key}={quoted(path)}" for key, path in moved.items())]


def _typed_paths(overrides: Sequence[str], config: DictConfig) -> list[str]:
    """Keys of files of datasets and styles, and of local checkpoints where they were typed."""
    files = [f"dataset.sets.{name}.{key}" for name in config.dataset.sets for key in _FILES]
    files += [f"prompt.styles.{name}.exemplars" for name in config.prompt.styles]
    typed = {override.partition("=")[0].lstrip("+") for override in overrides}
    steps = ["model.steps.folder"] if typed & {"model.steps", "model.steps.folder"} else []
    return files + _typed_checkpoints(typed, config) + steps


def own_files(configs: Sequence[DictConfig]) -> list[Path]:
    """What of the user's own a study needs that nobody installed: ``./conf``, and modules.

    A module is a file or a package that the config names as ``module:Class``; what that imports
    beside it is not looked for.
    """
    conf = Path("conf").absolute()
    folders = [conf] if conf in own_conf_folders() else []
    targets = {text for config in configs for text in _texts(OmegaConf.to_container(config))}
    modules = (_module_file(target) for target in sorted(targets) if _TARGET.fullmatch(target))
    return folders + list(dict.fromkeys(file for file in modules if file is not None))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _texts(inner)


def _module_file(target: str) -> Path | None:
    """The file or folder to bring for a target; None for what is built in or installed."""
    folder = origin(target)
    top = target.partition(":")[0].partition(".")[0]
    installed = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))
    if folder is None or top == "distlab" or any(map(folder.is_relative_to, installed)):
        return None
    file = folder / f"{top}.py"
    return file if file.is_file() else folder / top


def _typed_checkpoints(typed: Set[str], config: DictConfig) -> list[str]:
    """Keys of the ids of local checkpoints, those of stages where the list of them was typed."""
    nodes = checkpoint_nodes(config.model).items()
    folders = [key for key, node in nodes if _is_folder(node)]
    return [
        f"model.{key}.id"
        for key in folders
        if typed & {f"model.{key}.id", f"model.{key.partition('.')[0]}"}
    ]


def _is_folder(checkpoint: DictConfig) -> bool:
    if lacks_id(checkpoint):
        return False
    source = checkpoint.get("source") or recognised_source(expanded(checkpoint.id))
    return bool(source == "local")


def study_name(overrides: Sequence[str], config: DictConfig) -> str:
    """A name that the same study has again: a DNS label, at most 40 characters."""
    digest = hashlib.sha256("\0".join(overrides).encode()).hexdigest()[:_DIGEST]
    family = re.sub(r"[^a-z0-9]+", "-", family_name(config.model).lower()).strip("-")
    return f"distlab-{family[:20].strip('-')}-{digest}"
