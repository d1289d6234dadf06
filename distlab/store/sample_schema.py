"""The Arrow schema of samples: the one place that says what a stored sample is."""

import pyarrow as pa

# Version of the schema below. It stands in every shard, and not in the address of a cell: see
# ``formats`` for how shards of earlier ones are read.
FORMAT = 4
# Key of the format in the metadata of a shard's schema.
FORMAT_KEY = b"distlab.schema_version"
# Key of a column's meaning in its metadata.
ABOUT = b"about"


def _field(
    name: str, kind: pa.DataType, about: str, *, nullable: bool = False
) -> "pa.Field[pa.DataType]":
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
            "CoT-decoding only: p(top1) - p(top2) of every step, one value per token.",
            nullable=True,
        ),
        _field(
            "token_lengths",
            pa.list_(pa.int16()),
            "CoT-decoding only: characters that each token completes, one value per token. Their "
            "running sum is where each token ends in the text before it was cut.",
            nullable=True,
        ),
        _field(
            "given_delta",
            pa.float32(),
            "Delta that came with the sample: in the file that it was ingested from, or from "
            "sample format 1, where it is of the answer span of the `rules` of that day. Null "
            "where margins and token_lengths say it for every extractor.",
            nullable=True,
        ),
        _field(
            "computed_tokens",
            pa.int32(),
            "Tokens that the engine generated for this sample; where siblings were drawn together, "
            "the others of token_ids were generated for another one. Null where nobody counted.",
            nullable=True,
        ),
        _field(
            "turn_end",
            pa.int32(),
            "Characters of the text that are the turn that was asked for: what follows them comes "
            "after a special token that ends a turn. Null where the tokens do not tell.",
            nullable=True,
        ),
        _field(
            "thinking_end",
            pa.int32(),
            "Characters of the text that are reasoning, marks included; the answer follows. All of "
            "the text where the reasoning was cut off. Null where the prompt asks for none.",
            nullable=True,
        ),
        _field(
            "thinking_tokens",
            pa.int32(),
            "Tokens of the reasoning, its marks included; the others are the answer's. Null where "
            "the prompt asks for none, or a server does not tell.",
            nullable=True,
        ),
        _field("run", pa.dictionary(pa.int32(), pa.string()), "The run that drew the sample."),
    ],
    metadata={b"distlab.schema": b"samples", FORMAT_KEY: str(FORMAT).encode()},
)
