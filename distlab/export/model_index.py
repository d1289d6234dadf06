"""Scores as the model-index of model cards: a README.md for each checkpoint of a run."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from distlab.api.opened import Run
from distlab.escape import markdown, plain
from distlab.files import folder_name, whole

# Columns of the scores to the names of the metrics.
_METRICS: Final = {"pass_1": "pass@1", "pass_n": "pass@{n}", "majority": "maj@{n}"}


def write_model_cards(run: Run, folder: Path) -> None:
    """Write a folder with a card for each family and variant; figures are per cent.

    Args:
        run: A scored run.
        folder: Where to.

    Raises:
        UserError: The run is not scored, or a file of it is damaged.
    """
    rows = run.scores().to_pylist()
    for family, variant in dict.fromkeys((row["family"], row["variant"]) for row in rows):
        mine = [row for row in rows if (row["family"], row["variant"]) == (family, variant)]
        results = [result for row in mine for result in _results(row)]
        if not results:
            continue
        name = plain(f"{family}-{variant}", None)
        data = ModelCardData(model_name=name, eval_results=results, tags=["distlab"])
        place = folder / f"{folder_name(family)}__{folder_name(variant)}"
        place.mkdir(parents=True)
        body = f"# {markdown(name, None)}\n\nEvaluated with distlab, run {run.manifest.run}.\n"
        with whole(place / "README.md") as stream:
            stream.write(str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}")).encode())


def _results(row: Mapping[str, Any]) -> Iterator[EvalResult]:
    """The figures of a cell under a judge, those that there are."""
    for column, metric in _METRICS.items():
        if math.isnan(value := row[column]):
            continue
        named = metric.format(n=row["n"])
        judge = f"{row['extractor']}/{row['grader']}"
        low, high = (100 * row[f"{column}_{end}"] for end in ("low", "high"))
        ends = "no interval" if math.isnan(low) else f"95 % interval {low:.1f} to {high:.1f}"
        yield EvalResult(
            task_type="text-generation",
            dataset_type=row["dataset"],
            dataset_name=f"{row['dataset']}, prompt {row['prompt']}",
            metric_type=named,
            metric_name=f"{named}, {row['arm']}, {judge}, {ends}",
            metric_value=round(100 * value, 4),
            metric_args={"decoding": row["decoding"], "n": row["n"], "judge": judge},
        )
