"""conf/model's numbers against the published config.json, which ``published`` writes out."""

import pytest

from distlab.config.compose import compose_config, conf_folder
from distlab.config.door import validate
from distlab.config.values import Family
from tests.families.published import LADDERS, PUBLISHED, Latent

KNOWN = {**PUBLISHED, **LADDERS}
FAMILIES = sorted(KNOWN)
PAPER = [name for name in sorted(PUBLISHED) if not name.startswith("smollm2")]


def family(name: str, *overrides: str) -> Family:
    return validate(compose_config([f"model={name}", *overrides])).family


def test_every_family_of_the_study_is_there() -> None:
    options = {file.stem for file in (conf_folder() / "model").glob("*.yaml")}
    assert options - {"llama3.0-70b", "pair"} == set(FAMILIES)
    assert len(PAPER) == 8


@pytest.mark.parametrize("name", FAMILIES)
def test_kv_bytes_of_a_token_follow_from_the_published_config(name: str) -> None:
    facts, published = family(name).facts, KNOWN[name]
    assert facts is not None
    assert facts.kv_bytes_per_token == published.kv_bytes_per_token
    assert facts.layers == published.num_hidden_layers
    assert facts.attention_heads == published.num_attention_heads


@pytest.mark.parametrize("name", FAMILIES)
def test_sizes_follow_from_the_published_shapes(name: str) -> None:
    made, published = family(name), KNOWN[name]
    facts = made.facts
    assert facts is not None
    assert made.parameters == pytest.approx(published.parameters, rel=0.005)
    assert facts.active_parameters == pytest.approx(published.active_parameters, rel=0.005)
    assert facts.weight_bytes == published.weight_bytes
    latent = isinstance(published, Latent)
    assert facts.experts == (published.n_routed_experts if isinstance(published, Latent) else 0)
    assert facts.weight_dtype == published.weight_dtype
    assert facts.kv_heads == (1 if latent else getattr(published, "num_key_value_heads", None))


def test_the_arithmetic_meets_sizes_that_are_published() -> None:
    # The parameter count of SmolLM3's card and the bytes of DeepSeek-V3.1's index with the
    # multi-token prediction layer added: its own layer, two norms, a projection and a head.
    assert PUBLISHED["smollm-3b"].parameters == 3_075_098_624
    # Those that the hub counts in OLMo-2-1124-7B, and that trainings of Olmo 3 7B log.
    assert LADDERS["olmo2-7b"].parameters == 7_298_617_344
    assert LADDERS["olmo3-7b"].parameters == 7_298_011_136
    v3 = PUBLISHED["deepseek-v3.1"]
    assert isinstance(v3, Latent)
    fp8 = v3.attention + (v3.n_routed_experts + v3.n_shared_experts) * v3.expert
    wide = 2 * v3.hidden_size**2 + 2 * v3.vocab_size * v3.hidden_size
    extra = fp8 + fp8 // 128**2 * 4 + 2 * wide
    assert v3.weight_bytes + extra == pytest.approx(688_586_727_753, rel=1e-4)


@pytest.mark.parametrize("name", PAPER)
def test_a_bare_family_runs_the_papers_study(name: str) -> None:
    study = validate(compose_config([f"model={name}"]))
    assert [d.name for d in study.datasets] == ["gsm8k", "medcalc", "math-500", "math-perturb-hard"]
    assert [p.name for p in study.prompts] == ["zero-shot", "few-shot"]
    arms = [(arm.variant, arm.decoding.name, arm.n) for arm in study.arms]
    assert arms == [("base", "cot", 20), ("instruct", "t0.05", 20)]
    assert {arm.decoding.max_tokens for arm in study.arms} == {8192}
    assert not study.family.trust_remote_code
    assert {spec.source for spec in study.family.checkpoints.values()} == {"hub"}


@pytest.mark.parametrize("name", sorted(LADDERS))
def test_a_bare_ladder_draws_all_its_stages_alike(name: str) -> None:
    study = validate(compose_config([f"model={name}"]))
    arms = [(arm.variant, arm.decoding.name, arm.n) for arm in study.arms]
    assert arms == [(stage, "t0.6", 20) for stage in ("base", "sft", "dpo", "rl")]
    assert {spec.source for spec in study.family.checkpoints.values()} == {"hub"}
    assert study.family.name == name


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("qwen3-0.6b", "enable_thinking"),
        ("qwen3-8b", "enable_thinking"),
        ("qwen3-14b", "enable_thinking"),
        ("smollm-3b", "enable_thinking"),
        ("deepseek-v3.1", "thinking"),
    ],
)
def test_hybrid_thinkers_run_with_thinking_off_and_say_so(name: str, switch: str) -> None:
    made = family(name)
    assert made.chat_template_kwargs == {switch: False}
    assert any("thinking off" in note for note in made.notes)


def test_gating_and_custom_code_are_said() -> None:
    assert any("gated" in note for note in family("llama3-3b").notes)
    assert any("gated" in note for note in family("llama3.0-70b").notes)
    assert any("model.trust_remote_code=true" in note for note in family("kimi-k2").notes)


def test_llama_3_0_takes_the_place_of_3_1() -> None:
    made = family("llama3.0-70b")
    assert made.checkpoints["instruct"].id == "meta-llama/Meta-Llama-3-70B-Instruct"
    assert made.facts == family("llama3-70b").facts
    assert made.max_model_len == 8192
