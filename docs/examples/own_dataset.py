"""A dataset of your own: rows of {question, answer, topic} with numbers for answers."""

from distlab.errors import UserError
from distlab.problems.content import content_hash, text_hash
from distlab.problems.dataset_options import check_names
from distlab.problems.problem import DatasetSpec, Exemplar, Gold, GoldKind, LoadedDataset, Problem
from distlab.problems.problem_table import unique
from distlab.problems.rows import Row
from distlab.problems.sources import Source, from_path


class Quiz:
    """A JSONL, JSON, CSV or Parquet file."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        """Every row, checked."""
        check_names(spec, ())
        source = _source(spec.path, spec, "path")
        problems = tuple(_problem(row, spec.name) for row in source.rows)
        unique(problems, source.rows)
        return LoadedDataset(
            name=spec.name,
            problems=problems[: spec.limit],
            rows=len(source.rows),
            content_hash=content_hash(row.fields for row in source.rows),
            source=source.label,
        )

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        """Solved problems for few-shot prompts: rows with a solution, too."""
        rows = _source(spec.train_path, spec, "train_path").rows
        return tuple(
            Exemplar(row.place, row.text("question"), row.text("solution"), row.text("answer"))
            for row in rows
        )


def _source(path: str | None, spec: DatasetSpec, option: str) -> Source:
    if path is None:
        raise UserError(f"dataset {spec.name} is a file: set `dataset.sets.{spec.name}.{option}`")
    return from_path(path)


def _problem(row: Row, dataset: str) -> Problem:
    question = row.text("question")
    row.number("answer")
    # Of the text, so that it is the same after the file was sorted.
    name = f"quiz-{text_hash(question)}"
    return Problem(
        id=name,
        dataset=dataset,
        question=question,
        gold=Gold(GoldKind.NUMBER, row.text("answer")),
        cluster=name,
        strata={"topic": row.text("topic")},
    )
