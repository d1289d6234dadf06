import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.prompts.tokens import encode, tokenizer_hash, writes_bos

BOS, EOS = 256, 257


@pytest.mark.parametrize(
    ("adds_bos", "bos", "text", "front"),
    [
        (True, True, "Q: 1", (BOS,)),
        # The chat template wrote it already.
        (True, True, "<s>Q: 1", (BOS,)),
        (False, True, "<s>Q: 1", (BOS,)),
        # A BOS that the tokenizer names but never writes (GPT-2, SmolLM2).
        (False, True, "Q: 1", ()),
        (False, False, "Q: 1", ()),
        (True, True, "", (BOS,)),
        (False, True, "", ()),
    ],
)
def test_bos_stands_in_front_once(
    bytes_tokenizer: Callable[..., PreTrainedTokenizerBase],
    adds_bos: bool,
    bos: bool,
    text: str,
    front: tuple[int, ...],
) -> None:
    ids = encode(bytes_tokenizer(adds_bos=adds_bos, bos=bos), text)
    assert ids[: len(front)] == front
    assert ids.count(BOS) == len(front)
    assert EOS not in ids
    assert len(ids) == len(front) + len(text.removeprefix("<s>"))


def test_writes_bos(bytes_tokenizer: Callable[..., PreTrainedTokenizerBase]) -> None:
    assert writes_bos(bytes_tokenizer(adds_bos=True))
    assert not writes_bos(bytes_tokenizer())
    assert not writes_bos(bytes_tokenizer(bos=False))


def test_hash_sees_every_rule_but_no_call(
    bytes_tokenizer: Callable[..., PreTrainedTokenizerBase],
) -> None:
    plain = bytes_tokenizer()
    assert tokenizer_hash(plain) == tokenizer_hash(bytes_tokenizer())
    assert tokenizer_hash(plain) != tokenizer_hash(bytes_tokenizer(adds_bos=True))
    assert tokenizer_hash(plain) != tokenizer_hash(bytes_tokenizer(bos=False))
    before = tokenizer_hash(plain)
    plain("a b c", truncation=True, max_length=2)
    assert tokenizer_hash(plain) == before
    plain.add_tokens(["new"])
    assert tokenizer_hash(plain) != before


def test_hash_is_the_same_in_another_process(smollm2: PreTrainedTokenizerBase) -> None:
    program = (
        "from transformers import AutoTokenizer;"
        "from distlab.prompts.tokens import tokenizer_hash;"
        f"print(tokenizer_hash(AutoTokenizer.from_pretrained({smollm2.name_or_path!r})))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert found.stdout.strip() == tokenizer_hash(smollm2)


def test_smollm2_never_gets_its_turn_marker_in_front(smollm2: PreTrainedTokenizerBase) -> None:
    assert smollm2.bos_token == "<|im_start|>"
    assert encode(smollm2, "Q: 1")[0] != smollm2.bos_token_id
    assert encode(smollm2, "<|im_start|>user\n")[:2].count(smollm2.bos_token_id) == 1
