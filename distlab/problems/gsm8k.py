"""GSM8K (Cobbe et al., arXiv 2110.14168): grade-school word problems with numeric golds."""

import re

from distlab.problems.content import Known, compare, content_hash, text_hash
from distlab.problems.dataset_options import check_names
from distlab.problems.problem import DatasetSpec, Exemplar, Gold, GoldKind, LoadedDataset, Problem
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.sources import HubFiles, Source, from_hub, from_path

_REPO = "openai/gsm8k"
_TEST = Known(1319, "7db0ec24d4010c6eb1a0a146acc2dfff82b544a5b37fa59587d4eade26f6e8d7")
_GOLD = re.compile(r"-?\d[\d,]*(\.\d+)?")
# "<<48/2=24>>": calculator calls that the annotators' tool left in the solutions.
_CALCULATION = re.compile(r"<<[^<>]*>>")


class GSM8K:
    """openai/gsm8k, configuration main, or files of {question, answer} rows."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """The test split. Golds are what follows ``####``, commas and signs kept."""
        check_names(spec, ())
        source = _source(spec, "test")
        problems = tuple(_problem(row, spec.name) for row in source.rows)
        unique(problems, source.rows)
        found = content_hash(_content(row) for row in source.rows)
        return LoadedDataset(
            name=spec.name,
            problems=problems[: spec.limit],
            rows=len(source.rows),
            content_hash=found,
            source=source.label,
            revision=source.revision,
            notes=source.notes
            + compare(_TEST, len(source.rows), found, "compare with published figures carefully"),
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """The train split, calculator annotations removed."""
        return tuple(_exemplar(row) for row in _source(spec, "train").rows)

    def published_rows(self, spec: DatasetSpec) -> int | None:
        """Rows of the test split."""
        return _TEST.rows


def _source(spec: DatasetSpec, split: str) -> Source:
    option = "path" if split == "test" else "train_path"
    path = spec.path if split == "test" else spec.train_path
    if path is not None:
        return from_path(path)
    files = HubFiles(_REPO, (f"main/{split}-*.parquet",))
    return from_hub(files, spec.revision, spec.name, spec.setting(option))


def _content(row: Row) -> dict[str, str | int | float | None]:
    return {"question": row.text("question"), "answer": row.text("answer")}


def _split_answer(row: Row) -> tuple[str, str]:
    """Solution and gold."""
    solution, mark, gold = row.text("answer").rpartition("####")
    gold = gold.strip()
    if not mark or not _GOLD.fullmatch(gold):
        raise row.fault("answer", "must end with `#### ` and a number")
    return solution.strip(), gold


def _problem(row: Row, dataset: str) -> Problem:
    question = row.text("question").strip()
    solution, gold = _split_answer(row)
    name = f"gsm8k-{text_hash(question)}"
    return Problem(
        id=name,
        dataset=dataset,
        question=question,
        gold=Gold(GoldKind.NUMBER, gold),
        cluster=name,
        strata={"steps": str(len(_CALCULATION.findall(solution)))},
    )


def _exemplar(row: Row) -> Exemplar:
    question = row.text("question").strip()
    solution, gold = _split_answer(row)
    return Exemplar(
        id=f"gsm8k-train-{text_hash(question)}",
        question=question,
        reasoning=_CALCULATION.sub("", solution),
        answer=gold,
    )
