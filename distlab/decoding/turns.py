r"""Where a completion's own chat turn ends, by its tokens.

A model that goes on after its turn emits the tokens that end a turn and open the next. They are
special, so the text lacks them: all that is left there is a role on a line ("18.\nuser\n"), which
may as well be the model's own words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from distlab.decoding.interface import Engine, Sample

# Names of tokens that end or open a turn, a message or a document, without brackets and signs, in
# lower case: of ChatML, Llama, Mistral, Gemma, Phi, DeepSeek, Command, EXAONE, Granite. (ours)
_ENDS_TURN = re.compile(
    r"s|[be]os|eo[tm](?:id)?|(?:begin|start|end)of(?:text|sentence|turn|role)(?:token)?"
    r"|im(?:start|end|sep|user|assistant|system)|(?:start|end)headerid"
    r"|(?:user|assistant|chatbot|system)(?:token|prompt)?|inst|sys"
)
_SIGNS = re.compile(r"[\W_]+")


def turn_end(engine: Engine, sample: Sample, stop: tuple[str, ...]) -> int | None:
    """How much of a sample's text is the turn that was asked for.

    A token with nothing before it opens the sample's own turn, as a chat template would have.

    Args:
        engine: What drew the sample.
        sample: A completion whose text is the engine's reading of its tokens.
        stop: What ended it, beside EOS.

    Returns:
        Characters; all of the text where no token ends the turn before its end. None where the
        tokens do not tell: there are none, none ends the turn and some special ones are not known
        here (of reasoning, of tools), or the text is not what the engine reads off them.
    """
    special, token_ids = engine.special_tokens, sample.token_ids
    if not token_ids:
        return None
    # After the last token there is no text.
    places = [place for place, token in enumerate(token_ids[:-1]) if token in special]
    ends = [place for place in places if _ends_turn(special[token_ids[place]])]
    for before in _texts_before(engine, sample, stop, ends):
        if before.strip():
            shared = min(len(before), len(sample.text))
            # The text may be cut before a stop string that began earlier.
            return shared if before[:shared] == sample.text[:shared] else None
    return len(sample.text) if len(ends) == len(places) else None


def _ends_turn(token: str) -> bool:
    return bool(_ENDS_TURN.fullmatch(_SIGNS.sub("", token).lower()))


def _texts_before(
    engine: Engine, sample: Sample, stop: tuple[str, ...], places: Sequence[int]
) -> Iterator[str]:
    """The text up to each of some tokens, as whoever made the sample's text reads it."""
    if sample.token_lengths is not None:
        lengths = list(accumulate(sample.token_lengths, initial=0))
        yield from (sample.text[: lengths[place]] for place in places)
        return
    reader, begin = engine.detokenizer(sample.prompt_ids, stop), 0
    for place in places:
        for token in sample.token_ids[begin:place]:
            reader.read(token)
        begin = place
        yield reader.text
