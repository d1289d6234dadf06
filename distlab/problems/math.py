r"""MATH (Hendrycks et al., arXiv 2103.03874), its full test set and the 500 of MATH-500.

Problems that MATH-Perturb was made from carry its pair key, so that the drop can be paired.
"""

import re
from collections.abc import Callable

from distlab.problems.content import Known, compare, content_hash, text_hash
from distlab.problems.dataset_options import check_names
from distlab.problems.latex_golds import last_boxed, latex_gold
from distlab.problems.problem import DatasetSpec, Exemplar, LoadedDataset, Problem
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.seed_pairs import pair_of
from distlab.problems.sources import HubFiles, Source, from_hub, from_path

_MATH = "EleutherAI/hendrycks_math"
_MATH_500 = "HuggingFaceH4/MATH-500"
_KNOWN_MATH = Known(5000, "3fc951e5390de26f680c03fab6411866528318b825e6b5727bdc8869cd864c55")
_KNOWN_MATH_500 = Known(500, "f4ec20c058ef8731850729802d451102b98905193be30a9d75f04a3c32c7e9f7")
_REMEDY = "compare with published figures carefully"
_LEVEL = re.compile(r"(?:Level )?([1-5])")
# Exemplars (ours): no figures in code, which no model needs to learn to write, and short enough
# that eight of them fit every context.
_FIGURE = "[asy]"
_MAX_SOLUTION = 800


class MATH:
    """The 5000 test problems; files of {problem, level, type, solution} rows."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """The test split. The gold is the last box of the solution; ids are hashes of the text."""
        check_names(spec, ())
        source = _source(spec, _MATH, "*/test-*.parquet")
        found = content_hash(_content(row) for row in source.rows)
        return _loaded(spec, source, _math_problem, found, _KNOWN_MATH)

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """MATH train, as ``train_exemplars``."""
        return train_exemplars(spec)

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows of the test split."""
        return _KNOWN_MATH.rows


class MATH500:
    """The 500 problems of Lightman et al. (arXiv 2305.20050); rows with answer and unique_id."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """All 500. The gold is the published answer; ids are the published ones."""
        check_names(spec, ())
        source = _source(spec, _MATH_500, "test.jsonl")
        found = content_hash(_content_500(row) for row in source.rows)
        return _loaded(spec, source, _math_500_problem, found, _KNOWN_MATH_500)

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """MATH train, as ``train_exemplars``."""
        return train_exemplars(spec)

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows of the set."""
        return _KNOWN_MATH_500.rows


def train_exemplars(spec: DatasetSpec) -> tuple[Exemplar, ...]:
    """Solved MATH train problems of levels 1 to 4, the same for every set made of MATH.

    MATH-Perturb's 164 other seeds are level-5 train problems: an exemplar of level 5 might be
    the seed of an evaluated problem (ours).
    """
    if spec.train_path is not None:
        source = from_path(spec.train_path)
    else:
        files = HubFiles(_MATH, ("*/train-*.parquet",))
        # The revision setting belongs to the evaluated set's repository.
        revision = spec.revision if spec.loader.endswith(":MATH") else "main"
        source = from_hub(files, revision, spec.name, spec.setting("train_path"))
    made = (_exemplar(row) for row in source.rows)
    return tuple(exemplar for exemplar in made if exemplar is not None)


def level_of(row: Row) -> str:
    """The level, "1" to "5"."""
    match = _LEVEL.fullmatch(row.text("level"))
    if match is None:
        raise row.fault("level", f"must be 1 to 5, not {row.text('level')!r}")
    return match[1]


def _source(spec: DatasetSpec, repo: str, pattern: str) -> Source:
    if spec.path is not None:
        return from_path(spec.path)
    return from_hub(HubFiles(repo, (pattern,)), spec.revision, spec.name, spec.setting("path"))


def _loaded(
    spec: DatasetSpec,
    source: Source,
    make: Callable[[Row, str], Problem],
    found: str,
    known: Known,
) -> LoadedDataset:
    problems = tuple(make(row, spec.name) for row in source.rows)
    unique(problems, source.rows)
    return LoadedDataset(
        name=spec.name,
        problems=problems[: spec.limit],
        rows=len(source.rows),
        content_hash=found,
        source=source.label,
        revision=source.revision,
        notes=source.notes + compare(known, len(source.rows), found, _REMEDY),
    )


def _content(row: Row) -> dict[str, str | int | float | None]:
    return {name: row.text(name) for name in ("problem", "level", "type", "solution")}


def _content_500(row: Row) -> dict[str, str | int | float | None]:
    names = ("problem", "answer", "subject", "level", "unique_id")
    return {name: row.text(name) for name in names}


def _math_problem(row: Row, dataset: str) -> Problem:
    answer = last_boxed(row.text("solution"))
    if answer is None or not answer.strip():
        raise row.fault("solution", "has no \\boxed answer")
    name = f"math-{text_hash(row.text('problem'))}"
    return _problem(row, dataset, name, answer, row.text("type"))


def _math_500_problem(row: Row, dataset: str) -> Problem:
    return _problem(row, dataset, row.text("unique_id"), row.text("answer"), row.text("subject"))


def _problem(row: Row, dataset: str, name: str, answer: str, subject: str) -> Problem:
    question = row.text("problem").strip()
    pair = pair_of(question)
    return Problem(
        id=name,
        dataset=dataset,
        question=question,
        gold=latex_gold(answer.strip()),
        cluster=pair or name,
        pair=pair,
        side="seed" if pair else None,
        strata={"level": level_of(row), "subject": subject},
    )


def _exemplar(row: Row) -> Exemplar | None:
    """None for rows that do not serve; "Level ?" occurs in the train split."""
    solution = row.text("solution").strip()
    answer = last_boxed(solution)
    match = _LEVEL.fullmatch(row.text("level"))
    question = row.text("problem").strip()
    if answer is None or not answer.strip() or match is None or match[1] == "5":
        return None
    if _FIGURE in question or _FIGURE in solution or len(solution) > _MAX_SOLUTION:
        return None
    return Exemplar(f"math-train-{text_hash(question)}", question, solution, answer.strip())
