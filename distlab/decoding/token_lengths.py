"""Where tokens end in their text."""

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]

# Tokens after which decoding starts anew, from the last of them (ours): work stays linear.
_WINDOW = 8
# Tokens that may pass without a whole character before what is there counts as text (ours). A
# character has four bytes at most, so a model that gets here writes no UTF-8.
_PATIENCE = 32
_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


def token_lengths(decode: Decode, token_ids: Sequence[int]) -> tuple[int, ...]:
    """Characters of the text that each token completes, one value per token.

    Their running sum is where each token ends in ``decode(token_ids)``. A character that takes
    several tokens belongs to the one that completes it. A token is decoded after its neighbours,
    since some tokenizers drop the space of a first one.

    Args:
        decode: Token ids to text, special tokens skipped.
        token_ids: Everything that was emitted.
    """
    pieces = {token: decode((token,)) for token in set(token_ids)}
    told = [pieces[token] for token in token_ids]
    if "".join(told) == decode(token_ids) and not any(map(_has_incomplete, pieces.values())):
        # No token minds its neighbours, as with most tokenizers in most languages.
        return tuple(map(len, told))
    return _among_neighbours(decode, token_ids)


def _has_incomplete(text: str) -> bool:
    return _INCOMPLETE in text


def _among_neighbours(decode: Decode, token_ids: Sequence[int]) -> tuple[int, ...]:
    lengths = []
    start, before = 0, 0
    for index in range(len(token_ids)):
        text = decode(token_ids[start : index + 1])
        whole = len(text.rstrip(_INCOMPLETE))
        tokens = index + 1 - start
        if tokens >= _PATIENCE:
            whole = len(text)
        lengths.append(max(0, whole - before))
        before = max(before, whole)
        if tokens >= _PATIENCE:
            start, before = index + 1, 0
        elif tokens >= _WINDOW and whole == len(text):
            alone = decode(token_ids[index : index + 1])
            if alone and not alone.endswith(_INCOMPLETE):
                start, before = index, len(alone)
    return tuple(lengths)
