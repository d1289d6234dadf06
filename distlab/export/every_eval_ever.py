"""Cells in the schema of every_eval_ever 0.3.0: an aggregate JSON and its instances as JSONL."""

import hashlib
import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from distlab.api.opened import Run
from distlab.export.judged_cell import JudgedProblem, judged_problems
from distlab.export.stamp import written_at
from distlab.files import folder_name, whole
from distlab.store.cell import Cell
from distlab.versions import version_line

_SCHEMA: Final = "0.3.0"
_UNKNOWN: Final = {"deployment_type": "unknown", "model_availability": "unknown"}


def write_evaluations(run: Run, folder: Path) -> None:
    """Write two files for each cell.

    Args:
        run: A scored run.
        folder: Where to.

    Raises:
        UserError: The run is not scored, or a file of it is damaged.
    """
    at = str(written_at(run).timestamp())
    scores = run.scores().to_pylist()
    for cell in run.cells:
        evaluation = f"{cell.key}/{at}"
        stem = _stem(cell, evaluation)
        mine = [row for row in scores if row["cell"] == cell.key]
        written = _write_instances(folder, f"{stem}_samples.jsonl", run, cell, evaluation)
        aggregate = {
            "schema_version": _SCHEMA,
            "evaluation_id": evaluation,
            "evaluation_timestamp": at,
            "retrieved_timestamp": at,
            "source_metadata": {
                "source_name": f"distlab run {run.manifest.run}",
                "source_type": "evaluation_run",
                "source_organization_name": "unknown",
                "evaluator_relationship": "other",
            },
            "eval_library": {"name": "distlab", "version": version_line()},
            "model_info": _model(cell),
            "evaluation_results": [_result(*each, mine, cell) for each in written.scores.items()],
            "detailed_evaluation_results": written.described,
        }
        with whole(folder / f"{stem}.json") as stream:
            stream.write(json.dumps(aggregate, indent=2).encode())


def _stem(cell: Cell, evaluation: str) -> str:
    """Where an evaluation's files are in its datastore: by dataset, developer, model and a UUID."""
    digest = hashlib.sha256(evaluation.encode()).digest()
    named = (cell.dataset, cell.family, cell.variant)
    number = uuid.UUID(bytes=digest[:16], version=4)
    return "/".join(("data", *map(folder_name, named), str(number)))


class _Written(NamedTuple):
    """What went into a file of instances.

    Attributes:
        scores: Judge to the score of each problem.
        described: The file, as the aggregate names it.
    """

    scores: Mapping[str, Sequence[float]]
    described: Mapping[str, Any]


def _write_instances(folder: Path, name: str, run: Run, cell: Cell, evaluation: str) -> _Written:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    scores: dict[str, list[float]] = {}
    rows, digest = 0, hashlib.sha256()
    with whole(folder / name) as stream:
        for problem in judged_problems(run, cell):
            scores.setdefault(problem.judge, []).append(problem.score)
            for record in _records(problem, cell, evaluation):
                line = f"{json.dumps(record)}\n".encode()
                stream.write(line)
                digest.update(line)
                rows += 1
    described = {
        "format": "jsonl",
        "file_path": name,
        "hash_algorithm": "sha256",
        "checksum": digest.hexdigest(),
        "total_rows": rows,
    }
    return _Written(scores, described)


def _model(cell: Cell) -> dict[str, Any]:
    name = f"{cell.family}/{cell.variant}"
    return {"name": name, "id": name, "additional_details": _UNKNOWN}


def _result(
    judge: str, scores: Sequence[float], rows: Sequence[Mapping[str, Any]], cell: Cell
) -> dict[str, Any]:
    """The mean of a judge, with the report's interval where that is of the same figure."""
    mean = sum(scores) / len(scores)
    uncertainty: dict[str, Any] = {"num_samples": len(scores) * cell.n}
    named = (row for row in rows if judge in (f"{row['extractor']}/{row['grader']}", row["grader"]))
    row = next(named, None)
    if row is not None and math.isclose(row["pass_1"], mean) and not math.isnan(row["pass_1_low"]):
        uncertainty["confidence_interval"] = {
            "lower": row["pass_1_low"],
            "upper": row["pass_1_high"],
            "confidence_level": 0.95,
        }
    return {
        "evaluation_result_id": judge,
        "evaluation_name": f"{cell.dataset}/{judge}",
        "source_data": {"dataset_name": cell.dataset, "source_type": "other"},
        "metric_config": {
            "evaluation_description": f"mean share of {cell.n} samples that {judge} calls correct",
            "metric_name": "share correct",
            "metric_kind": "accuracy",
            "metric_unit": "proportion",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {"score": mean, "uncertainty": uncertainty},
        "generation_config": {
            "additional_details": {"decoding": cell.decoding, "prompt": cell.prompt}
        },
    }


def _records(problem: JudgedProblem, cell: Cell, evaluation: str) -> Iterator[dict[str, Any]]:
    """One record per sample."""
    samples = zip(problem.texts, problem.answers, problem.correct, strict=True)
    for rank, (text, answer, is_correct) in enumerate(samples):
        attribution = {
            "turn_idx": 0,
            "source": "output.raw",
            "extracted_value": answer,
            "extraction_method": problem.judge,
            "is_terminal": True,
        }
        asked = problem.question + "\0" + problem.gold
        yield {
            "schema_version": _SCHEMA,
            "evaluation_id": evaluation,
            "model_id": _model(cell)["id"],
            "evaluation_name": f"{cell.dataset}/{problem.judge}",
            "evaluation_result_id": problem.judge,
            "sample_id": problem.problem_id,
            "sample_hash": hashlib.sha256(asked.encode()).hexdigest(),
            "interaction_type": "single_turn",
            "input": {"raw": problem.question, "reference": [problem.gold]},
            "output": {"raw": [text]},
            "answer_attribution": [attribution],
            "evaluation": {"score": float(is_correct), "is_correct": is_correct},
            "metadata": {"rank": str(rank), "verdict": problem.verdicts[rank]},
        }
