"""Datasets without code: a file of anybody's, or a set on the hub, by the names of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from distlab.errors import UserError
from distlab.problems.content import content_hash, text_hash
from distlab.problems.dataset_options import check_names, choice
from distlab.problems.problem import DatasetSpec, Exemplar, LoadedDataset, Problem
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.sources import Source, from_path
from distlab.tabular import paths
from distlab.tabular.choices import choices_of, gathered
from distlab.tabular.columns import ProblemColumns, row_number
from distlab.tabular.golds import AUTO, KINDS, ReadGold, read_golds, said_of
from distlab.tabular.hub_sets import HubSet, from_hub_set
from distlab.tabular.problem_rows import asked, problem_of

# What the config calls the columns, where that is not what ``ProblemColumns`` calls them.
_CONFIG_NAMES: Final = {
    "gold": "answer",
    "problem_id": "id",
    "gold_lower": "lower",
    "gold_upper": "upper",
}
# Rows that a message lists (ours).
_ROWS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SetColumns(ProblemColumns):
    """The columns of a dataset, as ``dataset.columns`` names them.

    Attributes:
        seed: Id of the problem that a row perturbs; empty in rows that perturb none.
        solution: Worked solution of a solved problem, for few-shot prompts.
    """

    seed: str | None = None
    solution: str | None = None

    @classmethod
    def of(cls, spec: DatasetSpec) -> "SetColumns":
        """The columns that a spec names.

        Raises:
            UserError: It does not say where questions and answers are.
        """
        for needed in ("question", "answer"):
            if needed not in spec.columns:
                raise UserError(
                    f"dataset {spec.name} does not say which column holds the {needed}: "
                    f"set `{spec.setting(f'columns.{needed}')}`"
                )
        own = {short: name for name, short in _CONFIG_NAMES.items()}
        named = {
            own.get(name, name): column
            for name, column in spec.columns.items()
            if isinstance(column, str)
        }
        strata, choices = (_several(spec, name) for name in ("strata", "choices"))
        if choices:
            named["choices"] = ", ".join(choices)
        return cls(**named, choice_columns=choices, strata={name: name for name in strata})

    def named_by(self, name: str) -> str:
        """The key that names the column of something."""
        return f"`dataset.columns.{_CONFIG_NAMES.get(name, name)}` names"

    def naming(self, *names: str) -> str:
        """Which keys to set."""
        keys = [f"`dataset.columns.{_CONFIG_NAMES.get(name, name)}`" for name in names]
        return f"set {' and '.join(keys)}"

    def remedy(self, rows: Sequence[Row]) -> str:
        """Which rows to take out."""
        numbers = ", ".join(str(row_number(row)) for row in rows[:_ROWS_SHOWN])
        rest = ", ..." if len(rows) > _ROWS_SHOWN else ""
        return f"take the row{'s' if len(rows) > 1 else ''} {numbers}{rest} out of the file"


def _several(spec: DatasetSpec, name: str) -> tuple[str, ...]:
    """The columns that a key names, where they are a list."""
    value = spec.columns.get(name, ())
    return value if isinstance(value, tuple) else ()


class File:
    """A JSONL, JSON, CSV or Parquet file. Options: kind."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """Every row a problem, its gold tried on the standard grader."""
        check_names(spec, ("kind",), has_columns=True)
        return _loaded(spec, _file(spec, "path"))

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """Rows of ``train_path``, with the same columns and a solution where one is named."""
        return _exemplars(spec, _file(spec, "train_path"))


class Hub:
    """A dataset on the hub. Options: kind, id, subset, split, train_split."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """Every row of the split a problem, its gold tried on the standard grader."""
        return _loaded(spec, _hub(spec, "split"))

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """Rows of the split ``train_split``."""
        return _exemplars(spec, _hub(spec, "train_split"))


def _file(spec: DatasetSpec, option: str) -> Source:
    path = spec.path if option == "path" else spec.train_path
    if path is None:
        remedy = "" if option == "path" else ", or take `prompt=zero-shot`, which needs none"
        raise UserError(f"dataset {spec.name} is a file: set `{spec.setting(option)}`{remedy}")
    return from_path(path)


def _hub(spec: DatasetSpec, option: str) -> Source:
    check_names(spec, ("kind", "id", "subset", "split", "train_split"), has_columns=True)
    path = spec.path if option == "split" else spec.train_path
    if path is not None:
        return from_path(path)
    for needed in ("id", option):
        if not spec.options.get(needed):
            raise UserError(f"dataset {spec.name} is on the hub: set `{spec.setting(needed)}`")
    subset = spec.options.get("subset")
    wanted = HubSet(
        repo=str(spec.options["id"]),
        split=str(spec.options[option]),
        subset=None if subset is None else str(subset),
        revision=spec.revision,
    )
    setting = spec.setting("path" if option == "split" else "train_path")
    return from_hub_set(wanted, spec.name, setting)


def _loaded(spec: DatasetSpec, source: Source) -> LoadedDataset:
    kind = choice(spec, "kind", AUTO, KINDS)
    columns = SetColumns.of(spec)
    rows = _rows(source, columns)
    golds = read_golds(rows, columns, kind)
    problems = tuple(_problems(rows, golds, columns, spec.name))
    unique(problems, rows)
    return LoadedDataset(
        name=spec.name,
        problems=problems[: spec.limit],
        rows=len(rows),
        content_hash=content_hash(
            {"id": each.id, "question": each.question, "gold": each.gold.text} for each in problems
        ),
        source=source.label,
        revision=source.revision,
        notes=(*source.notes, said_of(golds)),
    )


def _rows(source: Source, columns: SetColumns) -> list[Row]:
    """The rows, with nested columns at hand; a solution is needed of exemplars alone."""
    rows = paths.with_paths(source.rows, [column for _, column in columns.pairs()])
    if columns.choice_columns and columns.choices is not None:
        rows = list(gathered(rows, columns.choice_columns, columns.choices))
    replace(columns, solution=None).check(rows)
    return rows


def _problems(
    rows: Sequence[Row], golds: Sequence[ReadGold], columns: SetColumns, dataset: str
) -> list[Problem]:
    made = [
        replace(
            problem_of(row, columns, _id(row, columns, dataset), dataset, read.gold),
            question=asked(row, columns, read.gold),
        )
        for row, read in zip(rows, golds, strict=True)
    ]
    return made if columns.seed is None else _paired(made, rows, columns)


def _id(row: Row, columns: SetColumns, dataset: str) -> str:
    if columns.problem_id is not None:
        return row.text(columns.problem_id).strip()
    assert columns.question is not None
    text = row.text(columns.question)
    if columns.choices is not None and row.fields.get(columns.choices) is not None:
        # "Which of these is a mammal?" may be asked of several lists.
        text = f"{text}\n{choices_of(row, columns.choices).lettered}"
    return f"{dataset}-{text_hash(text)}"


def _paired(problems: Sequence[Problem], rows: Sequence[Row], columns: SetColumns) -> list[Problem]:
    """Each problem with the pair that it is of: its own id's, or that of the seed it names."""
    assert columns.seed is not None
    seeds = [_seed(row, columns.seed, each.id) for row, each in zip(rows, problems, strict=True)]
    perturbs = {each.id: seed for each, seed in zip(problems, seeds, strict=True)}
    for row, seed in zip(rows, seeds, strict=True):
        if seed is not None and seed not in perturbs:
            raise row.fault(columns.seed, f"names {seed!r}, which is the id of no row")
        if seed is not None and perturbs[seed] is not None:
            raise row.fault(columns.seed, f"names {seed!r}, which perturbs another problem itself")
    named = set(seeds)
    return [
        replace(
            problem,
            pair=seed or problem.id,
            side="twin" if seed else "seed",
            cluster=problem.cluster if _has_cluster(row, columns) else seed or problem.id,
        )
        if seed or problem.id in named
        else problem
        for row, problem, seed in zip(rows, problems, seeds, strict=True)
    ]


def _seed(row: Row, column: str, own: str) -> str | None:
    """Id of the problem that a row perturbs; a row that names itself perturbs none."""
    named = row.label(column)
    return None if named is None or named.strip() == own else named.strip()


def _has_cluster(row: Row, columns: SetColumns) -> bool:
    return columns.cluster is not None and row.label(columns.cluster) is not None


def _exemplars(spec: DatasetSpec, source: Source) -> tuple[Exemplar, ...]:
    columns = SetColumns.of(spec)
    rows = _rows(source, columns)
    golds = read_golds(rows, columns, choice(spec, "kind", AUTO, KINDS))
    return tuple(
        Exemplar(
            id=row.place,
            question=asked(row, columns, read.gold),
            reasoning="" if columns.solution is None else row.text(columns.solution),
            answer=read.gold.text,
        )
        for row, read in zip(rows, golds, strict=True)
    )
