"""What the config names as ``module:attribute``: datasets, extractors, graders and engines."""

import importlib
import pkgutil
import re
from collections.abc import Iterable
from typing import Any, Final

from distlab.errors import UserError, nearest

_TARGET: Final = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def load_named(field: str, target: str) -> Any:  # noqa: ANN401 (whatever is named)
    """Import what a field of the config names.

    Args:
        field: Of the config, for the sentence.
        target: ``module:attribute``.

    Raises:
        UserError: It is written otherwise, or names nothing; the sentence gives the nearest names.
    """
    parts = _TARGET.fullmatch(target)
    if parts is None:
        raise UserError(f"`{field}` is {target!r}: write it as module:Class")
    module = _module(field, target, parts[1])
    try:
        return pkgutil.resolve_name(target)
    except AttributeError as error:
        public = [name for name in vars(module) if not name.startswith("_")]
        raise UserError(
            f"`{field}` is {target!r}: {parts[1]} has no {parts[2]}{nearest(parts[2], public)}"
        ) from error


def _module(field: str, target: str, name: str) -> Any:  # noqa: ANN401 (a module)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        absent = error.name or name
        known = _siblings(absent) if f"{name}.".startswith(f"{absent}.") else ()
        raise UserError(
            f"`{field}` is {target!r}: there is no module {absent}"
            f"{nearest(absent, known, '; it must be installed or lie in this folder')}"
        ) from error
    except Exception as error:  # the module is the user's: it may raise anything
        raise UserError(
            f"`{field}` is {target!r}: importing {name} fails ({type(error).__name__}: {error})"
        ) from error


def _siblings(absent: str) -> Iterable[str]:
    """Modules of the package that should have one."""
    package = absent.rpartition(".")[0]
    if not package:
        return ()
    paths = importlib.import_module(package).__path__
    return (f"{package}.{found.name}" for found in pkgutil.iter_modules(paths))
