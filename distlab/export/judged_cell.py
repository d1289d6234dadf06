"""The problems of a cell with their samples and verdicts, as logs of other tools hold them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import duckdb

from distlab.api.opened import Run
from distlab.scoring.types import Verdict
from distlab.store.cell import Cell

_QUERY: Final = """
    SELECT problem_id, question, gold_text, gold_items, texts, extractor, grader, answers, verdicts
    FROM (
        SELECT problem_id, list(text ORDER BY rank) AS texts FROM samples GROUP BY problem_id
    ) JOIN (
        SELECT problem_id, coalesce(extractor, '') AS extractor, grader,
            list(coalesce(answer, '') ORDER BY rank) AS answers,
            list(verdict ORDER BY rank) AS verdicts
        FROM verdicts GROUP BY ALL
    ) USING (problem_id)
    JOIN (FROM problems WHERE dataset = ?) USING (problem_id)
    WHERE len(verdicts) = len(texts)
    ORDER BY extractor, grader, problem_id
"""
# Rows that are fetched at once (ours).
_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class JudgedProblem:
    """A problem of a cell under one judge.

    Attributes:
        problem_id: Its id.
        question: The text put to the model; may be empty where samples were ingested.
        gold: The reference answer.
        accepted: What else is accepted, or the choices.
        texts: The completions, by rank.
        judge: "extractor/grader", or the name of a label that came with the samples.
        answers: What the extractor read of each; empty where it found nothing.
        verdicts: Of each.
    """

    problem_id: str
    question: str
    gold: str
    accepted: tuple[str, ...]
    texts: tuple[str, ...]
    judge: str
    answers: tuple[str, ...]
    verdicts: tuple[str, ...]

    @property
    def correct(self) -> tuple[bool, ...]:
        """Whether each sample is correct."""
        return tuple(verdict == Verdict.CORRECT for verdict in self.verdicts)

    @property
    def score(self) -> float:
        """Share of its samples that are correct."""
        return sum(self.correct) / len(self.verdicts)


def judged_problems(run: Run, cell: Cell) -> Iterator[JudgedProblem]:
    """The problems of a cell whose samples all have verdicts, judge by judge.

    Raises:
        UserError: The run is not scored.
    """
    connection = duckdb.connect()
    cells = [cell.key]
    samples = run.samples(columns=["problem_id", "rank", "text"], cells=cells)
    columns = ["problem_id", "rank", "extractor", "grader", "answer", "verdict"]
    connection.register("samples", samples)
    connection.register("verdicts", run.verdicts(columns=columns, cells=cells))
    connection.register("problems", run.problems())
    rows = connection.execute(_QUERY, [cell.dataset])
    while found := rows.fetchmany(_ROWS):
        for name, question, gold, items, texts, extractor, grader, answers, verdicts in found:
            yield JudgedProblem(
                problem_id=name,
                question=question,
                gold=gold,
                accepted=tuple(items),
                texts=tuple(texts),
                judge=f"{extractor}/{grader}" if extractor else grader,
                answers=tuple(answers),
                verdicts=tuple(verdicts),
            )
