"""Ladders of stages: what a config may say of them, and what a pair is beside them."""

from functools import cache
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from distlab.checkpoints.unfinished import unfinished
from distlab.config.compose import compose_config
from distlab.config.derive import derived
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.errors import UserError
from distlab.jobs.overrides import anchored
from distlab.prompts.prompt import PromptFormat
from tests.checkpoints.made import write_checkpoint
from tests.checkpoints.test_facts import LLAMA

TENSORS = [("model.embed_tokens.weight", "BF16", (1000, 64))]
STAGES = "model.stages=[{name: base, id: a}, {name: sft, id: ./b}, {name: rl, id: c}]"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three checkpoints, and a training's in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c", "ckpts/step-9", "ckpts/step-10", "ckpts/step-2"):
        write_whole(tmp_path / name)
    return tmp_path


def write_whole(folder: Path) -> Path:
    return write_checkpoint(folder, LLAMA, TENSORS)


@cache
def pair() -> DictConfig:
    return compose_config(["model=pair"])


def config_of(*overrides: str) -> DictConfig:
    """As Hydra composes it, at a tenth of the cost."""
    made = OmegaConf.merge(pair(), OmegaConf.from_dotlist(list(overrides)))
    assert isinstance(made, DictConfig)
    return made


def study(*overrides: str) -> Study:
    return validate(config_of(*overrides))


def test_stages_are_a_family_in_their_order() -> None:
    made = study(STAGES)
    assert made.family.name == "a-ladder"
    assert [(s.name, s.checkpoint.id, s.format) for s in made.family.stages] == [
        ("base", "a", PromptFormat.PLAIN),
        ("sft", "./b", PromptFormat.CHAT),
        ("rl", "c", PromptFormat.CHAT),
    ]
    assert made.family.facts is not None
    assert made.family.parameters == 64_000
    arms = [(arm.variant, arm.decoding.name) for arm in made.arms]
    assert arms == [("base", "cot"), ("sft", "t0.05"), ("rl", "t0.05")]
    assert made.variants == ("base", "sft", "rl")


def test_a_stage_says_how_it_is_prompted_and_the_decoding_goes_with_it() -> None:
    made = study(
        "model.stages=[{name: sft, id: a}, {name: base, id: b}, {name: x, id: c, format: plain}]"
    )
    formats = {stage.name: str(stage.format) for stage in made.family.stages}
    assert formats == {"sft": "chat", "base": "chat", "x": "plain"}
    assert [arm.decoding.name for arm in made.arms] == ["t0.05", "t0.05", "cot"]


def test_a_stage_on_top_leaves_the_names_of_the_others() -> None:
    more = STAGES.replace("]", ", {name: rl2, id: b}]")
    assert study(more).family.name == study(STAGES).family.name


def test_a_ladder_of_base_and_instruct_is_the_pair() -> None:
    two = study("model.base.id=a", "model.instruct.id=b")
    ladder = study(
        "model.stages=[{name: base, id: a}, {name: instruct, id: b}]",
        f"model.name={two.family.name}",
    )
    assert ladder.family.stages == two.family.stages
    assert ladder.arms == two.arms


def test_what_was_derived_is_not_derived_again() -> None:
    config = derived(config_of(STAGES))
    assert derived(config) == config
    assert validate(config).family == study(STAGES).family


def test_steps_of_a_folder_are_stages_by_their_numbers(place: Path) -> None:
    cut = write_checkpoint(place / "ckpts" / "step-30", LLAMA, TENSORS) / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-1])
    made = study(r"model.steps={folder: ckpts, pattern: 'step-(\d+)'}")
    assert [stage.name for stage in made.family.stages] == ["step-2", "step-9", "step-10"]
    assert {stage.format for stage in made.family.stages} == {PromptFormat.PLAIN}
    assert made.family.name == "ckpts-ladder"
    assert made.family.notes == ("step-30 is left out: model.safetensors is not whole.",)
    above = study("model.stages=[{name: base, id: a}]", "model.steps={folder: ckpts, format: chat}")
    assert [stage.name for stage in above.family.stages][:2] == ["base", "step-2"]
    assert above.family.stages[1].format is PromptFormat.CHAT


