"""What a config leaves to its checkpoints, and what it may not say against them."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from distlab.config.compose import compose_config, conf_folder
from distlab.config.derive import derived
from distlab.config.door import validate
from distlab.config.values import Family
from distlab.errors import Unavailable, UserError
from tests.checkpoints.made import write_checkpoint
from tests.checkpoints.test_facts import LLAMA
from tests.families.configs import config_json, tensors
from tests.families.published import PUBLISHED

TENSORS = [("model.embed_tokens.weight", "BF16", (1000, 64))]

BY_HAND = (
    "model.facts.architecture=LlamaForCausalLM",
    "model.facts.active_parameters=7e9",
    "model.facts.weight_bytes=14e9",
    "model.facts.layers=32",
    "model.facts.attention_heads=32",
    "model.facts.kv_heads=8",
    "model.facts.kv_bytes_per_token=131072",
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a pair in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("my-base", "my-sft"):
        write_checkpoint(tmp_path / name, LLAMA, TENSORS)
    return tmp_path


def family(*overrides: str, model: str = "pair") -> Family:
    ids = ["model.base.id=my-base", "model.instruct.id=./my-sft"]
    return validate(compose_config([f"model={model}", *ids, *overrides])).family


def change(folder: Path, **fields: int) -> None:
    write_checkpoint(folder, {**LLAMA, **fields}, TENSORS)


def test_a_pair_is_read_from_its_folders() -> None:
    made = family()
    assert made.name == "my-base+my-sft"
    assert [spec.source for spec in made.checkpoints.values()] == ["local", "local"]
    assert (made.parameters, made.max_model_len) == (64_000, 512)
    assert made.facts is not None
    assert (made.facts.layers, made.facts.kv_heads, made.facts.weight_bytes) == (2, 2, 128_000)
    assert made.facts.source == "config.json and weight headers of my-base and ./my-sft"


def test_a_pair_has_datasets_prompts_and_lengths_of_its_own(place: Path) -> None:
    ids = ["model.base.id=my-base", "model.instruct.id=my-sft"]
    study = validate(compose_config(["model=pair", *ids]))
    assert [one.name for one in (*study.datasets, *study.prompts)] == ["gsm-symbolic", "zero-shot"]
    assert {arm.decoding.max_tokens for arm in study.arms} == {256}
    for name in ("my-base", "my-sft"):
        change(place / name, max_position_embeddings=131072)
    long = validate(compose_config(["model=pair", *ids]))
    assert long.family.max_model_len == 20480
    assert {arm.decoding.max_tokens for arm in long.arms} == {8192}


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"smollm2-135m-packaged"}))
def test_facts_worked_out_by_hand_are_those_of_the_published_config(name: str, place: Path) -> None:
    write_checkpoint(place / "my-base", config_json(name), tensors(name))
    read, by_hand = (
        family("model.instruct.id=my-base"),
        validate(compose_config([f"model={name}"])).family,
    )
    assert read.facts is not None
    assert by_hand.facts is not None
    for exact in ("architecture", "weight_dtype", "layers", "attention_heads"):
        assert getattr(read.facts, exact) == getattr(by_hand.facts, exact)
    for exact in ("kv_heads", "kv_bytes_per_token", "experts"):
        assert getattr(read.facts, exact) == getattr(by_hand.facts, exact)
    # The correction biases of a mixture's router are in float32.
    assert read.facts.weight_bytes == pytest.approx(by_hand.facts.weight_bytes, rel=1e-7)
    assert read.parameters == pytest.approx(by_hand.parameters, rel=0.005)
    assert read.facts.active_parameters == pytest.approx(by_hand.facts.active_parameters, rel=0.005)


def test_other_checkpoints_of_a_named_family_are_read_and_rename_it() -> None:
    made = family("model.max_model_len=512", "decoding.max_tokens=8", model="llama3-3b")
    assert made.name == "my-base+my-sft"
    assert made.parameters == 64_000
    assert made.facts is not None
    assert made.facts.kv_bytes_per_token == 2 * 2 * 2 * 2 * 16
    (note,) = made.notes
    assert note.startswith("my-base+my-sft is llama3-3b with other checkpoints: sizes are read")
    named = family("model.max_model_len=512", "model.name=mine", model="smollm2-135m-packaged")
    assert named.name == "mine"
    assert not named.parallel


def test_a_family_with_its_own_checkpoints_stays_as_it_is() -> None:
    config = compose_config(["model=llama3-70b"])
    made = derived(config).model
    assert made.name == "llama3-70b"
    assert made.facts == config.model.facts
    assert made.parallel == config.model.parallel


def test_what_was_derived_is_not_derived_again(place: Path) -> None:
    config = derived(
        compose_config(["model=pair", "model.base.id=my-base", "model.instruct.id=my-sft"])
    )
    for name in ("my-base", "my-sft"):
        (place / name / "model.safetensors").unlink()
    assert derived(config) == config


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "model.facts.layers=3",
            r"`model\.facts\.layers` is 3: my-base and \./my-sft say 2; corr",
        ),
        ("model.parameters=7e9", r"`model\.parameters` is 7000000000\.0: .* say 64000"),
        ("model.facts.weight_bytes=1e9", r"weight_bytes` is 1000000000\.0: .* say 128000"),
        ("model.facts.weight_dtype=fp8", r"weight_dtype` is 'fp8': .* say bfloat16"),
        ("model.max_model_len=4096", r"`model\.max_model_len` is 4096: .* take 512 tokens; lower"),
        (
            "model.base.source=ftp",
            r"`model\.base\.source` is 'ftp': take hub, local, packaged, server, or",
        ),
    ],
)
def test_what_contradicts_a_checkpoint_is_refused_with_both_numbers(
    override: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        family(override)


def test_a_length_that_nobody_typed_is_lowered_to_what_other_checkpoints_take(place: Path) -> None:
    ids = ["model=llama3-3b", "model.base.id=my-base", "model.instruct.id=./my-sft"]
    study = validate(compose_config(ids))
    assert study.family.max_model_len == 512
    assert {arm.decoding.max_tokens for arm in study.arms} == {256}
    assert study.family.notes[-1] == (
        "`model.max_model_len` is lowered from 20480 to 512, and `model.max_new_tokens` from 8192 "
        "to 256: my-base and ./my-sft take no longer sequences than that."
    )
    with pytest.raises(UserError, match=r"`model\.max_model_len` is 4096: .* take 512 tokens"):
        validate(compose_config([*ids, "model.max_model_len=4096"]))
    with pytest.raises(UserError, match=r"max_tokens` is 600: .* model\.max_model_len=512"):
        validate(compose_config([*ids, "model.max_new_tokens=600"]))
    for name in ("my-base", "my-sft"):
        change(place / name, max_position_embeddings=131072)
    made = validate(compose_config(ids)).family
    assert (made.max_model_len, len(made.notes)) == (20480, 1)


def test_every_family_says_which_lengths_are_its_own() -> None:
    for file in sorted((conf_folder() / "model").glob("*.yaml")):
        model = OmegaConf.load(file)
        if (of := OmegaConf.select(model, "facts.of")) is not None:
            lengths = (model.max_model_len, model.max_new_tokens)
            assert (of.max_model_len, of.max_new_tokens) == lengths, file.stem


def test_what_one_of_a_pair_weighs_is_not_taken_for_the_other(place: Path) -> None:
    (place / "my-sft" / "model.safetensors").unlink()
    sizes = ("parameters=64000", "facts.active_parameters=64000", "facts.weight_bytes=256000")
    by_hand = [f"model.{size}" for size in sizes]
    for given in ([], by_hand[:2]):
        with pytest.raises(Unavailable) as refusal:
            family(*given)
        assert str(refusal.value) == (
            "./my-sft has no weights in safetensors, which alone can be measured; or give by hand "
            + ", ".join(size.partition("=")[0] for size in by_hand[len(given) :])
        )
    made = family(*by_hand).facts
    assert made is not None
    assert (made.weight_bytes, made.layers) == (256_000, 2)


def test_a_head_that_nobody_reads_is_said_once(place: Path) -> None:
    tied = {**LLAMA, "tie_word_embeddings": True}
    write_checkpoint(place / "my-sft", tied, [*TENSORS, ("lm_head.weight", "BF16", (1000, 64))])
    made = derived(
        compose_config(["model=pair", "model.base.id=my-base", "model.instruct.id=my-sft"])
    )
    assert [note.partition(",")[0] for note in made.model.notes] == [
        "the weights of my-sft hold an output head"
    ]
    assert derived(made) == made


def test_what_weights_alone_say_is_asked_for_where_they_cannot_be_measured(place: Path) -> None:
    for name in ("my-base", "my-sft"):
        (place / name / "model.safetensors").unlink()
    with pytest.raises(Unavailable) as refusal:
        family()
    assert str(refusal.value) == (
        "my-base and ./my-sft have no weights in safetensors, which alone can be measured; or give "
        "by hand model.parameters, model.facts.active_parameters, model.facts.weight_bytes"
    )


def test_sizes_may_be_rounded() -> None:
    assert family("model.parameters=6.4e4", "model.facts.weight_bytes=1.27e5").parameters == 64_000


@pytest.mark.parametrize("variant", ["base", "instruct"])
def test_a_missing_id_says_what_to_give(variant: str) -> None:
    other = "instruct" if variant == "base" else "base"
    config = compose_config(["model=pair", f"model.{other}.id=my-base"])
    with pytest.raises(UserError) as refusal:
        validate(config)
    sentence = f"`model.{variant}.id` is missing: give a hub id (org/name) or a folder"
    assert str(refusal.value) == sentence


def test_checkpoints_of_different_shapes_are_no_pair(place: Path) -> None:
    change(place / "my-sft", num_hidden_layers=4)
    with pytest.raises(UserError, match=r"my-base has 2 layers and \./my-sft has 4: name a pair"):
        family()


def test_that_one_of_a_pair_cannot_be_read_is_said(place: Path) -> None:
    made = family("model.instruct.id=./gone")
    assert made.facts is not None
    (note,) = made.notes
    assert note.startswith("the checkpoint folder ./gone is not there: name one that is")
    assert note.endswith(". Until then all are taken to be as large as my-base.")


def test_where_nothing_can_be_read_the_facts_to_give_are_listed(place: Path) -> None:
    gone = ("model.base.id=./gone", "model.instruct.id=./gone")
    with pytest.raises(Unavailable) as refusal:
        family(*gone)
    sentence = str(refusal.value)
    assert sentence.startswith("the checkpoint folder ./gone is not there: name one that is")
    assert "or give by hand model.parameters, model.max_model_len, model.facts.arch" in sentence
    sizes = ("model.parameters=7e9", "model.max_model_len=4096")
    assert family(*gone, *sizes).facts is None
    by_hand = family(*gone, *sizes, *BY_HAND)
    assert by_hand.facts is not None
    assert by_hand.facts.weight_bytes == 14_000_000_000
    with pytest.raises(Unavailable, match=r"or give by hand model\.facts\.architecture"):
        family(*gone, *sizes, "model.facts.layers=32")


@pytest.mark.parametrize("model", ["pair", "llama3-3b"])
def test_a_config_that_nobody_can_read_leaves_its_facts_to_the_user(
    place: Path, model: str
) -> None:
    write_checkpoint(place / "my-sft", {**LLAMA, "num_attention_heads": [4, 2]}, TENSORS)
    with pytest.raises(UserError) as refusal:
        family("model.max_model_len=4096", model=model)
    assert str(refusal.value) == (
        "`num_attention_heads` in config.json of ./my-sft is [4, 2] and not one number: give by "
        "hand model.parameters, model.facts.architecture, model.facts.active_parameters, "
        "model.facts.weight_bytes, model.facts.layers, model.facts.attention_heads, "
        "model.facts.kv_heads, model.facts.kv_bytes_per_token"
    )
    sizes = ("model.base.id=./my-sft", "model.parameters=7e9", "model.max_model_len=4096")
    made = family(*sizes, *BY_HAND, model="pair").facts
    assert made is not None
    assert (made.layers, made.source) == (32, "given by hand")


def test_a_key_without_a_value_is_one_sentence() -> None:
    for override, key in (
        ("+dataset.sets.quiz={path: x}", "dataset.sets.quiz.loader"),
        ("cluster.device=???", "cluster.device"),
    ):
        with pytest.raises(UserError) as refusal:
            family(override)
        assert str(refusal.value).startswith(f"`{key}` has no value: set it, or take an option of")


def test_two_folders_of_one_name_are_told_apart(place: Path) -> None:
    for run in ("run1", "run2"):
        write_checkpoint(place / run / "final", LLAMA, TENSORS)
    made = family("model.base.id=run1/final", "model.instruct.id=run2/final")
    assert made.name == "run1-final+run2-final"
