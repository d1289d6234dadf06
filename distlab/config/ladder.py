"""A model's checkpoints in the config: base and instruct, or the stages and steps of a ladder."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from omegaconf import DictConfig, OmegaConf

from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.checkpoints.unfinished import unfinished
from distlab.config.entries import typed
from distlab.config.refusal import refuse
from distlab.config.schema import StageConfig, StepsConfig
from distlab.errors import UserError
from distlab.files import expanded

_PAIR: Final = (BASE, INSTRUCT)


def checkpoint_nodes(model: DictConfig) -> dict[str, DictConfig]:
    """Key below ``model`` to the node of each checkpoint, in order."""
    if is_ladder(model):
        nodes = {f"stages.{place}": node for place, node in enumerate(model.stages)}
        return {key: node for key, node in nodes.items() if OmegaConf.is_dict(node)}
    return {variant: model[variant] for variant in _PAIR}


def is_ladder(model: DictConfig) -> bool:
    """Whether the checkpoints are stages, and not base and instruct."""
    return bool(model.stages) or model.steps is not None


def lacks_id(node: DictConfig | None) -> bool:
    """Whether a checkpoint's node names none."""
    name = None if node is None or OmegaConf.is_missing(node, "id") else node.get("id")
    return name is None or not str(name).strip()


def write_out(model: DictConfig) -> None:
    """Give the stages of a ladder their types and its steps the form of stages; a pair stays.

    Raises:
        UserError: A stage or the steps are not as the schema has them, or there is a pair too.
    """
    if not is_ladder(model):
        return
    for variant in _PAIR:
        if not lacks_id(model[variant]):
            raise UserError(
                f"`model.{variant}.id` is given and `model.stages` or `model.steps` too: with "
                "stages of your own take model=pair, and name base as the first of them"
            )
        model[variant] = None
    stages = [
        typed(f"model.stages.{place}", StageConfig, raw) for place, raw in enumerate(model.stages)
    ]
    if model.steps is not None:
        steps = typed("model.steps", StepsConfig, model.steps)
        stages += map(OmegaConf.structured, _steps(steps, model))
    model.stages, model.steps = stages, None


def _steps(steps: StepsConfig, model: DictConfig) -> Iterator[StageConfig]:
    """The stages that steps stand for."""
    if (steps.id is None) == (steps.folder is None):
        raise UserError("`model.steps` needs one of `id` and `folder`: name where the steps are")
    if steps.folder is not None:
        yield from _in_folder(steps, model)
        return
    if not steps.revisions:
        refuse("model.steps.revisions", [], f"name revisions of {steps.id}, the earliest first")
    for revision in steps.revisions:
        name = re.sub(r"[^A-Za-z0-9._+-]", "-", revision)
        yield StageConfig(
            id=str(steps.id), source="hub", revision=revision, name=name, format=steps.format
        )


def _in_folder(steps: StepsConfig, model: DictConfig) -> Iterator[StageConfig]:
    folder = Path(expanded(str(steps.folder)))
    if not folder.is_dir():
        refuse("model.steps.folder", str(folder), "name a folder that is there")
    found = step_folders(folder, steps.pattern)
    if not found:
        refuse("model.steps.folder", steps.folder, "no folder in it has a name of the pattern")
    lacks = {path: unfinished(path) for path in found}
    if None not in lacks.values():
        remedy = f"none of its checkpoints is whole (in {found[0].name}: {lacks[found[0]]})"
        refuse("model.steps.folder", steps.folder, f"{remedy}; wait for one, or name another")
    for path, lack in lacks.items():
        if lack is not None:
            model.notes = [*model.notes, f"{path.name} is left out: {lack}."]
            continue
        yield StageConfig(id=str(path), source="local", name=path.name, format=steps.format)


def step_folders(folder: Path, pattern: str, key: str = "model.steps.pattern") -> list[Path]:
    """The folders of a training's checkpoints, by step.

    Args:
        folder: Holds them.
        pattern: Is found in their names; the first group is the step, a whole number.
        key: What gives the pattern, for the sentence.

    Raises:
        UserError: The pattern is none.
    """
    try:
        step = re.compile(pattern)
    except re.error as error:
        refuse(key, pattern, f"it is no regular expression ({error})")
    if step.groups < 1:
        refuse(key, pattern, r"put the step in brackets, as in step-(\d+)")
    found: dict[Path, int] = {}
    for path in folder.iterdir():
        match = step.search(path.name)
        if match is not None and path.is_dir() and not path.name.startswith("."):
            if not str(match[1]).isdecimal():
                refuse(key, pattern, f"in {path.name} it finds no whole number")
            found[path] = int(match[1])
    return sorted(found, key=lambda path: (found[path], path.name))
