"""Checks of a loader's own options."""

import difflib
from collections.abc import Sequence

from distlab.errors import UserError
from distlab.problems.problem import DatasetSpec, Problem


def check_names(spec: DatasetSpec, known: Sequence[str], *, has_columns: bool = False) -> None:
    """Refuse options that the loader does not have.

    Args:
        spec: The dataset.
        known: Names of the loader's options.
        has_columns: Whether the loader takes names of columns.

    Raises:
        UserError: An option has another name, or columns are named that the loader knows itself.
    """
    if spec.columns and not has_columns:
        raise UserError(
            f"dataset {spec.name} has columns of its own: leave `dataset.columns` out, or take "
            "dataset=file"
        )
    for name in spec.options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {_listed(known)}"
            raise UserError(f"dataset {spec.name} has no option `{name}`; {hint}")


def whole(spec: DatasetSpec, name: str, default: int, least: int) -> int:
    """A whole number of at least ``least``.

    Raises:
        UserError: The option is something else.
    """
    value = spec.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(
            f"dataset.sets.{spec.name}.options.{name} is {value!r}; "
            f"give a whole number of at least {least}"
        )
    return value


def choice(spec: DatasetSpec, name: str, default: str, known: Sequence[str]) -> str:
    """One of the known words.

    Raises:
        UserError: The option is something else.
    """
    value = spec.options.get(name, default)
    if value not in known:
        raise UserError(
            f"dataset.sets.{spec.name}.options.{name} is {value!r}; use one of {_listed(known)}"
        )
    return str(value)


def refuse_files(spec: DatasetSpec) -> None:
    """For a dataset that is made on the spot.

    Raises:
        UserError: A file is named.
    """
    for option, value in (("path", spec.path), ("train_path", spec.train_path)):
        if value is not None:
            raise UserError(
                f"dataset {spec.name} is made on the spot and reads no file; "
                f"leave {spec.setting(option)} out, or choose another dataset"
            )


def in_pairs(
    problems: tuple[Problem, ...], limit: int | None
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """The first ``limit`` problems, rounded up to whole pairs, with a note where it was rounded.

    Args:
        problems: Each problem followed by its twin.
        limit: Of the spec.
    """
    if limit is None:
        return problems, ()
    kept = problems[: limit + limit % 2]
    if len(kept) <= limit:
        return kept, ()
    return kept, (f"dataset.limit={limit} would part a pair: {len(kept)} problems are taken",)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
