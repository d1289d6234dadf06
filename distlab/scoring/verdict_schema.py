"""The Arrow schemas of verdicts: one row for each sample, extractor and grader; and of nulls."""

from typing import TypeVar

import pyarrow as pa

SCHEMA_VERSION = 2

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)

_label = pa.dictionary(pa.int32(), pa.string())

VERDICTS = pa.schema(
    [
        # Key of the cell, as in the run's manifest.
        pa.field("cell", _label, nullable=False),
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("extractor", _label, nullable=False),
        # What the extractor read, null where it found nothing.
        pa.field("answer", pa.string()),
        # Offsets of the answer in the sample's text, and where the text was cut.
        pa.field("answer_start", pa.int32(), nullable=False),
        pa.field("answer_end", pa.int32(), nullable=False),
        pa.field("text_cut", pa.int32(), nullable=False),
        pa.field("grader", _label, nullable=False),
        # correct, incorrect, no_answer, timeout or error.
        pa.field("verdict", _label, nullable=False),
        # CoT-decoding's confidence in the answer: over the span that this extractor names, or as it
        # came with the sample, the same under every extractor (see ``delta``).
        pa.field("delta", pa.float32()),
        pa.field("delta_given", pa.bool_(), nullable=False),
        # Properties of the sample that tables need, so that they read no text.
        pa.field("truncated", pa.bool_(), nullable=False),
        pa.field("tokens", pa.int32(), nullable=False),
        # Whether the gold's text stands anywhere in the uncut sample text.
        pa.field("gold_in_text", pa.bool_(), nullable=False),
    ],
    metadata={"distlab.schema": "verdicts", "distlab.schema_version": str(SCHEMA_VERSION)},
)


def upgraded(rows: _Rows) -> _Rows:
    """Rows of verdict files of version 1 with what they lack: there every Delta was given."""
    if "delta_given" in rows.schema.names or "delta" not in rows.schema.names:
        return rows
    return rows.append_column("delta_given", rows.column("delta").is_valid())


NULLS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        # The answer given without reading the question: 0, 1, 2, ...
        pa.field("answer", pa.int32(), nullable=False),
        pa.field("grader", _label, nullable=False),
        # correct, incorrect, timeout or error.
        pa.field("verdict", _label, nullable=False),
    ],
    metadata={"distlab.schema": "nulls", "distlab.schema_version": str(SCHEMA_VERSION)},
)
