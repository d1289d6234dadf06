"""One sentence for what goes wrong at the door, with the nearest names that would have worked."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import OmegaConfBaseException

from distlab.config.entries import ENTRIES
from distlab.config.quoting import typed
from distlab.config.refusal import type_fault
from distlab.config.schema import StudyConfig
from distlab.errors import UserError, brief, file_fault, nearest

# Groups that take several options in one run.
_LISTS: Final = ("dataset", "prompt", "extractor", "grader")
# Stands in a key for the name of an entry.
_NAME: Final = "NAME"
# What opens a list, a mapping or a text on Hydra's command line, and what closes it.
_CLOSING: Final = {"[": "]", "{": "}", "'": "'", '"': '"'}
# A key that Hydra can read: names with dots or with slashes between them, and perhaps a package.
_NAMES: Final = r"[\w$-]+(?:\.[\w$-]+)*"
_KEY: Final = re.compile(rf"[+~]{{0,2}}(?:{_NAMES}|[\w-]+(?:/[\w-]+)+)(?:@{_NAMES})?", re.ASCII)


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
            return f"the override {error.override!r} cannot be read: {_cure(error.override)}"
        case MissingConfigException() if error.missing_cfg_file:
            return _missing_option(error.missing_cfg_file, conf)
        case ConfigCompositionException() | OmegaConfBaseException() | HydraException():
            return _bad_override(error, conf)
        case OSError():
            return file_fault(error)
    return None


def _cure(override: str) -> str:
    """What to type for an override that Hydra cannot read."""
    key, equals, value = override.partition("=")
    if not key or not equals:
        return "write GROUP=OPTION or KEY=VALUE"
    if not _KEY.fullmatch(key):
        return "a name in a key has letters, digits, - and _ alone: take another name"
    if closing := _CLOSING.get(value[:1]):
        if len(value) > 1 and value.endswith(closing):
            return "some character inside means something else to Hydra; quote the texts in it"
        return f"close what {value[:1]} opens, and put the whole in quotes for the shell"
    return (
        "some character of the value means something else to Hydra; quote the value for Hydra and "
        f"the whole for the shell: {typed(key, value)}"
    )


def _missing_option(missing: str, conf: Path) -> str:
    group, _, option = missing.rpartition("/")
    if not (conf / group).is_dir() or not group:
        groups = [folder.name for folder in conf.iterdir() if folder.is_dir()]
        return f"there is no config group '{group or missing}'{nearest(group or missing, groups)}"
    options = sorted(file.stem for file in (conf / group).glob("[!_]*.yaml"))
    return f"`{group}` has no option '{option}'{nearest(option, options)}"


def _several(override: str) -> str:
    """The sentence for values with commas where one job is meant."""
    key, _, values = override.partition("=")
    if key in _LISTS:
        one = f"write {key}=[{values}] for one run over all of them"
    else:
        one = f"write {typed(key, values)} for one text"
    return f"`{override}` stands for several values: {one}, or give -m for a job each"


def _bad_override(error: BaseException, conf: Path) -> str:
    cause = error.__cause__ or error
    text = str(error).splitlines()[0]
    if several := re.search(r"(?:Ambiguous value for argument|Sweep parameters) '(.+)'", text):
        return _several(several[1])
    if key := re.search(r"Could not override '([^']*)'", text):
        if (conf / key[1]).is_dir() and key[1]:
            added = re.search(r"use (\+\S+)", str(error))
            return (
                f"`{key[1]}` adds to the defaults: write {added[1] if added else f'+{key[1]}=NAME'}"
            )
        missing = str(getattr(cause, "full_key", None))
        return _no_key(key[1], conf, missing if missing.startswith(f"{key[1]}.") else None)
    if value := re.search(r"Error merging override (\S+)", text):
        detail = str(cause).splitlines()[0]
        if (form := _other_form(detail, text)) is not None:
            return form
        if "not in" in detail and (key := re.search(r"Key '([^']+)'", detail)):
            return _no_key(key[1], conf, place=f" in {value[1]}")
        name, _, given = text.partition("Error merging override ")[2].lstrip("+").partition("=")
        return type_fault(name, given, detail) or f"`{value[1]}` cannot be set: {detail}"
    full_key = getattr(cause, "full_key", None)
    place = f"`{full_key}`: " if full_key else ""
    return f"{place}{str(cause).splitlines()[0]}"


def _other_form(detail: str, text: str) -> str | None:
    """The sentence for a value of another form than the key's; None where that is not the fault.

    Args:
        detail: What OmegaConf says.
        text: What Hydra says, with the override at its end.
    """
    key, _, value = text.partition("Error merging override ")[2].lstrip("+").partition("=")
    is_mixed = "Cannot merge DictConfig with ListConfig" in detail
    if "is not a ListConfig" in detail or (is_mixed and value.startswith("{")):
        wanted = "a list: write it as [..., ...]"
    elif "is not a subclass of" in detail or is_mixed:
        wanted = "a mapping: write it as {NAME: VALUE}"
    else:
        return None
    return f"`{key}` is {brief(value)}, and has to be {wanted}"


def _no_key(key: str, conf: Path, inside: str | None = None, place: str = "") -> str:
    """The sentence for a key that is not there, or for one ``inside`` the mapping given to it."""
    keys, missing = _keys(conf), inside or key
    if any(_stands_for(known, missing) for known in keys):
        return f"`{missing}` is not set yet: write +{key}=... to add it"
    return f"there is no key '{missing}'{place}{nearest(missing, keys, '; see --cfg job')}"


def _stands_for(known: str, key: str) -> bool:
    """Whether ``known`` is ``key`` with a placeholder for the name of an entry."""
    parts, given = known.split("."), key.split(".")
    pairs = zip(parts, given, strict=False)
    return _NAME in parts and len(parts) == len(given) and all(a in (_NAME, b) for a, b in pairs)


def _keys(conf: Path) -> set[str]:
    groups = {folder.name for folder in conf.iterdir() if folder.is_dir()}
    return groups | set(_dataclass_keys(StudyConfig, ""))


def _not_null(hint: Any) -> Any:  # noqa: ANN401
    """What a field holds that may be null too."""
    held = [each for each in get_args(hint) if each is not NoneType]
    return held[0] if NoneType in get_args(hint) and len(held) == 1 else hint


def _dataclass_keys(node: Any, prefix: str) -> Iterator[str]:  # noqa: ANN401
    hints = get_type_hints(node)
    for item in fields(node):
        name, kind = f"{prefix}{item.name}", _not_null(hints[item.name])
        yield name
        if get_origin(kind) is dict:
            yield f"{name}.{_NAME}"
        if is_dataclass(kind):
            yield from _dataclass_keys(kind, f"{name}.")
        for inner in (*get_args(kind), ENTRIES.get(name)):
            if is_dataclass(inner):
                yield from _dataclass_keys(inner, f"{name}.{_NAME}.")
