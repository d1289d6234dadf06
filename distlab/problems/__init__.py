"""Dataset files and hub sets in; Problems out."""

from distlab.problems.loading import load_dataset, load_exemplars, published_problems
from distlab.problems.problem import (
    DatasetLoader,
    DatasetSpec,
    Exemplar,
    Gold,
    GoldKind,
    LoadedDataset,
    Problem,
)
from distlab.problems.problem_table import read_problems, write_problems

__all__ = [
    "DatasetLoader",
    "DatasetSpec",
    "Exemplar",
    "Gold",
    "GoldKind",
    "LoadedDataset",
    "Problem",
    "load_dataset",
    "load_exemplars",
    "published_problems",
    "read_problems",
    "write_problems",
]
