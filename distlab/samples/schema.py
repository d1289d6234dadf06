"""The Arrow schema of samples: the one place that says what a stored sample is."""

import pyarrow as pa

SCHEMA_VERSION = 1

SAMPLES = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        # Branch rank (CoT-decoding) or draw index (stochastic), from 0.
        pa.field("rank", pa.int32(), nullable=False),
        # First 16 hex digits of sha256 over the prompt's token ids (little-endian int32).
        pa.field("prompt_hash", pa.string(), nullable=False),
        pa.field("prompt_tokens", pa.int32(), nullable=False),
        # Seed of a stochastic draw; null for greedy decoding.
        pa.field("seed", pa.int64()),
        # Everything the model emitted, the forced first token of a branch included.
        pa.field("token_ids", pa.list_(pa.int32()), nullable=False),
        # token_ids as text, special tokens skipped, cut before the stop string.
        pa.field("text", pa.string(), nullable=False),
        # "stop" (EOS or stop string) or "length" (max_tokens reached: truncated).
        pa.field("finish_reason", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("stop_string", pa.string()),
        pa.field("truncated", pa.bool_(), nullable=False),
        # CoT-decoding only: raw log probability of the branch token at the first position.
        pa.field("first_token_logprob", pa.float32()),
        # CoT-decoding only: p(top1) - p(top2) of every step, one value a token.
        pa.field("margins", pa.list_(pa.float32())),
        # CoT-decoding only: mean margin over the tokens of the answer span that the `rules`
        # extractor finds; null where it finds none.
        pa.field("delta", pa.float32()),
        # The run that drew the sample.
        pa.field("run", pa.dictionary(pa.int32(), pa.string()), nullable=False),
    ],
    metadata={"distlab.schema": "samples", "distlab.schema_version": str(SCHEMA_VERSION)},
)
