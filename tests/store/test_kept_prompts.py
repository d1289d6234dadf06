from pathlib import Path

import pytest

from distlab.errors import UserError
from distlab.prompts import Prompt, Turn
from distlab.store.kept_prompts import (
    PROMPTS,
    KeptPrompt,
    find_prompt,
    keep_prompts,
    prompt_table,
)
from distlab.store.store import Store, StoredCell
from tests.store.cells import fill, make_cell

CHAT = KeptPrompt.of(
    Prompt("b", "[user]<b>\u202e\x00[end]", (4, 5), (), (Turn("user", "<b>\u202e\x00"),))
)
PLAIN = KeptPrompt.of(Prompt("a", "Q: 1\nA:", (1, 2, 3), ("\nQ:",)))


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path / "store")))


def files(cell: StoredCell) -> list[Path]:
    return sorted(Path(cell.path).glob("prompts-*"))


def test_prompts_come_back_as_they_were(cell: StoredCell) -> None:
    keep_prompts(cell, [PLAIN, CHAT])
    for kept in (PLAIN, CHAT):
        assert find_prompt(cell, kept.problem_id, kept.prompt_hash) == kept
    table = prompt_table(cell)
    assert table.schema.names == PROMPTS.names
    assert table["turns"].to_pylist() == [[], [{"role": "user", "content": "<b>\u202e\x00"}]]


def test_a_samples_prompt_is_found_by_the_hash_that_it_names(cell: StoredCell) -> None:
    keep_prompts(cell, [PLAIN])
    fill(cell, "a", 1)
    (named,) = cell.samples(["prompt_hash"])["prompt_hash"].to_pylist()
    assert find_prompt(cell, "a", named) == PLAIN
    assert find_prompt(cell, "a", CHAT.prompt_hash) is None


def test_each_is_kept_once_whatever_is_kept_again(cell: StoredCell) -> None:
    keep_prompts(cell, [PLAIN])
    keep_prompts(cell, [PLAIN])
    assert len(files(cell)) == 1
    keep_prompts(cell, [PLAIN, CHAT])
    assert len(files(cell)) == 2
    assert prompt_table(cell).num_rows == 2
    keep_prompts(cell, [CHAT, PLAIN])
    assert len(files(cell)) == 2


def test_a_cell_of_an_earlier_distlab_keeps_none(cell: StoredCell) -> None:
    fill(cell, "a", 2)
    assert prompt_table(cell).num_rows == 0
    assert find_prompt(cell, "a", PLAIN.prompt_hash) is None
    keep_prompts(cell, [])
    assert files(cell) == []


def test_kept_prompts_are_no_samples(cell: StoredCell) -> None:
    fill(cell, "a", 2)
    keep_prompts(cell, [PLAIN])
    assert len(cell.shards()) == 1
    assert cell.ranks() == {"a": {0, 1}}


@pytest.mark.parametrize("change", ["cut", "flip"])
def test_a_damaged_file_is_one_sentence_with_the_remedy(cell: StoredCell, change: str) -> None:
    keep_prompts(cell, [PLAIN, CHAT])
    (file,) = files(cell)
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data[:50] if change == "cut" else data)
    with pytest.raises(UserError, match=r"prompts-\w+\.parquet is damaged: delete it"):
        prompt_table(cell)
    file.unlink()
    keep_prompts(cell, [PLAIN, CHAT])
    assert prompt_table(cell).num_rows == 2
