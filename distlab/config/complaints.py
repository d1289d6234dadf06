"""One sentence for what goes wrong at the door, with the nearest names that would have worked."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import OmegaConfBaseException

from distlab.config.schema import StudyConfig
from distlab.errors import UserError


def explain(error: BaseException, conf: Path) -> str | None:
    """The sentence for an error of the config or of ours; None for a fault that needs a traceback.

    Args:
        error: What was raised while composing or running.
        conf: The config folder, for the nearest names.
    """
    match error:
        case UserError():
            return str(error)
        case OverrideParseException():
            return (
                f"the override {error.override!r} cannot be read: write GROUP=OPTION or KEY=VALUE"
            )
        case MissingConfigException() if error.missing_cfg_file:
            return _missing_option(error.missing_cfg_file, conf)
        case ConfigCompositionException() | OmegaConfBaseException() | HydraException():
            return _bad_override(error, conf)
        case PermissionError() | FileNotFoundError() | NotADirectoryError() if error.filename:
            return f"{error.filename} cannot be used ({error.strerror}): set `runs` or `store`"
    return None


def _missing_option(missing: str, conf: Path) -> str:
    group, _, option = missing.rpartition("/")
    if not (conf / group).is_dir() or not group:
        groups = [folder.name for folder in conf.iterdir() if folder.is_dir()]
        return f"there is no config group '{group or missing}'{_nearest(group or missing, groups)}"
    options = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    return f"`{group}` has no option '{option}'{_nearest(option, options)}"


def _bad_override(error: BaseException, conf: Path) -> str:
    cause = error.__cause__ or error
    text = str(error).splitlines()[0]
    if key := re.search(r"Could not override '([^']+)'", text):
        return f"there is no key '{key[1]}'{_nearest(key[1], _keys(conf))}"
    if value := re.search(r"Error merging override (\S+)", text):
        detail = str(cause).splitlines()[0]
        if "not in" in detail and (key := re.search(r"Key '([^']+)'", detail)):
            return f"there is no key '{key[1]}' in {value[1]}{_nearest(key[1], _keys(conf))}"
        return f"`{value[1]}` cannot be set: {detail}"
    full_key = getattr(cause, "full_key", None)
    place = f"`{full_key}`: " if full_key else ""
    return f"{place}{str(cause).splitlines()[0]}"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; take one of {', '.join(known)}" if len(known) <= 20 else "; see --cfg job"


def _keys(conf: Path) -> set[str]:
    groups = {folder.name for folder in conf.iterdir() if folder.is_dir()}
    return groups | set(_dataclass_keys(StudyConfig, ""))


def _dataclass_keys(node: Any, prefix: str) -> Iterator[str]:  # noqa: ANN401
    hints = get_type_hints(node)
    for item in fields(node):
        name, kind = f"{prefix}{item.name}", hints[item.name]
        yield name
        if is_dataclass(kind):
            yield from _dataclass_keys(kind, f"{name}.")
        for inner in get_args(kind):
            if is_dataclass(inner):
                yield from _dataclass_keys(inner, f"{name}.NAME.")
