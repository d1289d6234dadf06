"""A checkpoint in; its tokenizer out."""

from typing import TYPE_CHECKING

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.checkpoints.hub import gated_message
from distlab.errors import Unavailable, UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


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
    except (OSError, ValueError, ImportError) as error:
        # The hub tells of a gated repository freely and refuses its files; transformers wraps that.
        if "gated repo" in str(error):
            raise Unavailable(gated_message(checkpoint.id)) from error
        if "trust_remote_code" in str(error) and not trust_remote_code:
            raise Unavailable(
                f"the tokenizer of {checkpoint.id} is code that its repository ships: read it, "
                "pin `model.*.revision` to the commit you read, and set "
                "model.trust_remote_code=true"
            ) from error
        raise UserError(f"the tokenizer of {checkpoint.id} does not load: {error}") from error
