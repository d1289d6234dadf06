"""The Arrow schemas of verdicts: one row for each sample, extractor and grader; and of nulls."""

from typing import TypeVar

import pyarrow as pa

SCHEMA_VERSION = 4

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)

_label = pa.dictionary(pa.int32(), pa.string())


def required(name: str, kind: pa.DataType) -> "pa.Field[pa.DataType]":
    """A column without nulls."""
    return pa.field(name, kind, nullable=False)


VERDICTS = pa.schema(
    [
        # Key of the cell, as in the run's manifest.
        required("cell", _label),
        required("problem_id", pa.string()),
        required("rank", pa.int32()),
        required("extractor", _label),
        # What the extractor read, null where it found nothing.
        pa.field("answer", pa.string()),
        # Which answers of the problem are equal: the number of their class (see
        # ``equal_answers``), null where there is no answer.
        pa.field("answer_class", pa.int32()),
        # Offsets of the answer in the sample's text, and where the text was cut.
        required("answer_start", pa.int32()),
        required("answer_end", pa.int32()),
        required("text_cut", pa.int32()),
        required("grader", _label),
        # correct, incorrect, no_answer, timeout or error.
        required("verdict", _label),
        # CoT-decoding's confidence in the answer: over the span that this extractor names, or as it
        # came with the sample, the same under every extractor (see ``delta``).
        pa.field("delta", pa.float32()),
        required("delta_given", pa.bool_()),
        # Properties of the sample that tables need, so that they read no text.
        required("truncated", pa.bool_()),
        required("tokens", pa.int32()),
        # Of these, the reasoning's; null where the prompt asks for none, or nobody counted.
        pa.field("thinking_tokens", pa.int32()),
        # Whether the gold's text stands anywhere in the uncut sample text.
        required("gold_in_text", pa.bool_()),
        # Whether the text goes on with the words that the prompt hid of the question; null where
        # it hid none.
        pa.field("continued", pa.bool_()),
    ],
    metadata={"distlab.schema": "verdicts", "distlab.schema_version": str(SCHEMA_VERSION)},
)


def upgraded(rows: _Rows) -> _Rows:
    """Rows of verdict files of versions 1 to 3 with what they lack.

    In version 1 every Delta was given; before version 3 nobody compared answers with each other;
    before version 4 no prompt hid a part of its question, and nobody counted reasoning.
    """
    names = rows.schema.names
    if "delta_given" not in names and "delta" in names:
        rows = rows.append_column("delta_given", rows.column("delta").is_valid())
    if "answer_class" not in names and "answer" in names:
        rows = rows.append_column("answer_class", pa.nulls(rows.num_rows, pa.int32()))
    if "continued" not in names and "answer" in names:
        rows = rows.append_column("continued", pa.nulls(rows.num_rows, pa.bool_()))
    if "thinking_tokens" not in names and "truncated" in names:
        rows = rows.append_column("thinking_tokens", pa.nulls(rows.num_rows, pa.int32()))
    return rows


NULLS = pa.schema(
    [
        required("problem_id", pa.string()),
        # The answer given without reading the question: 0, 1, 2, ...
        required("answer", pa.int32()),
        required("grader", _label),
        # correct, incorrect, timeout or error.
        required("verdict", _label),
    ],
    metadata={"distlab.schema": "nulls", "distlab.schema_version": str(SCHEMA_VERSION)},
)
