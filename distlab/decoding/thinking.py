"""Where a completion's reasoning ends and its answer begins, where a prompt asks for some."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from distlab.decoding.interface import Engine, Sample


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a model marks its reasoning.

    Attributes:
        open: What begins it.
        close: What ends it.
        open_id: The token that ``open`` is; None where it is none by itself.
        close_id: The token that ``close`` is; None where it is none by itself.
        is_opened: The prompt ends with ``open``, so that the completion begins inside.
    """

    open: str
    close: str
    open_id: int | None = None
    close_id: int | None = None
    is_opened: bool = False


def parted(engine: Engine, sample: Sample, stop: tuple[str, ...], thinking: Thinking) -> Sample:
    """The sample with the place where its reasoning ends, and the tokens that this takes.

    A completion that never closes its reasoning is reasoning to its end, wherever it was cut off;
    one that neither closes nor opens any is all answer.

    Args:
        engine: What drew the sample.
        sample: A completion whose text is the engine's reading of its tokens.
        stop: What ended it, beside EOS.
        thinking: How reasoning is marked.
    """
    if sample.thinking_end is not None:
        # The server has parted it.
        return sample
    text, ids = sample.text, sample.token_ids
    place = ids.index(thinking.close_id) if thinking.close_id in ids else None
    seen = text.find(thinking.close)
    if seen >= 0:
        end = seen + len(thinking.close)
        tokens = _tokens_within(engine, sample, stop, end) if place is None else place + 1
    elif place is not None:
        # A special token, which no text shows.
        end = min(len(text), _lengths(engine, sample, stop, place)[-1])
        tokens = place + 1
    elif thinking.is_opened or _opens(sample, thinking):
        end, tokens = len(text), sample.tokens
    else:
        end = tokens = 0
    return replace(sample, thinking_end=end, thinking_tokens=tokens)


def _opens(sample: Sample, thinking: Thinking) -> bool:
    token = thinking.open_id
    return (token is not None and sample.token_ids[:1] == (token,)) or (
        sample.text.lstrip().startswith(thinking.open)
    )


def _tokens_within(engine: Engine, sample: Sample, stop: tuple[str, ...], end: int) -> int | None:
    """Tokens up to the one that completes so much of the text; None where none are known."""
    if not sample.token_ids:
        return None
    lengths = _lengths(engine, sample, stop, len(sample.token_ids))
    return next((i for i, length in enumerate(lengths) if length >= end), len(sample.token_ids))


def _lengths(engine: Engine, sample: Sample, stop: tuple[str, ...], tokens: int) -> Sequence[int]:
    """Characters of the text after 0, 1, ... tokens."""
    if sample.token_lengths is not None:
        return list(accumulate(sample.token_lengths[:tokens], initial=0))
    return list(_read(engine, sample, stop, tokens))


def _read(engine: Engine, sample: Sample, stop: tuple[str, ...], tokens: int) -> Iterator[int]:
    reader = engine.detokenizer(sample.prompt_ids, stop)
    yield 0
    for token in sample.token_ids[:tokens]:
        if token not in engine.eos_token_ids:
            reader.read(token)
        yield len(reader.text)
