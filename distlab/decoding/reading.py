"""Token ids of a completion to the completion that a request would have given."""

from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import Completion, Engine


def read(
    engine: Engine,
    prompt_ids: tuple[int, ...],
    stopping: StoppingCriteria,
    token_ids: tuple[int, ...],
) -> Completion:
    """Read what was emitted after a prompt, up to EOS or the token that completes a stop string.

    Args:
        engine: Whose tokens they are.
        prompt_ids: What they follow.
        stopping: Where the completion ends.
        token_ids: All that was emitted.
    """
    reader, eos = engine.detokenizer(prompt_ids, stopping.stop), engine.eos_token_ids
    for index, token in enumerate(token_ids):
        if token in eos:
            return Completion(token_ids[: index + 1], reader.text, truncated=False)
        if (stop := reader.read(token)) is not None:
            return Completion(
                token_ids[: index + 1], reader.text, truncated=False, stop_string=stop
            )
    return Completion(token_ids, reader.text, len(token_ids) >= stopping.max_tokens)
