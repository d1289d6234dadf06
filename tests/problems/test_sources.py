import json
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from distlab.errors import UserError
from distlab.problems import DatasetSpec, load_dataset
from distlab.problems.sources import HubFiles, from_hub, from_web

COMMIT = "c" * 40
QUESTION = {"question": "What is 1 + 1?", "answer": "1 + 1 = <<1+1=2>>2\n#### 2"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snapshot folder that every download answers with; its name is the resolved commit."""
    folder = tmp_path / "snapshots" / COMMIT
    folder.mkdir(parents=True)

    def download(*_: object, **__: object) -> str:
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return folder


def test_the_resolved_commit_is_recorded(
    hub: Path, spec: Callable[..., DatasetSpec], write: Callable[..., Path]
) -> None:
    (hub / "main").mkdir()
    write("rows.parquet", [QUESTION]).rename(hub / "main" / "test-00000-of-00001.parquet")
    loaded = load_dataset(spec("gsm8k"))
    assert loaded.revision == COMMIT
    assert loaded.source == "hub:openai/gsm8k"
    assert "has 1 rows where the published set has 1319" in loaded.notes[0]


def test_one_format_of_a_split_is_read(hub: Path) -> None:
    for name in ("test.csv", "test_data.csv"):
        (hub / name).write_text("a\n1\n")
    (hub / "data").mkdir()
    (hub / "data" / "test-0.jsonl").write_text('{"a": 1}\n')
    source = from_hub(HubFiles("org/set", ("test*", "data/test*")), "main", "set", "dataset.path")
    assert len(source.rows) == 1


def test_a_repository_without_the_split_is_refused(hub: Path) -> None:
    with pytest.raises(UserError, match=r"org/set at v9 has no file like test\*"):
        from_hub(HubFiles("org/set", ("test*",)), "v9", "set", "dataset.path")


def test_no_hub_and_no_cache_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, spec: Callable[..., DatasetSpec]
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no connection\nand much more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(UserError, match=r"does not answer, .*give dataset\.path=FILE$"):
        load_dataset(spec("gsm8k"))
    with pytest.raises(UserError, match=r"give dataset\.sets\.NAME\.path=FILE$"):
        load_dataset(spec("gsm8k", is_alone=False))


def test_the_web_copy_is_kept_for_a_day_without_web(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTLAB_CACHE", str(tmp_path / "cache"))
    page = tmp_path / "set.jsonl"
    page.write_text(json.dumps({"a": 1}) + "\n")
    first = from_web(page.as_uri(), "set", "dataset.path", COMMIT)
    assert (len(first.rows), first.revision, first.notes) == (1, COMMIT, ())
    page.unlink()
    second = from_web(page.as_uri(), "set", "dataset.path")
    assert len(second.rows) == 1
    assert "could not be reached: the copy fetched on" in second.notes[0]
    with pytest.raises(UserError, match=r"cannot be fetched from .*give dataset\.path=FILE"):
        from_web((tmp_path / "other.jsonl").as_uri(), "set", "dataset.path")
