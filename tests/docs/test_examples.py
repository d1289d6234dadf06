"""The worked examples of the guides in docs/, through the doors that a user takes."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distlab.config.compose import compose_config, own_folders
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.console.main import Command
from distlab.decoding.interface import Sample
from distlab.errors import UserError
from distlab.list.__main__ import main as list_options
from distlab.plan.__main__ import main as plan
from distlab.problems import load_dataset, load_exemplars
from distlab.problems.problem import Problem
from distlab.scoring.judging import GraderFacts
from distlab.scoring.pieces import CellSource, SourceProblem, divide
from distlab.scoring.pool import PoolSettings
from distlab.scoring.score_piece import Scorer, ScoringJob, verdict_file
from distlab.store.batches import to_batch
from distlab.store.shard import encode

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
GUIDES = ("contributing.md", "datasets.md", "prompts.md")
GUIDE = "".join((DOCS / name).read_text(encoding="utf-8") for name in GUIDES)
# A file of the guide: its name, then the whole of it.
SHOWN = re.findall(r"`(docs/examples/\S+)`:\n\n```\w+\n(.*?)```\n", GUIDE, re.DOTALL)
COMMANDS = re.findall(r"^    (distlab (?:plan|list) .+)$", GUIDE, re.MULTILINE)
OWN = ("dataset=quiz", "extractor=[rules,last-line]", "grader=[standard,within]")


@pytest.fixture(autouse=True)
def in_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def study(*overrides: str) -> Study:
    return validate(compose_config([*own_folders([Path("conf")]), *overrides]))


def graded(
    made: Study, problems: Sequence[Problem], texts: Sequence[str], folder: Path
) -> set[str]:
    """What each judge says of one text per problem: "extractor/grader answer verdict"."""
    samples = [
        Sample(problem.id, 0, (1,), (2,), text, truncated=False)
        for problem, text in zip(problems, texts, strict=True)
    ]
    shard = folder / "samples.parquet"
    shard.write_bytes(encode(pa.Table.from_batches([to_batch(samples, "run")])))
    golds = {problem.id: SourceProblem(problem.gold) for problem in problems}
    facts = tuple(map(GraderFacts.of, made.graders))
    job = ScoringJob(folder, made.extractors, facts, PoolSettings(deadline_s=600.0), None)
    scorer = Scorer(job)
    try:
        (piece,) = divide(CellSource("cell", [str(shard)], 1, golds), "test")
        scorer.score(piece)
    finally:
        scorer.close()
    rows = pq.read_table(verdict_file(folder, piece)).to_pylist()
    return {f"{r['extractor']}/{r['grader']} {r['answer']} {r['verdict']}" for r in rows}


def test_the_guide_shows_the_files_as_they_are() -> None:
    files = {str(f.relative_to(DOCS.parent)) for f in EXAMPLES.rglob("*.*") if f.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    assert {name for name in files if name.endswith((".py", ".yaml"))} <= {n for n, _ in SHOWN}
    for name, text in SHOWN:
        assert text == (DOCS.parent / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("command", COMMANDS)
def test_the_guides_commands_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    doors: dict[str, Command] = {"plan": plan, "list": list_options}
    _, door, *words = shlex.split(command)
    assert doors[door](words) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    names = ("quiz", "own-7b", "hot", "last-line", "within", "exam", "capitals")
    wanted = [name for name in names if re.search(rf"[=\[,]{name}\b", command)]
    assert all(name in said for name in wanted if name not in ("last-line", "within"))


def test_an_own_dataset_has_its_problems_checked(tmp_path: Path) -> None:
    (spec,) = study("dataset=quiz").datasets
    loaded = load_dataset(spec)
    assert [problem.gold.text for problem in loaded.problems] == ["120", "8.05", "366"]
    assert {problem.strata["topic"] for problem in loaded.problems} == {"time", "length"}
    assert len(load_exemplars(spec)) == 1
    (tmp_path / "bad.jsonl").write_text('{"question": "?", "answer": "many", "topic": "t"}\n')
    (bad,) = study("dataset=quiz", f"dataset.path='{tmp_path / 'bad.jsonl'}'").datasets
    with pytest.raises(UserError, match=r"bad\.jsonl line 1: field `answer` must be a number"):
        load_dataset(bad)


def test_own_extractor_and_grader_judge_samples(tmp_path: Path) -> None:
    made = study(*OWN)
    problems = load_dataset(made.datasets[0]).problems
    texts = ("Two times 60.\n120", "About that.\nAnswer: 8.0\n", "One more.\n365 of them")
    assert graded(made, problems, texts, tmp_path) == {
        "rules/standard 120 correct",
        "rules/within 120 correct",
        "rules/standard 8.0 incorrect",
        "rules/within 8.0 correct",
        "rules/standard 365 incorrect",
        "rules/within 365 correct",
        "last-line/standard 120 correct",
        "last-line/within 120 correct",
        "last-line/standard 8.0 incorrect",
        "last-line/within 8.0 correct",
        "last-line/standard 365 of them incorrect",
        "last-line/within 365 of them error",
    }


def test_options_of_an_own_grader_are_checked_at_the_door() -> None:
    with pytest.raises(UserError, match="tolerance is 2, and must be from 0 to below 1"):
        study(*OWN, "grader.use.within.options.tolerance=2")


def test_an_own_decoding_and_model_are_a_file_each() -> None:
    made = study("decoding=hot", "model=own-7b")
    assert {arm.decoding.name for arm in made.arms} == {"hot"}
    assert (made.family.name, made.family.max_model_len) == ("own-7b", 4096)


def test_an_own_prompt_style_is_laid_out_as_its_template_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert plan(["--config-dir", "conf", "dataset=arithmetic", "prompt=exam"]) == 0
    said = capsys.readouterr().out
    base, instruct = said.split("prompt · arithmetic · exam")[1:]
    for shown in (base, instruct):
        assert "│ You sit an exam in mathematics." in shown
        assert shown.count("Task: ") == 3
        assert "Think step by step" in shown
