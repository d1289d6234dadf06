from collections.abc import Callable

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

TURNS = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture
def bytes_tokenizer() -> Callable[..., PreTrainedTokenizerBase]:
    """A tokenizer of single bytes: with or without BOS, written by itself or by its template."""

    def make(
        *, adds_bos: bool = False, bos: bool = True, template: str | None = TURNS
    ) -> PreTrainedTokenizerBase:
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        core = Tokenizer(models.BPE({sign: index for index, sign in enumerate(alphabet)}, []))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        core.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
        if adds_bos:
            core.post_processor = processors.TemplateProcessing(
                single="<s> $A </s>", special_tokens=[("<s>", 256), ("</s>", 257)]
            )
        names = {"eos_token": "</s>"} | ({"bos_token": "<s>"} if bos else {})
        return PreTrainedTokenizerFast(tokenizer_object=core, chat_template=template, **names)

    return make
