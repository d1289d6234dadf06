"""Searches in completions."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from distlab.errors import UserError
from distlab.view.app import make_app
from distlab.view.completions import Completions
from distlab.view.index import RunIndex
from distlab.view.samples import Filter
from distlab.view.texts import Texts


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISTLAB_CACHE", str(tmp_path))
    return tmp_path / "completions"


def opened(run: Path) -> tuple[RunIndex, Completions]:
    index = RunIndex.open(run)
    return index, Completions(index.db, Texts.open(index.manifest))


FOUND = {
    # Instruct's two boxes and answers of 12, without case and wherever they stand.
    "THE ANSWER IS 12": 1,
    "\\boxed{12}": 1,
    "q: what is 2 + 2?": 2,
    "{{ 7 * 7 }}": 2,
    "</div></pre>": 2,
    "\x00nul": 2,
    "50%_": 0,
    "'; DROP TABLE sample; --": 0,
}


def test_substrings_are_found_as_they_were_typed(scored_run: Path) -> None:
    index, completions = opened(scored_run)
    assert completions.is_ready(60)
    assert {text: index.count(Filter(completion=text)) for text in FOUND} == FOUND
    assert index.count(Filter(completion="the answer", arm="base/cot")) == 6


def test_what_was_read_is_kept_for_the_next_view(scored_run: Path, cache: Path) -> None:
    for _ in range(2):
        index, completions = opened(scored_run)
        assert completions.is_ready(60)
        assert index.count(Filter(completion="I do not know")) == 1
        kept = [file.name for file in cache.iterdir()]
        assert len(kept) == 1
        written = (cache / kept[0]).stat().st_mtime_ns
    assert (cache / kept[0]).stat().st_mtime_ns == written


def test_searches_beyond_the_recent_ones_are_made_again(scored_run: Path) -> None:
    index, completions = opened(scored_run)
    assert completions.is_ready(60)
    for _ in range(2):
        found = [index.count(Filter(completion=f"the answer is {n}")) for n in range(40)]
        assert found[12:15] == [1, 1, 1]
    tables = index.db.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name ^@ 'find_'")
    assert tables.fetchall() == [(32,)]


def test_a_folder_that_cannot_be_written_is_a_sentence_each_time(
    scored_run: Path, cache: Path
) -> None:
    cache.touch()
    _, completions = opened(scored_run)
    for _ in range(2):
        with pytest.raises(UserError, match="DISTLAB_CACHE names another folder"):
            completions.is_ready(60)
    cache.unlink()
    assert completions.is_ready(60)


def test_a_page_says_that_texts_are_still_read(
    scored_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Completions, "is_ready", lambda self, patience: False)
    client = TestClient(make_app([scored_run]), base_url="http://127.0.0.1")
    answer = client.get("/samples?completion=x")
    assert answer.headers["refresh"] == "2"
    assert "0 of 4 shards so far" in answer.text
