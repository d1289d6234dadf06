"""Samples to Arrow record batches."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from distlab.decoding.interface import Sample
from distlab.store.sample_schema import SAMPLES


def prompt_hash(token_ids: Sequence[int]) -> str:
    """First 16 hex digits of sha256 over the ids as little-endian int32."""
    return hashlib.sha256(np.asarray(token_ids, dtype="<i4").tobytes()).hexdigest()[:16]


def to_batch(samples: Sequence[Sample], run: str) -> pa.RecordBatch:
    """Rows in the order given, schema ``SAMPLES``.

    Text that is no valid Unicode (lone surrogates) is stored with replacement marks: Parquet
    strings are UTF-8.
    """
    hashes = {sample.prompt_ids: "" for sample in samples}
    for ids in hashes:
        hashes[ids] = prompt_hash(ids)
    columns: dict[str, Sequence[object]] = {
        "problem_id": [s.problem_id for s in samples],
        "rank": [s.rank for s in samples],
        "prompt_hash": [hashes[s.prompt_ids] for s in samples],
        "prompt_tokens": [
            len(s.prompt_ids) if s.prompt_tokens is None else s.prompt_tokens for s in samples
        ],
        "seed": [s.seed for s in samples],
        "token_ids": [s.token_ids for s in samples],
        "text": [s.text.encode("utf-8", "replace").decode() for s in samples],
        "finish_reason": ["length" if s.truncated else "stop" for s in samples],
        "stop_string": [s.stop_string for s in samples],
        "truncated": [s.truncated for s in samples],
        "first_token_logprob": [s.first_token_logprob for s in samples],
        "margins": [s.margins for s in samples],
        "token_lengths": [s.token_lengths for s in samples],
        "given_delta": [s.given_delta for s in samples],
        "computed_tokens": [s.computed_tokens for s in samples],
        "thinking_end": [s.thinking_end for s in samples],
        "thinking_tokens": [s.thinking_tokens for s in samples],
        "turn_end": [s.turn_end for s in samples],
        "run": [run] * len(samples),
    }
    arrays = [_array(columns[field.name], field.type) for field in SAMPLES]
    return pa.RecordBatch.from_arrays(arrays, schema=SAMPLES)


def _array(values: Sequence[object], kind: pa.DataType) -> "pa.Array[pa.Scalar[pa.DataType]]":
    if pa.types.is_dictionary(kind):
        labels: pa.Array[pa.Scalar[pa.DataType]] = pa.array(values, kind.value_type)
        return labels.dictionary_encode().cast(kind)
    return pa.array(values, kind)
