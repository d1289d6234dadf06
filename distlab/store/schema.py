"""The Arrow schema of samples: the one place that says what a stored sample is."""

import pyarrow as pa

SCHEMA_VERSION = 1
# Key of a column's meaning in its metadata.
ABOUT = b"about"


def _field(name: str, kind: pa.DataType, about: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={ABOUT: about})


SAMPLES = pa.schema(
    [
        _field("problem_id", pa.string(), "Id of the problem in its dataset."),
        _field(
            "rank", pa.int32(), "Branch rank (CoT-decoding) or draw index (stochastic), from 0."
        ),
        _field(
            "prompt_hash",
            pa.string(),
            "First 16 hex digits of sha256 over the prompt's token ids (little-endian int32).",
        ),
        _field("prompt_tokens", pa.int32(), "Tokens in the prompt."),
        _field(
            "seed",
            pa.int64(),
            "Seed of a stochastic draw; null for greedy decoding.",
            nullable=True,
        ),
        _field(
            "token_ids",
            pa.list_(pa.int32()),
            "Everything the model emitted, the forced first token of a branch included.",
        ),
        _field(
            "text",
            pa.string(),
            "token_ids as text, special tokens skipped, cut before the stop string.",
        ),
        _field(
            "finish_reason",
            pa.dictionary(pa.int8(), pa.string()),
            '"stop" (EOS or stop string) or "length" (max_tokens reached: truncated).',
        ),
        _field("stop_string", pa.string(), "The stop string that ended it.", nullable=True),
        _field("truncated", pa.bool_(), "Whether max_tokens ended it."),
        _field(
            "first_token_logprob",
            pa.float32(),
            "CoT-decoding only: raw log probability of the branch token at the first position.",
            nullable=True,
        ),
        _field(
            "margins",
            pa.list_(pa.float32()),
            "CoT-decoding only: p(top1) - p(top2) of every step, one value a token.",
            nullable=True,
        ),
        _field(
            "delta",
            pa.float32(),
            "CoT-decoding only: mean margin over the tokens of the answer span that the `rules` "
            "extractor finds; null where it finds none.",
            nullable=True,
        ),
        _field("run", pa.dictionary(pa.int32(), pa.string()), "The run that drew the sample."),
    ],
    metadata={"distlab.schema": "samples", "distlab.schema_version": str(SCHEMA_VERSION)},
)
