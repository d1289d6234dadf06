"""Twins as checkpoints and as families; tests/families runs them."""

import json
import math
from pathlib import Path

import pytest

from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.tiny import CONTEXT, SHAPES, Shape, tiny_spec
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.engines.machine import known_nodes
from distlab.engines.splitting import choose
from distlab.errors import UserError
from tests.families.shapes import FAMILIES


def twin(name: str, *overrides: str) -> Study:
    return validate(compose_config([f"model={name}", "+tiny=true", *overrides]))


def tensors(shape: str, variant: str) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    found: dict[str, tuple[int, ...]] = {}
    for file in Path(resolve(tiny_spec(shape, variant)).model).glob("*.safetensors"):
        with safe_open(file, "np") as opened:
            found |= {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_a_twin_is_what_its_shape_says(name: str) -> None:
    shape = SHAPES[name]
    found = tensors(name, "base")
    assert sum(math.prod(sizes) for sizes in found.values()) == shape.parameters
    config = json.loads((Path(resolve(tiny_spec(name, "base")).model) / "config.json").read_text())
    assert config["architectures"] == [shape.architecture]
    assert config.items() >= {k: v for k, v in shape.config.items() if k != "pad_token_id"}.items()
    assert config["torch_dtype" if "torch_dtype" in config else "dtype"] == "bfloat16"


def test_the_mixtures_have_latent_attention_and_experts() -> None:
    for name in ("deepseek-v3", "kimi-k2"):
        found = tensors(name, "base")
        assert found["model.layers.0.self_attn.kv_a_proj_with_mqa.weight"] == (512 + 64, 128)
        assert found["model.layers.1.mlp.gate.e_score_correction_bias"] == (8,)
        assert "model.layers.0.mlp.gate_proj.weight" in found  # the first layer is dense
        experts = {name for name in found if ".mlp.experts." in name}
        assert len(experts) == 8 * 3


def test_base_and_instruct_differ_and_are_made_once() -> None:
    base, instruct = (resolve(tiny_spec("qwen3", v)) for v in ("base", "instruct"))
    assert base.digest != instruct.digest
    weights = [Path(one.model) / "model.safetensors" for one in (base, instruct)]
    assert weights[0].read_bytes() != weights[1].read_bytes()
    written = weights[0].stat().st_mtime_ns
    assert resolve(tiny_spec("qwen3", "base")) == base
    assert weights[0].stat().st_mtime_ns == written
    assert load_tokenizer(instruct).chat_template


def test_weights_are_the_same_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (Path(resolve(tiny_spec("llama", "base")).model) / "model.safetensors").read_bytes()
    monkeypatch.setattr("distlab.checkpoints.tiny.cache_folder", lambda: tmp_path)
    again = Path(resolve(tiny_spec("llama", "base")).model)
    assert again.is_relative_to(tmp_path)
    assert (again / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_twin_keeps_its_protocol_and_says_what_it_is(name: str) -> None:
    plain = validate(compose_config([f"model={name}"]))
    made = twin(name)
    family = made.family
    assert family.name == f"{name}-tiny"
    assert family.checkpoints == {v: tiny_spec(FAMILIES[name], v) for v in ("base", "instruct")}
    assert family.chat_template_kwargs == plain.family.chat_template_kwargs
    assert (made.datasets, made.prompts) == (plain.datasets, plain.prompts)
    assert [(a.variant, a.decoding.name) for a in made.arms] == [
        (a.variant, a.decoding.name) for a in plain.arms
    ]
    assert plain.family.facts is not None
    assert family.facts is not None
    assert family.facts.architecture == plain.family.facts.architecture
    assert family.max_model_len == CONTEXT
    assert {arm.decoding.max_tokens for arm in made.arms} == {32}
    (note,) = family.notes
    assert f"proves the path, and its numbers say nothing about {name}." in note
    nodes = known_nodes(made.cluster)
    assert nodes is not None
    assert choose(family, made.cluster, nodes).fit is not None


def test_what_the_user_sets_stays() -> None:
    made = twin("kimi-k2", "decoding.max_tokens=8", "model.max_model_len=256")
    assert made.family.max_model_len == 256
    assert {arm.decoding.max_tokens for arm in made.arms} == {8}
    assert validate(compose_config(["model=kimi-k2", "+tiny=false"])).family.name == "kimi-k2"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["+tiny=maybe"], "`tiny` is 'maybe': take true or false"),
        (["+tiny=true", "model.tiny_shape=gpt"], "`model.tiny_shape` is 'gpt': take one of qwen3"),
        (["+tiny=true", "model.tiny_shape=null"], "`model.tiny_shape` is None"),
        (["+tiny=true", "decoding.max_tokens=5000"], "leaves no room for a prompt"),
    ],
)
def test_a_bad_twin_is_refused(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        validate(compose_config(["model=qwen3-8b", *overrides]))


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(UserError, match="no tiny checkpoint of shape 'gpt': take one of qwen3"):
        resolve(tiny_spec("gpt", "base"))


def test_kv_bytes_of_a_twin_follow_from_its_config() -> None:
    def kv(shape: Shape) -> int:
        return shape.facts.kv_bytes_per_token

    assert kv(SHAPES["qwen3"]) == 2 * 2 * 2 * 32 * 2  # layers, K and V, heads, size, bytes
    assert kv(SHAPES["smollm3"]) == 2 * kv(SHAPES["llama"])
    assert kv(SHAPES["kimi-k2"]) == 2 * (512 + 64) * 2
