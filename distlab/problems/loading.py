"""From a DatasetSpec to problems and exemplars, through the loader it names.

A loader may be the user's: what it raises is a sentence, and what it gives is looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from distlab.errors import UserError
from distlab.importing import as_sentence, is_ours, make_named
from distlab.problems.content import duplicates
from distlab.problems.problem import (
    DatasetLoader,
    DatasetSpec,
    Exemplar,
    Gold,
    LoadedDataset,
    Problem,
    PublishedSet,
)

_Given = TypeVar("_Given")


def load_dataset(spec: DatasetSpec) -> LoadedDataset:
    """Every problem of a dataset, checked, after ``spec.limit``.

    Raises:
        UserError: The loader or its source cannot be had, a row is malformed, or a loader of the
            user's raises or gives something else.
    """
    if spec.limit is not None and spec.limit < 1:
        raise UserError(f"dataset.limit is {spec.limit}; give at least 1, or null for all")
    loader = _loader(spec)
    loaded = _asked(spec, "load", lambda: loader.load(spec))
    if not is_ours(spec.loader):
        for fault in _faults(spec, loaded):
            raise UserError(f"{_named(spec)}: {fault}; correct its code")
    return loaded


def load_exemplars(spec: DatasetSpec) -> tuple[Exemplar, ...]:
    """All solved problems that few-shot prompts of a dataset may draw from.

    Raises:
        UserError: As ``load_dataset``, for the split the exemplars come from.
    """
    loader = _loader(spec)
    found = _asked(spec, "exemplars", lambda: loader.exemplars(spec))
    if not (_is_list(found) and all(isinstance(each, Exemplar) for each in found)):
        raise UserError(
            f"{_named(spec)}: its `exemplars` must give a tuple of Exemplar; correct its code"
        )
    return tuple(found)


def published_problems(spec: DatasetSpec) -> int | None:
    """Problems of the published set after ``spec.limit``; None where the loader does not know.

    Raises:
        UserError: The loader cannot be had, or refuses its options.
    """
    loader = _loader(spec)
    rows = None
    if isinstance(loader, PublishedSet):
        rows = _asked(spec, "published_rows", lambda: loader.published_rows(spec))
    return rows if rows is None or spec.limit is None else min(rows, spec.limit)


def _loader(spec: DatasetSpec) -> DatasetLoader:
    field = f"dataset.sets.{spec.name}.loader"
    loader: DatasetLoader = make_named(field, spec.loader, DatasetLoader)
    return loader


def _named(spec: DatasetSpec) -> str:
    return f"`dataset.sets.{spec.name}.loader` is {spec.loader!r}"


def _asked(spec: DatasetSpec, method: str, ask: Callable[[], _Given]) -> _Given:
    """What a loader's method gives; what ours raise is a fault of distlab's, and stays one."""
    if is_ours(spec.loader):
        return ask()
    with as_sentence(f"{_named(spec)}: its `{method}` fails"):
        return ask()


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _faults(spec: DatasetSpec, loaded: object) -> Iterator[str]:
    """What a loader of the user's gave that is not as ``LoadedDataset`` says."""
    if not isinstance(loaded, LoadedDataset):
        yield f"its `load` gave a {type(loaded).__name__}, and must give a LoadedDataset"
        return
    problems = loaded.problems
    if not _is_list(problems):
        yield f"its problems are a {type(problems).__name__}, and must be a tuple"
        return
    if not problems:
        yield "it gave no problem"
    if spec.limit is not None and len(problems) > spec.limit:
        yield f"it gave {len(problems)} problems where `dataset.limit` is {spec.limit}"
    for place, problem in enumerate(problems):
        if not isinstance(problem, Problem):
            yield f"its problem {place} is a {type(problem).__name__}, and must be a Problem"
            return
        yield from (f"its problem {place} has {fault}" for fault in _problem_faults(spec, problem))
    if repeat := duplicates([problem.id for problem in problems]):
        later, first = repeat
        yield f"its problems {first} and {later} have one id, {problems[first].id!r}"


def _problem_faults(spec: DatasetSpec, problem: Problem) -> Iterator[str]:
    for name in ("id", "question", "cluster"):
        value = getattr(problem, name)
        if not isinstance(value, str) or not value.strip():
            yield f"{name} {value!r}, where a text must be"
    if problem.dataset != spec.name:
        yield f"dataset {problem.dataset!r}, which must be {spec.name!r}, as the spec has it"
    if not isinstance(problem.gold, Gold):
        yield f"gold {problem.gold!r}, which must be a Gold"
    elif not isinstance(problem.gold.text, str) or not problem.gold.text.strip():
        yield f"a gold of text {problem.gold.text!r}"
