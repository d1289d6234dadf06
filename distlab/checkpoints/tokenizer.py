"""A checkpoint in; its tokenizer out."""

import importlib.metadata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.checkpoints.hub import gated_message
from distlab.errors import Unavailable, UserError, summary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


# Where transformers keeps now what tokenizers of hub repositories import from elsewhere (Kimi-K2's
# imports the first from transformers.models.gpt2.tokenization_gpt2).
_MOVED: Final[Mapping[str, str]] = {"bytes_to_unicode": "transformers.convert_slow_tokenizer"}


def load_tokenizer(
    checkpoint: Checkpoint, *, trust_remote_code: bool = False
) -> "PreTrainedTokenizerBase":
    """The checkpoint's tokenizer.

    Raises:
        UserError: The checkpoint has no tokenizer that loads.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            checkpoint.model, revision=checkpoint.revision, trust_remote_code=trust_remote_code
        )
    except Exception as error:  # whatever a checkpoint's code raises, or its files bring about
        # The hub tells of a gated repository freely and refuses its files; transformers wraps that.
        if "gated repo" in str(error):
            raise Unavailable(gated_message(checkpoint.id)) from error
        if "trust_remote_code" in str(error) and not trust_remote_code:
            raise Unavailable(
                f"the tokenizer of {checkpoint.id} is code that its repository ships: read it, "
                "pin `model.*.revision` to the commit you read, and set "
                "model.trust_remote_code=true"
            ) from error
        if isinstance(error, ImportError) and "cannot import name" in str(error):
            raise UserError(_outdated(checkpoint, error)) from error
        # Of these the type says nothing that their texts do not.
        is_told = isinstance(error, (OSError, ValueError, ImportError))
        reason = str(error) if is_told else summary(error)
        raise UserError(f"the tokenizer of {checkpoint.id} does not load: {reason}") from error


def _outdated(checkpoint: Checkpoint, error: ImportError) -> str:
    """The sentence for a checkpoint's own code that imports what is not there."""
    version = importlib.metadata.version("transformers")
    moved = (new for name, new in _MOVED.items() if f"'{name}'" in str(error))
    place = "".join(f", which now is in {new}" for new in moved)
    return (
        f"the tokenizer of {checkpoint.id} is code for another version of transformers than "
        f"{version}: {error}; pin `model.*.revision` to a commit that imports it from where it is"
        f"{place}, or copy the checkpoint into a folder, correct the import there and name the "
        "folder as `model.*.id`"
    )
