"""Samples and verdicts without an engine, in the product's own formats."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder
from distlab.decoding.interface import Sample
from distlab.decoding.stochastic import Stochastic
from distlab.problems import write_problems
from distlab.problems.problem import Gold, GoldKind, Problem
from distlab.prompts.snapshot import prompt_tokenizer
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.scoring.verdict_schema import VERDICTS
from distlab.store.batches import to_batch
from distlab.store.cell import Cell
from distlab.store.store import Store


def fill_store(overrides: Sequence[str]) -> None:
    """Put every sample that a run with these overrides would draw into its store."""
    study = validate(compose_config(overrides))
    for planned in prepare(study, Store.open(study.store)).cells:
        planned.stored.create(planned.fields)
        planned.stored.commit([to_batch(_samples(planned), "made")])


def questions(overrides: Sequence[str]) -> tuple[list[dict[str, str]], str]:
    """Rendered prompts and golds of a run's only cell, and the folder of its model."""
    study = validate(compose_config(overrides))
    prepared = prepare(study, Store.open(study.store))
    (planned,) = prepared.cells
    tokenizer = prompt_tokenizer(planned.checkpoint)
    golds = {p.id: p.gold.text for d in prepared.datasets.values() for p in d.problems}
    rows = [
        {"question": tokenizer.decode(request.prompt_ids), "answer": golds[request.problem_id]}
        for request in planned.requests
    ]
    return rows, planned.checkpoint.model


def _samples(planned: PlannedCell) -> list[Sample]:
    dice = random.Random(0)
    is_cot = planned.arm.decoding.decoder.margins
    return [
        Sample(
            problem_id=request.problem_id,
            rank=rank,
            prompt_ids=request.prompt_ids,
            token_ids=tuple(range(40)),
            text=f"We add {rank} and {number}. The answer is {dice.randrange(100)}.",
            truncated=False,
            seed=None if is_cot else rank,
            first_token_logprob=-float(rank) if is_cot else None,
            margins=(0.5,) * 40 if is_cot else None,
            token_lengths=(4,) * 40 if is_cot else None,
        )
        for number, request in enumerate(planned.requests)
        for rank in request.ranks
    ]


def big_run(folder: Path, problems: int, cells: int, n: int = 20) -> int:
    """A run folder with verdicts of ``problems * cells * n`` samples under two graders.

    Answers, deltas and truncation differ from sample to sample, as those of a real run do.
    """
    run = RunFolder(folder)
    (folder / "problems").mkdir(parents=True)
    run.verdicts.mkdir()
    made = [_problem(index) for index in range(problems)]
    write_problems(run.problems("gsm8k"), made)
    named = [_cell(index, n) for index in range(cells)]
    config = {"grader": {"use": {"standard": {}, "math-verify": {}}}}
    run.write_manifest(Manifest("big", "made", "store", tuple(named), config=config))
    dice = np.random.default_rng(0)
    for cell in named:
        for begin in range(0, problems, 250):
            ids = [problem.id for problem in made[begin : begin + 250]]
            _write_verdicts(
                run.verdicts / f"{cell.variant}-{cell.decoding}-{begin:06}.parquet", cell, ids, dice
            )
    return problems * cells * n


def _problem(index: int) -> Problem:
    name = f"p{index}"
    return Problem(name, "gsm8k", f"What is {index}?", Gold(GoldKind.NUMBER, f"{index}"), name)


def _cell(index: int, n: int) -> Cell:
    variant, cot = ("base", "instruct")[index % 2], index % 4 < 2
    kind: type[Decoder] = CoT if cot else Stochastic
    return Cell(
        *("family", variant, "cot" if cot else "t0.6", kind.kind, "gsm8k", "zero-shot"),
        n=n,
        fingerprint=f"{index:016}",
        path="made",
        order=kind.order,
        deltas=kind.margins,
    )


def _write_verdicts(file: Path, cell: Cell, ids: Sequence[str], dice: np.random.Generator) -> None:
    size = len(ids) * cell.n
    answers = dice.integers(0, 100, size)
    columns = {
        "problem_id": np.repeat(ids, cell.n),
        "rank": np.tile(np.arange(cell.n), len(ids)),
        "answer": [f"{answer}" for answer in answers],
        "answer_start": dice.integers(0, 500, size),
        "answer_end": dice.integers(500, 510, size),
        "text_cut": np.full(size, 600),
        "truncated": dice.random(size) < 0.05,
        "tokens": dice.integers(20, 200, size),
        "delta": dice.random(size),
        "delta_given": np.zeros(size, np.bool_),
        "gold_in_text": dice.random(size) < 0.5,
        "answer_class": answers,
        "thinking_tokens": [None] * size,
        "continued": [None] * size,
    }
    tables = []
    for grader, share in (("standard", 0.3), ("math-verify", 0.32)):
        labels = {
            "cell": [cell.key] * size,
            "extractor": ["rules"] * size,
            "grader": [grader] * size,
            "verdict": np.where(dice.random(size) < share, "correct", "incorrect"),
        }
        arrays = [
            pa.array({**columns, **labels}[field.name]).cast(field.type) for field in VERDICTS
        ]
        tables.append(pa.table(arrays, schema=VERDICTS))
    pq.write_table(pa.concat_tables(tables), file, compression="zstd")
