"""MATH-Perturb (Huang et al., arXiv 2502.06453): 279 level-5 MATH problems, changed twice.

Simple keeps the way to the answer, Hard does not; both share ``problem_id`` and so their pair.
"""

import re
from collections.abc import Mapping

from distlab.problems.content import Known, compare, content_hash
from distlab.problems.dataset_options import check_names
from distlab.problems.latex_golds import latex_gold
from distlab.problems.math import level_of, train_exemplars
from distlab.problems.problem import DatasetSpec, Exemplar, LoadedDataset, Problem, Side
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.seed_pairs import pair_key
from distlab.problems.sources import from_path, from_web

# The authors publish on GitHub alone; ``revision`` is a branch, tag or commit there.
_URL = "https://raw.githubusercontent.com/Kaffaljidhmah2/MATH-Perturb/{revision}/{file}"
_KNOWN: Mapping[Side, Known] = {
    "simple": Known(279, "9e3f8630b1c08eb2bba5ae3d926ec47ecd1f28783eb5564050339efeb6c36efa"),
    "hard": Known(279, "58034bdf6d8bdff05b2c67aeba2b708f74621e0758fe67661095d1a9648bf4f4"),
}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SPLITS = ("train", "test")


class _Perturbed:
    """One of the two sets; files of {problem_id, problem, answer, level, type, original_split}."""

    side: Side

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """All 279. The answers are text or numbers; ids and pairs are made of ``problem_id``."""
        check_names(spec, ())
        if spec.path is not None:
            source = from_path(spec.path)
        else:
            file = f"math_perturb/math_perturb_{self.side}.jsonl"
            url = _URL.format(revision=spec.revision, file=file)
            # A branch cannot be resolved to a commit there; a commit stands as it is.
            commit = spec.revision if _COMMIT.fullmatch(spec.revision) else None
            source = from_web(url, spec.name, spec.setting("path"), commit)
        problems = tuple(_problem(row, spec.name, self.side) for row in source.rows)
        unique(problems, source.rows)
        found = content_hash(_content(row) for row in source.rows)
        return LoadedDataset(
            name=spec.name,
            problems=problems[: spec.limit],
            rows=len(problems),
            content_hash=found,
            source=source.label,
            revision=source.revision,
            notes=source.notes
            + compare(
                _KNOWN[self.side],
                len(problems),
                found,
                f"check that it is the {self.side} set as published",
            ),
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """MATH train of levels 1 to 4: no seed of these problems is among them."""
        return train_exemplars(spec)

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows of the set."""
        return _KNOWN[self.side].rows


class Simple(_Perturbed):
    """MATH-Perturb-Simple."""

    side: Side = "simple"


class Hard(_Perturbed):
    """MATH-Perturb-Hard."""

    side: Side = "hard"


def _content(row: Row) -> dict[str, str | int | float | None]:
    names = ("problem_id", "problem", "answer", "level", "type", "original_split")
    return {name: row.text(name) for name in names}


def _problem(row: Row, dataset: str, side: Side) -> Problem:
    pair = pair_key(row.integer("problem_id"))
    split = row.text("original_split")
    if split not in _SPLITS:
        raise row.fault("original_split", f"must be train or test, not {split!r}")
    return Problem(
        id=f"{pair}-{side}",
        dataset=dataset,
        question=row.text("problem").strip(),
        gold=latex_gold(row.text("answer").strip()),
        cluster=pair,
        pair=pair,
        side=side,
        strata={"level": level_of(row), "subject": row.text("type"), "original_split": split},
    )
