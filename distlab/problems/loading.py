"""From a DatasetSpec to problems and exemplars, through the loader it names."""

from distlab.errors import UserError
from distlab.importing import make_named
from distlab.problems.problem import (
    DatasetLoader,
    DatasetSpec,
    Exemplar,
    LoadedDataset,
    PublishedSet,
)


def load_dataset(spec: DatasetSpec) -> LoadedDataset:
    """Every problem of a dataset, checked, after ``spec.limit``.

    Raises:
        UserError: The loader or its source cannot be had, or a row is malformed.
    """
    if spec.limit is not None and spec.limit < 1:
        raise UserError(f"dataset.limit is {spec.limit}; give at least 1, or null for all")
    return _loader(spec).load(spec)


def load_exemplars(spec: DatasetSpec) -> tuple[Exemplar, ...]:
    """All solved problems that few-shot prompts of a dataset may draw from.

    Raises:
        UserError: As ``load_dataset``, for the split the exemplars come from.
    """
    return _loader(spec).exemplars(spec)


def published_problems(spec: DatasetSpec) -> int | None:
    """Problems of the published set after ``spec.limit``; None where the loader does not know.

    Raises:
        UserError: The loader cannot be had, or refuses its options.
    """
    loader = _loader(spec)
    rows = loader.published_rows(spec) if isinstance(loader, PublishedSet) else None
    return rows if rows is None or spec.limit is None else min(rows, spec.limit)


def _loader(spec: DatasetSpec) -> DatasetLoader:
    field = f"dataset.sets.{spec.name}.loader"
    loader: DatasetLoader = make_named(field, spec.loader, DatasetLoader)
    return loader
