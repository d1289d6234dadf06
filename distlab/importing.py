"""What the config names as ``module:attribute``: datasets, extractors, graders and engines.

The code behind a name is the user's: whatever it raises becomes one sentence.
"""

import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from typing_extensions import get_protocol_members

from distlab.errors import UserError, nearest, summary

_TARGET: Final = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def load_named(field: str, target: str) -> Callable[..., Any]:
    """Import the class, or other callable, that a field of the config names.

    Args:
        field: Of the config, for the sentence.
        target: ``module:attribute``.

    Raises:
        UserError: It is written otherwise, names nothing or nothing that can be called, or its
            code raises; the sentence gives the nearest names.
    """
    parts = _TARGET.fullmatch(target)
    if parts is None:
        raise UserError(f"`{field}` is {target!r}: write it as module:Class")
    place = parts[1]
    found: Callable[..., Any] = _module(field, target, place)
    for name in parts[2].split("."):
        found, place = _attribute(field, target, found, place, name), f"{place}.{name}"
    if not callable(found):
        raise UserError(
            f"`{field}` is {target!r}: it is of type {type(found).__name__}; name a class"
        )
    return found


def load_class(field: str, target: str, protocol: type) -> type:
    """Import the class that a field of the config names, and see that it has a protocol's methods.

    Args:
        field: Of the config, for the sentence.
        target: ``module:Class``.
        protocol: What its instances are used as.

    Raises:
        UserError: As ``load_named``, or it is no class, or lacks a method.
    """
    found = load_named(field, target)
    if not isinstance(found, type):
        raise UserError(f"`{field}` is {target!r}, a {type(found).__name__}: name a class")
    _refuse_lacking(field, target, found, protocol, _methods(protocol))
    return found


def make_named(field: str, target: str, protocol: type, **options: object) -> Any:  # noqa: ANN401 (an instance of the protocol)
    """Make what a field of the config names, and see that it has all that a protocol asks for.

    Args:
        field: Of the config, for the sentence.
        target: ``module:Class``.
        protocol: What it is used as.
        **options: Keyword arguments of the class.

    Raises:
        UserError: As ``load_named``, or it does not take the options, or lacks a member.
    """
    factory = load_named(field, target)
    remedy = "correct its options, or name another class"
    with as_sentence(f"`{field}` is {target!r}: making it fails", remedy):
        made = factory(**options)
    _refuse_lacking(field, target, made, protocol, get_protocol_members(protocol))
    return made


@contextmanager
def as_sentence(start: str, remedy: str = "correct its code") -> Iterator[None]:
    """Turn whatever code of the user's raises, SystemExit too, into a sentence.

    Raises:
        UserError: The block raised something.
    """
    try:
        yield
    except (KeyboardInterrupt, UserError):
        raise
    except BaseException as error:
        raise UserError(f"{start} ({summary(error)}); {remedy}") from error


def _methods(protocol: type) -> set[str]:
    return {
        name for name in get_protocol_members(protocol) if callable(getattr(protocol, name, None))
    }


def _refuse_lacking(
    field: str, target: str, found: object, protocol: type, members: Iterable[str]
) -> None:
    methods = _methods(protocol)
    with as_sentence(f"`{field}` is {target!r}: reading its attributes fails"):
        lacking = [
            f"`{name}`"
            for name in sorted(members)
            if not hasattr(found, name) or (name in methods and not callable(getattr(found, name)))
        ]
    if lacking:
        raise UserError(
            f"`{field}` is {target!r}, which has no {' and no '.join(lacking)}: "
            f"name a class that has what {protocol.__module__}.{protocol.__name__} asks for"
        )


def _module(field: str, target: str, name: str) -> Any:  # noqa: ANN401 (a module)
    with as_sentence(f"`{field}` is {target!r}: importing {name} fails"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            absent = error.name or name
            known = _siblings(absent) if f"{name}.".startswith(f"{absent}.") else ()
            raise UserError(
                f"`{field}` is {target!r}: there is no module {absent}"
                f"{nearest(absent, known, '; it must be installed or lie in this folder')}"
            ) from error


def _attribute(
    field: str,
    target: str,
    owner: Any,  # noqa: ANN401 (a module, or what is in one)
    place: str,
    name: str,
) -> Any:  # noqa: ANN401
    with as_sentence(f"`{field}` is {target!r}: reading {place}.{name} fails"):
        try:
            return getattr(owner, name)
        except AttributeError as error:
            public = [known for known in dir(owner) if not known.startswith("_")]
            raise UserError(
                f"`{field}` is {target!r}: {place} has no {name}{nearest(name, public)}"
            ) from error


def _siblings(absent: str) -> Iterable[str]:
    """What a name that is no module may be meant for: what lies beside it."""
    parent = absent.rpartition(".")[0]
    if not parent:
        return ()
    module = importlib.import_module(parent)
    if not hasattr(module, "__path__"):
        return (f"{parent}:{name}" for name in vars(module) if not name.startswith("_"))
    return (f"{parent}.{found.name}" for found in pkgutil.iter_modules(module.__path__))


def is_ours(target: str) -> bool:
    """Whether ``module:attribute`` is distlab's own, and no part of the user's."""
    return target.startswith("distlab.")


def origin(target: str) -> Path | None:
    """The folder that has to be on the module search path for ``module:attribute`` to be found.

    Returns:
        None for what is built in, and for a module that is not there.
    """
    name = target.partition(":")[0]
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    file = Path(spec.origin)
    module = file.parent if file.name == "__init__.py" else file
    return module.parents[name.count(".")]


def find_again(folders: Iterable[str]) -> None:
    """Look for modules in these folders too, after all others.

    A folder that is gone is no fault here: what is missing is said where it is imported.
    """
    sys.path += [folder for folder in dict.fromkeys(folders) if folder not in sys.path]
