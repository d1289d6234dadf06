"""A log of another tool as a study of one cell, with the tool's scores as its judges."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from distlab.checkpoints.checkpoint import Variant
from distlab.compare.log_columns import LogColumns
from distlab.errors import UserError, counted
from distlab.logs.log import CHOICES, GOLD, ID, QUESTION, RANK, SAMPLE, EvalLog, LogScore, are_few
from distlab.logs.sampling import log_decoding, log_kind
from distlab.problems.problem import Gold, GoldKind, Problem
from distlab.problems.rows import Row
from distlab.runs.manifest import Manifest
from distlab.runs.scored import (
    JudgedRuns,
    SampleFacts,
    SampleKey,
    VerdictTable,
    source_numbers,
)
from distlab.scoring.types import CORRECT, INCORRECT, NO_VERDICT
from distlab.store.cell import Cell
from distlab.tabular.golds import AUTO, gold_of

# Stands for the variant, which no log tells, and for the extractor.
LOGGED: Final = Variant("logged")
# Characters at the end of a completion that stand for its answer (ours).
_END: Final = 60


def logged_study(file: Path, log: EvalLog, name: str) -> JudgedRuns:
    """A log as a study.

    Args:
        file: The log.
        log: What it says.
        name: What the comparison calls it.

    Raises:
        UserError: It has no score that says of samples whether they are right.
    """
    problems, samples = _problems(log)
    unsaid = {score: _unsaid(score, len(problems), samples) for score in log.scores}
    binary = [s for s in log.scores if s.is_binary and are_few(unsaid[s], len(s.values))]
    if not binary:
        named = ", ".join(score.name for score in log.scores) or "none"
        raise UserError(
            f"{file} has no score that is right (1) or wrong (0) of every sample (there is "
            f"{named}): ingest and score it, and compare the run"
        )
    n = 1 + max(rank for score in binary for rank in score.ranks)
    cell = _cell(file, log, n)
    return JudgedRuns(
        runs=(file,),
        manifest=Manifest(
            run=name,
            command="",
            store="",
            cells=(cell,),
            config={"tool": log.tool, "task": log.task, "model": log.model, **log.settings},
        ),
        parameters={},
        tables=tuple(_table(cell, problems, log, score) for score in binary),
        nulls=(),
        remarks=tuple(_remarks(name, log, {score: unsaid[score] for score in binary})),
    )


def _remarks(name: str, log: EvalLog, taken: Mapping[LogScore, int]) -> Iterator[str]:
    yield from (f"{name}: {sentence}." for sentence in log.said)
    for score in log.scores:
        if score not in taken:
            yield f"{name}: {score.name} is not 1 or 0 of every sample, and is left out."
        elif taken[score]:
            yield (
                f"{name}: {score.name} says nothing of {counted(taken[score], 'sample')}, beside "
                f"{len(score.values)} that count under it."
            )


def _unsaid(score: LogScore, problems: int, samples: int) -> int:
    """Of how many samples, or problems where it is of these, a score says nothing."""
    return (samples if any(score.ranks) else problems) - len(score.values)


def _cell(file: Path, log: EvalLog, n: int) -> Cell:
    return Cell(
        family=log.model or file.stem,
        variant=LOGGED,
        decoding=log_decoding(log),
        kind=log_kind(log),
        dataset=log.task,
        prompt="given",
        n=n,
        # No two logs are taken to hold the same samples.
        fingerprint=str(file.resolve()),
        path="",
    )


def _problems(log: EvalLog) -> tuple[tuple[Problem, ...], int]:
    """The problems, and how many samples there are of them."""
    firsts: dict[str, Row] = {}
    samples = 0
    for row in log.rows:
        samples += 1
        kept = {name: row.fields.get(name) for name in (QUESTION, GOLD, CHOICES)}
        firsts.setdefault(_id(row), Row(row.place, kept))
    problems = tuple(
        Problem(name, log.task, str(row.fields.get(QUESTION) or ""), _gold(row), name)
        for name, row in firsts.items()
    )
    return problems, samples


def _id(row: Row) -> str:
    return str(row.fields[ID]).strip()


def _gold(row: Row) -> Gold:
    """The gold as ingest would read it; its text, where no answer can be read off that."""
    choices = CHOICES if row.fields.get(CHOICES) is not None else None
    try:
        return gold_of(row, LogColumns(gold=GOLD, choices=choices), AUTO)
    except UserError:
        return Gold(GoldKind.TEXT, str(row.fields.get(GOLD)))


def _table(
    cell: Cell, problems: tuple[Problem, ...], log: EvalLog, score: LogScore
) -> VerdictTable:
    places = {problem.id: row for row, problem in enumerate(problems)}
    codes = np.full((len(problems), cell.n), NO_VERDICT, dtype=np.int8)
    for name, rank, value in zip(score.problem_ids, score.ranks, score.values, strict=True):
        codes[places[name.strip()], rank] = CORRECT if value else INCORRECT
    facts = SampleFacts.empty(codes.shape)
    facts.present[:] = codes != NO_VERDICT
    return VerdictTable(
        cell=cell,
        extractor=LOGGED,
        grader=f"{log.tool}:{score.name}",
        problems=problems,
        sources=source_numbers({cell.dataset: problems})[cell.dataset],
        failed=np.zeros(len(problems), np.bool_),
        codes=codes,
        facts=facts,
    )


def logged_answers(log: EvalLog, wanted: Collection[SampleKey]) -> dict[SampleKey, str]:
    """How the completions of some samples end."""
    found = dict.fromkeys(wanted, "")
    keys = {(key.problem_id, key.rank): key for key in wanted}
    for row in log.rows:
        key = keys.get((_id(row), int(str(row.fields.get(RANK) or 0))))
        if key is not None:
            found[key] = str(row.fields[SAMPLE]).strip()[-_END:]
    return found