def test_steps_of_a_hub_id_are_its_revisions() -> None:
    with pytest.raises(UserError, match="org/m"):
        study("model.steps={id: org/m, revisions: [s1, s/2]}")
    (first, second) = (
        stage.checkpoint
        for stage in study(
            "model.steps={id: org/m, revisions: [s1, s/2]}",
            *("model.parameters=1e6", "model.max_model_len=2048"),
            *("model.facts.architecture=X", "model.facts.active_parameters=1e6"),
            *("model.facts.weight_bytes=2e6", "model.facts.layers=2"),
            *("model.facts.attention_heads=2", "model.facts.kv_heads=2"),
            "model.facts.kv_bytes_per_token=64",
        ).family.stages
    )
    assert (first.source, first.revision, second.revision) == ("hub", "s1", "s/2")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.stages=[{name: a/b, id: a}]", r"`model\.stages\.0\.name` is 'a/b': take up to 63"),
        ("model.stages=[{name: .x, id: a}]", r"`model\.stages\.0\.name` is '\.x': take up to"),
        ("model.stages=[{name: extractor, id: a}]", "and not 'extractor'"),
        ("model.stages=[{name: s, id: a}, {name: S, id: b}]", "two stages S another name"),
        ("model.stages=[{name: s}]", r"`model\.stages\.0\.id` is missing: give a hub id"),
        ("model.stages=[{id: a}]", r"`model\.stages\[0\]\.name` has no value"),
        ("model.stages=[{name: s, idd: a}]", r"no key 'model\.stages\.0\.idd'; did you mean id"),
        ("model.stages=[s]", r"`model\.stages\.0` is 's': write it as \{id: \.\.\.\}"),
        ("model.stages=[{name: s, id: a, format: qa}]", r"0\.format` is 'qa': take plain or chat"),
        ("model.steps={folder: none}", r"`model\.steps\.folder` is 'none': name a folder that is"),
        ("model.steps={folder: ckpts, pattern: '('}", "it is no regular expression"),
        ("model.steps={folder: ckpts, pattern: step}", "put the step in brackets"),
        ("model.steps={folder: ckpts, pattern: 'x(y)'}", "no folder in it has a name of"),
        ("model.steps={folder: ckpts, pattern: '(st)ep'}", "it finds no whole number"),
        ("model.steps={}", "needs one of `id` and `folder`"),
        ("model.steps={id: org/m}", "name revisions of org/m, the earliest first"),
    ],
)
def test_a_ladder_that_is_none_has_its_sentence(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        study(override)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((STAGES, "model.base.id=a"), "with stages of your own take model=pair"),
        ((STAGES, "decoding.until=decided"), "there is a ladder of stages: take until=all"),
        ((STAGES, "report.pairs=[[sft, dpo]]"), r"write each as \[FIRST, SECOND\], two of base,"),
        ((STAGES, "report.pairs=[sft]"), r"`report\.pairs` is 'sft': write each as"),
    ],
)
def test_what_a_ladder_does_not_go_with(overrides: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        study(*overrides)


def test_stages_of_two_architectures_are_refused(place: Path) -> None:
    write_checkpoint(place / "b", {**LLAMA, "num_hidden_layers": 3}, TENSORS)
    with pytest.raises(UserError, match=r"a has 2 layers and \./b has 3"):
        study(STAGES)


def test_the_folders_of_stages_are_made_fit_for_another_folder(place: Path) -> None:
    config = compose_config(["model=pair", STAGES])
    moved = compose_config(anchored(["model=pair", STAGES], config))
    assert OmegaConf.select(moved, "model.stages.1.id") == str(place / "b")
    steps = "model.steps={folder: ckpts}"
    config = compose_config(["model=pair", steps])
    moved = compose_config(anchored(["model=pair", steps], config))
    assert moved.model.steps.folder == str(place / "ckpts")


def test_what_a_checkpoint_lacks_is_said_until_it_is_whole(place: Path) -> None:
    folder = place / "new"
    folder.mkdir()
    assert unfinished(folder) == "config.json is not there"
    (folder / "config.json").write_text("{")
    assert unfinished(folder) == ("config.json or model.safetensors.index.json is not whole")
    (folder / "config.json").write_text("{}")
    assert unfinished(folder) == "it has no weights in safetensors"
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"x": "one.safetensors", "y": "two.safetensors"}}')
    whole = (place / "a" / "model.safetensors").read_bytes()
    (folder / "one.safetensors").write_bytes(whole)
    assert unfinished(folder) == "two.safetensors is not there"
    for cut in (0, 4, 40, -1):
        (folder / "two.safetensors").write_bytes(whole[:cut])
        assert unfinished(folder) == "two.safetensors is not whole"
    (folder / "two.safetensors").write_bytes(whole)
    assert unfinished(folder) is None


def test_a_folder_of_unfinished_checkpoints_says_what_one_lacks(place: Path) -> None:
    write_checkpoint(place / "drafts" / "step-1", LLAMA)
    with pytest.raises(UserError) as refusal:
        study("model.steps={folder: drafts}")
    assert str(refusal.value) == (
        "`model.steps.folder` is 'drafts': none of its checkpoints is whole (in step-1: it has no "
        "weights in safetensors); wait for one, or name another"
    )


def test_a_file_that_is_one_of_several_waits_for_the_others(place: Path) -> None:
    folder, whole = place / "new", (place / "a" / "model.safetensors").read_bytes()
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model-00001-of-00002.safetensors").write_bytes(whole)
    assert unfinished(folder) == "1 of the 2 files of model are there"
    (folder / "model-00002-of-00002.safetensors").write_bytes(whole)
    assert unfinished(folder) is None
