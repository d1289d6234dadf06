"""Facts that a checkpoint says of itself, on headers of weights that nobody could load."""

import json
from pathlib import Path
from typing import Any

import pytest

from distlab.checkpoints.architecture import NotSaid, architecture
from distlab.checkpoints.checkpoint import CheckpointSpec, recognised_source
from distlab.checkpoints.facts import read_facts
from distlab.checkpoints.resolve import resolve
from distlab.checkpoints.unfinished import strayed, unfinished
from distlab.checkpoints.weights import Weights
from distlab.errors import UserError
from tests.checkpoints.made import Tensors, write_checkpoint

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 64,
    "max_position_embeddings": 512,
}


def weights(folder: Path, config: dict[str, Any], tensors: Tensors) -> Weights:
    place = write_checkpoint(folder, config, tensors)
    found = read_facts(CheckpointSpec(str(place), "local")).weights
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "kv_heads", "values"),
    [
        ({}, 2, 2 * 2 * 2 * 16),
        # Older names, and heads that each keep their own.
        ({"num_key_value_heads": None, "head_dim": 8}, 4, 2 * 2 * 4 * 8),
        ({"num_key_value_heads": None, "multi_query": True}, 1, 2 * 2 * 16),
        ({"head_dim": 24, "v_head_dim": 16}, 2, 2 * 2 * (24 + 16)),
        ({"kv_lora_rank": 512, "qk_rope_head_dim": 64}, 1, 2 * (512 + 64)),
        ({"kv_lora_rank": None}, 2, 2 * 2 * 2 * 16),
        # A layer with a state in the place of a cache.
        ({"layer_types": ["linear_attention", "full_attention"]}, 2, 2 * 2 * 16),
        ({"layer_types": ["sliding_attention", "full_attention"]}, 2, 2 * 2 * 2 * 16),
    ],
)
def test_the_kv_cache_follows_from_the_kind_of_attention(
    fields: dict[str, Any], kv_heads: int, values: int
) -> None:
    made = architecture({**LLAMA, **fields}, "x")
    assert (made.kv_heads, made.kv_values_per_token) == (kv_heads, values)


def test_a_language_model_inside_another_is_the_one_that_counts() -> None:
    outer = {"architectures": ["GemmaForConditionalGeneration"], "text_config": LLAMA}
    made = architecture({**outer, "vision_config": {"num_hidden_layers": 9}}, "x")
    assert (made.name, made.layers) == ("GemmaForConditionalGeneration", 2)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"num_hidden_layers": None}, "`num_hidden_layers` in config.json of x is missing"),
        ({"num_attention_heads": [4, 2]}, r"`num_attention_heads` .* is \[4, 2\] and not one num"),
        ({"architectures": []}, "`architectures` in config.json of x is missing"),
    ],
)
def test_a_config_that_says_too_little_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NotSaid, match=sentence):
        architecture({**LLAMA, **fields}, "x")


def test_weights_that_are_not_loaded_are_not_counted(tmp_path: Path) -> None:
    kept = [("model.embed_tokens.weight", "BF16", (10, 64)), ("model.norm.weight", "F32", (64,))]
    left_out = [
        # Multi-token prediction, and the copy of a tied head.
        ("model.layers.2.mlp.up_proj.weight", "BF16", (64, 64)),
        ("mtp.fc.weight", "BF16", (64, 64)),
        ("lm_head.weight", "BF16", (10, 64)),
    ]
    found = weights(tmp_path, {**LLAMA, "tie_word_embeddings": True}, [*kept, *left_out])
    assert found == Weights(10 * 64 + 64, 0, 2 * 10 * 64 + 4 * 64, "bfloat16", has_unread_head=True)
    untied = weights(tmp_path / "untied", LLAMA, [*kept, *left_out])
    assert untied.parameters == 2 * 10 * 64 + 64


def test_a_mixture_is_as_active_as_the_experts_that_a_token_passes_through(tmp_path: Path) -> None:
    config = {**LLAMA, "num_local_experts": 8, "num_experts_per_tok": 2}
    place = "model.layers.0.block_sparse_moe.experts."
    experts = [(f"{place}{i}.w1.weight", "F16", (64, 32)) for i in range(8)]
    shared = [("model.layers.0.mlp.shared_experts.up_proj.weight", "F16", (64, 32))]
    found = weights(tmp_path, config, [*experts, *shared])
    assert found.active_parameters(architecture(config, "x")) == 3 * 64 * 32
    assert found.dtype == "float16"


