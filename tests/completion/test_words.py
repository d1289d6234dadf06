"""What can come next on a command line."""

from pathlib import Path

import pytest

from distlab.completion.words import candidates
from distlab.console.commands import COMMANDS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, a sweep of one job, and names that need quotes."""
    for run in ("runs/b", "runs/sweep/0-m", "runs/od d"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "manifest.json").touch()
    (tmp_path / "runs" / "empty").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "rows.jsonl").touch()
    (tmp_path / "a $(b)").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("distlab st", ["status ", "store "]),
        ("distlab --v", ["--version "]),
        ("distlab nothing ", []),
        ("distlab store ver", ["verify "]),
        ("distlab store nothing ", []),
        ("distlab store gc --", ["--help ", "--delete ", "--older-than "]),
        ("distlab store verify s", ["store/"]),
        ("distlab score ", ["runs/sweep/0-m ", "runs/b ", "runs/sweep "]),
        ("distlab view runs/b", ["runs/b "]),
        ("distlab compare runs/b runs/s", ["runs/sweep/0-m ", "runs/sweep "]),
        ("distlab report --into s", ["store/"]),
        ("distlab report st", ["store/"]),
        ("distlab ingest ", ["rows.jsonl ", "runs/", "store/"]),
        ("distlab ingest rows.jsonl --variant i", ["instruct "]),
        ("distlab ingest --map gold=g samples=s --variant b", ["base "]),
        ("distlab list pr", ["prompts "]),
        ("distlab jobs s", ["slurm "]),
        ("distlab jobs ray --det", ["--detach "]),
        ("distlab jobs ray --detach --address URL model=smollm-", ["model=smollm-3b "]),
        ("distlab run --cf", ["--cfg "]),
        ("distlab run -m model=qwen3-1", ["model=qwen3-14b "]),
        ("distlab run dataset.li", ["dataset.limit="]),
        ("distlab run +experiment=p", ["+experiment=paper "]),
        ("distlab run exp", []),
        ("distlab run 'dataset=[gsm8k,", []),
        ("distlab run dataset=[gsm8k,med", ["dataset=[gsm8k,medcalc"]),
        ("distlab run model=qwen3-8b,kimi", ["model=qwen3-8b,kimi-k2"]),
        ("distlab plan model=kimi-k2 cluster=h2", ["cluster=h200-1x8 "]),
        ("distlab plan modle=x model.n", []),
        ("distlab score runs/b grader=p", ["grader=prm800k "]),
        ("distlab score runs/b model=q", []),
    ],
)
def test_candidates(line: str, words: list[str]) -> None:
    assert candidates(line) == words


@pytest.mark.parametrize("option", ["--config-dir own", "--config-dir=own"])
@pytest.mark.parametrize("command", ["run", "plan"])
def test_options_of_a_folder_of_ones_own_are_offered(
    command: str, option: str, folder: Path
) -> None:
    (folder / "own" / "model").mkdir(parents=True)
    (folder / "own" / "model" / "zeta-7b.yaml").write_text("name: zeta-7b\n")
    line = f"distlab {command} {option} seed=1 model=zet"
    assert candidates(line) == ["model=zeta-7b "]
    assert candidates(line.replace("own", "nowhere")) == []


def test_parts_of_options_are_not_offered() -> None:
    assert "decoding=paper " in candidates("distlab plan decoding=")
    assert "decoding=_methods " not in candidates("distlab plan decoding=")


def test_all_commands_come_first() -> None:
    assert {word.strip() for word in candidates("distlab ")} >= set(COMMANDS)


def test_every_command_offers_its_options() -> None:
    assert all("--help " in candidates(f"distlab {command} --") for command in COMMANDS)


def test_a_line_with_nothing_on_it_is_offered_the_commands() -> None:
    assert "run " in candidates("")
