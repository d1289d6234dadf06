"""Every key of the config with its type, default and comment, read off the schema's own source."""

import ast
import dataclasses
import inspect
import json
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from omegaconf import MISSING

from distlab.config import schema
from distlab.config.entries import ENTRIES

# What stands for the name that a person gives an entry.
NAME: Final = "NAME"


class ConfigKey(NamedTuple):
    """One key that can be set.

    Attributes:
        path: As typed: ``cluster.hang_s``; ``NAME`` stands for the name of an entry.
        type: As the schema annotates it.
        default: As JSON, which YAML takes; None where a config file gives it, or it is worked
            out.
        comment: What the schema says of it, in one line; empty where the name says all.
    """

    path: str
    type: str
    default: str | None
    comment: str


def config_keys() -> tuple[ConfigKey, ...]:
    """All keys of a study, in the schema's order."""
    return tuple(_keys_of(schema.StudyConfig, "", _comments(schema)))


def _keys_of(
    owner: type[Any], before: str, comments: Mapping[tuple[str, str], str]
) -> Iterator[ConfigKey]:
    annotations = get_type_hints(owner)
    for field in dataclasses.fields(owner):
        path, annotation = f"{before}{field.name}", annotations[field.name]
        comment = comments[owner.__name__, field.name]
        if (entry := ENTRIES.get(path)) is not None:
            yield from _keys_of(entry, f"{path}.{NAME}.", comments)
        elif (nested := _dataclass_in(annotation)) is not None:
            inside = "[]." if get_origin(annotation) is list else "."
            yield from _keys_of(nested, f"{path}{inside}", comments)
        else:
            name = inspect.formatannotation(annotation)
            yield ConfigKey(path, name, _default(field), comment)


def _dataclass_in(annotation: object) -> type[Any] | None:
    """The dataclass that an annotation is, lists, or allows beside null."""
    kinds = (annotation, *get_args(annotation))
    return next((k for k in kinds if isinstance(k, type) and dataclasses.is_dataclass(k)), None)


def _default(field: "dataclasses.Field[Any]") -> str | None:
    factory = field.default_factory
    value = field.default if factory is dataclasses.MISSING else factory()
    if value == MISSING:
        return None
    return json.dumps(value)


def _comments(module: ModuleType) -> dict[tuple[str, str], str]:
    """Class and field to the comment lines that stand right above the field."""
    lines = inspect.getsource(module).splitlines()
    return {
        (owner.name, field.target.id): _above(lines, field.lineno - 1)
        for owner in ast.parse("\n".join(lines)).body
        if isinstance(owner, ast.ClassDef)
        for field in owner.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def _above(lines: list[str], index: int) -> str:
    found: list[str] = []
    while (line := lines[index - 1].strip()).startswith("#"):
        found.insert(0, line.removeprefix("#").strip())
        index -= 1
    return " ".join(found)
