"""The dataset card of an exported cell: how its samples were made, and what the columns mean."""

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from distlab.escape import markdown, plain
from distlab.store.sample_schema import ABOUT, SAMPLES
from distlab.store.store import StoredCell

_CARD = """\
---
pretty_name: {title}
tags:
- distlab
- model-outputs
configs:
- config_name: default
  data_files: data/*.parquet
---

# {heading}

{samples} samples of {problems} problems, drawn with distlab: every completion of one checkpoint
under one decoding and one prompt on one dataset. They are model outputs, right or wrong; golds and
verdicts are not in here. The terms of the checkpoint and of the dataset apply.

## How they were made

Every setting that can change a sample:

| setting | value |
| --- | --- |
{fields}

## Columns

| column | type | meaning |
| --- | --- | --- |
{columns}
"""


def dataset_card(cell: StoredCell, table: pa.Table) -> str:
    """Markdown with the front matter that hubs read.

    Args:
        cell: The cell.
        table: Its samples, as exported.
    """
    family, variant, decoding, dataset, prompt, *_ = cell.name.split("/")
    title = f"{family} {variant}/{decoding} on {dataset}, {prompt}"
    return _CARD.format(
        # A JSON string is a YAML string.
        title=json.dumps(plain(title, None)),
        heading=markdown(title, None),
        samples=table.num_rows,
        problems=pc.count_distinct(table.column("problem_id")).as_py(),
        fields="\n".join(_fields(cell.fields(), "")),
        columns="\n".join(_column(field) for field in table.schema),
    )


def _fields(fields: Mapping[str, object], prefix: str) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _fields(value, f"{prefix}{name}.")
        else:
            shown = markdown(json.dumps(value, ensure_ascii=False), None)
            yield f"| {markdown(prefix + name, None)} | {shown} |"


def _column(field: "pa.Field[pa.DataType]") -> str:
    metadata = SAMPLES.field(field.name).metadata
    assert metadata is not None
    about = metadata[ABOUT].decode()
    shown = (markdown(text, None) for text in (field.name, str(field.type), about))
    return f"| {' | '.join(shown)} |"
