"""The card of an exported run: what it is, what it says, and what its tables hold."""

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa

from distlab.api.opened import Run
from distlab.escape import markdown, plain
from distlab.report.gap_table import GAPS
from distlab.report.score_table import SCORES
from distlab.store.sample_schema import ABOUT
from distlab.tables.markdown import table as markdown_table

_CARD = """\
---
pretty_name: {title}
tags:
- distlab
- model-outputs
configs:
{configs}
---

# {heading}

Completions of {cells} with their problems, golds and verdicts, by distlab. Rows are model outputs,
right or wrong, and golds are in `problems`: keep them out of training data. The terms of the
checkpoints and of the datasets apply. Tables join on `cell`, `problem_id` and `rank`, problems on
`dataset` and `problem_id`.

## Scores

{scores}

## Gaps

{gaps}

## Columns

{columns}
"""


def dataset_card(run: Run, schemas: Mapping[str, pa.Schema]) -> str:
    """Markdown with the front matter that hubs read.

    Args:
        run: The run.
        schemas: Its tables, each a file of that name.
    """
    study = run.study
    title = plain(run.manifest.run, None)
    return _CARD.format(
        # A JSON string is a YAML string.
        title=json.dumps(title),
        heading=markdown(title, None),
        configs="\n".join(_configs(schemas)),
        cells=f"{len(run.cells)} cells (family, variant, decoding, dataset, prompt)",
        scores=markdown_table(SCORES.as_text(study)),
        gaps=markdown_table(GAPS.as_text(study)) if study.rows(GAPS) else "None.",
        columns="\n".join(_columns(schemas)),
    )


def _configs(schemas: Mapping[str, pa.Schema]) -> Iterator[str]:
    for name in schemas:
        yield f"- config_name: {name}\n  data_files: {name}.parquet"
        if name == "samples":
            yield "  default: true"


def _columns(schemas: Mapping[str, pa.Schema]) -> Iterator[str]:
    yield from ("| table | column | type | |", "| --- | --- | --- | --- |")
    for name, schema in schemas.items():
        for field in schema:
            about = (field.metadata or {}).get(ABOUT, b"").decode()
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            shown = (markdown(text, None) for text in (name, field.name, str(kind), about))
            yield f"| {' | '.join(shown)} |"
