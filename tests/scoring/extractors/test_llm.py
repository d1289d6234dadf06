from pathlib import Path

import pytest

from distlab.decoding.interface import Sample
from distlab.errors import UserError
from distlab.problems.problem import GoldKind
from distlab.scoring.extractors.llm import LLM, REQUEST
from distlab.scoring.reading import text_key
from distlab.scoring.types import ComponentSpec, load_extractor
from distlab.store.batches import to_batch
from distlab.store.store import Store

READINGS = {
    "So she has 18 eggs left.": "18",
    "I cannot say.": "None.",
    "It costs $1,234.50 in all.": "The final answer is $1,234.50.",
    # What is shown of a text that runs on.
    "x is **7**": "7",
    "One\nuser\nbought 12.": "12",
    "One": "1",
    "He made it up.": "42",
    "It writes much.": "\n\n\\frac{1}{2}\nbecause of that",
}


@pytest.fixture
def llm(tmp_path: Path) -> LLM:
    cell = "extractors/llm/greedy/completions/read/0123456789abcdef"
    store = Store.open(str(tmp_path))
    rows = [
        Sample(text_key(text), 0, (1,), (2,), output, truncated=False)
        for text, output in READINGS.items()
    ]
    store.fs.create_dir(f"{store.root}/{cell}", recursive=True)
    store.cell(cell).commit([to_batch(rows, "run")])
    return LLM(store=str(tmp_path), cell=cell, id="org/reader")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So she has 18 eggs left.", "18"),
        ("I cannot say.", None),
        ("x is **7**\n\nQ: How old is Bob?\nA: 99", "7"),
        ("He made it up.", "42"),
        ("It writes much.", "\\frac{1}{2}"),
    ],
)
def test_the_answer_is_what_the_model_read(llm: LLM, text: str, answer: str | None) -> None:
    assert llm.extract(text, GoldKind.LATEX).answer == answer


def test_a_sentence_of_the_model_is_read_by_rules(llm: LLM) -> None:
    found = llm.extract("It costs $1,234.50 in all.", GoldKind.NUMBER)
    assert found.answer is not None
    assert "1,234.50" in found.answer


def test_offsets_point_at_the_answer_where_it_stands_in_the_text(llm: LLM) -> None:
    text = "So she has 18 eggs left."
    found = llm.extract(text, GoldKind.NUMBER)
    assert text[found.start : found.end] == "18"
    made_up = llm.extract("He made it up.", GoldKind.NUMBER)
    assert (made_up.answer, made_up.start, made_up.end) == ("42", 0, 0)


def test_the_model_is_shown_the_text_before_it_runs_on(llm: LLM) -> None:
    assert llm.shown("x is **7**\n\nQ: How old is Bob?\nA: 99") == "x is **7**"
    assert "{solution}" in REQUEST


def test_of_a_turn_that_its_tokens_end_all_is_read(llm: LLM) -> None:
    text = "One\nuser\nbought 12."
    assert (llm.shown(text), llm.shown_turn(text)) == ("One", text)
    assert llm.extract(text, GoldKind.NUMBER).answer == "1"
    found = llm.extract_turn(text, GoldKind.NUMBER)
    assert (found.answer, found.cut) == ("12", len(text))


def test_an_empty_completion_needs_no_reading(llm: LLM) -> None:
    assert llm.extract(" \n ", GoldKind.NUMBER).answer is None


def test_a_text_that_was_never_read_is_an_error_and_not_a_missing_answer(llm: LLM) -> None:
    with pytest.raises(LookupError):
        llm.extract("new", GoldKind.NUMBER)


def test_without_readings_it_says_what_to_run() -> None:
    with pytest.raises(UserError, match="extractor="):
        LLM(id="org/reader").extract("text", GoldKind.NUMBER)


def test_a_wrong_option_is_named() -> None:
    spec = ComponentSpec("llm", "distlab.scoring.extractors.llm:LLM", {"id": "a", "max_tokns": 3})
    with pytest.raises(UserError, match="max_tokns"):
        load_extractor(spec)


def test_version_follows_the_readings() -> None:
    versions = {LLM(id="m", store="s", cell=f"a/{key}").version for key in ("x", "y")}
    assert len(versions) == 2


def test_a_model_comes_from_where_a_config_can_say() -> None:
    target = "distlab.scoring.extractors.llm:LLM"
    with pytest.raises(UserError, match="source 'ftp' is unknown: take hub, local or packaged"):
        load_extractor(ComponentSpec("llm", target, {"id": "org/reader", "source": "ftp"}))