@pytest.mark.parametrize(
    ("quantisation", "name", "dtype"),
    [
        ({"quant_method": "awq", "bits": 4}, "q_proj.qweight", "I32"),
        ({"quant_method": "mxfp4"}, "experts.gate_up_proj_blocks", "U8"),
        (
            {"config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
            "q_proj.weight_packed",
            "I32",
        ),
    ],
)
def test_packed_weights_count_as_what_they_hold(
    tmp_path: Path, quantisation: dict[str, Any], name: str, dtype: str
) -> None:
    tensors = [
        (f"model.layers.0.{name}", dtype, (64, 8)),
        ("model.layers.0.q_proj.weight_scale", "F16", (64,)),
    ]
    found = weights(tmp_path, {**LLAMA, "quantization_config": quantisation}, tensors)
    packed = 8 if dtype == "I32" else 2
    assert found.parameters == 64 * 8 * packed
    assert found.bytes == 64 * 8 * (4 if dtype == "I32" else 1) + 2 * 64
    assert found.dtype == "packed"


def test_damaged_weights_and_configs_are_one_sentence(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, LLAMA)
    spec = CheckpointSpec(str(tmp_path), "local")
    assert read_facts(spec).weights is None
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(
        UserError, match=r"the weights of .* whole: model\.safetensors is not whole;"
    ):
        read_facts(spec)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"x": "b.safetensors"}}')
    with pytest.raises(
        UserError, match=r"are not whole: b\.safetensors is not there; copy or down"
    ):
        read_facts(spec)
    # Config and index alone are what one may have where nothing is loaded.
    (tmp_path / "model.safetensors").unlink()
    assert read_facts(spec).weights is None
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(UserError, match=r"config\.json of .* holds no mapping"):
        read_facts(spec)


def test_an_adapter_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="holds an adapter and no whole checkpoint: merge it"):
        resolve(CheckpointSpec(str(tmp_path), "local"))


def test_a_source_is_recognised_by_the_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "here").mkdir(parents=True)
    ids = ("org/name", "org/here", "./x", "/x", "~/x", "..", "dist:file.gguf")
    found = [recognised_source(one) for one in ids]
    assert found == ["hub", "local", "local", "local", "local", "local", "packaged"]


HEAD = ("lm_head.weight", "BF16", (10, 64))


@pytest.mark.parametrize(
    ("fields", "more", "is_refused"),
    [
        ({"tie_word_embeddings": False}, [], True),
        ({"tie_word_embeddings": False}, [HEAD], False),
        ({"tie_word_embeddings": False}, [("lm_head.qweight", "I32", (10, 8))], False),
        ({"tie_word_embeddings": True}, [], False),
        # Whether it is tied is left to the class.
        ({}, [], False),
        ({"tie_word_embeddings": True, "text_config": {"tie_word_embeddings": False}}, [], False),
    ],
)
def test_weights_without_the_head_that_their_config_asks_for_are_refused(
    tmp_path: Path, fields: dict[str, Any], more: Tensors, is_refused: bool
) -> None:
    embedding = ("model.embed_tokens.weight", "BF16", (10, 64))
    place = write_checkpoint(tmp_path, {**LLAMA, **fields}, [embedding, *more])
    spec = CheckpointSpec(str(place), "local")
    if not is_refused:
        found = read_facts(spec).weights
        assert found is not None
        assert not found.has_unread_head
        return
    with pytest.raises(UserError, match=r"have no output head \(lm_head\), .* set `tie_word_emb"):
        read_facts(spec)


@pytest.mark.parametrize("name", ["../other/model.safetensors", "/etc/passwd", "a/../../b"])
def test_an_index_reads_nothing_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    write_checkpoint(tmp_path / "other", LLAMA, [HEAD])
    place = write_checkpoint(tmp_path / "mine", LLAMA, [HEAD])
    (place / "model.safetensors").rename(place / "model-1.safetensors")
    index = {"weight_map": {"lm_head.weight": name}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=rf"index\.json names {name}, which is outside of it"):
        read_facts(CheckpointSpec(str(place), "local"))
    assert strayed(place) == unfinished(place)


def test_a_folder_that_is_not_there_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, lack in (("gone", "does not exist"), ("file", "is a file"), (".", "has no config")):
        with pytest.raises(UserError, match=rf"^checkpoint folder {tmp_path}\S* {lack}"):
            resolve(CheckpointSpec(str(tmp_path / name), "local"))
