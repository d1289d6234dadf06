"""Layers by what they keep, on the fields of published config.json files."""

from typing import Any

import pytest

from distlab.checkpoints.architecture import architecture
from distlab.checkpoints.class_defaults import with_class_defaults
from distlab.checkpoints.layer_kinds import LayerKinds, layer_kinds

FULL, SLIDING, LINEAR = "full_attention", "sliding_attention", "linear_attention"


@pytest.mark.parametrize(
    ("fields", "kv_bytes", "windowed", "window"),
    [
        pytest.param(
            {
                "model_type": "mistral",
                "num_hidden_layers": 32,
                "num_attention_heads": 32,
                "num_key_value_heads": 8,
                "hidden_size": 4096,
                "sliding_window": 4096,
            },
            32 * 8 * 2 * 128 * 2,
            32 * 8 * 2 * 128 * 2,
            4096,
            id="Mistral 7B v0.1: every layer",
        ),
        pytest.param(
            {
                "model_type": "mistral",
                "num_hidden_layers": 32,
                "num_attention_heads": 32,
                "num_key_value_heads": 8,
                "hidden_size": 4096,
                "sliding_window": None,
            },
            *(131072, 0, 0),
            id="Mistral 7B v0.3: none",
        ),
        pytest.param(
            {
                "model_type": "gemma2",
                "num_hidden_layers": 42,
                "num_attention_heads": 16,
                "num_key_value_heads": 8,
                "head_dim": 256,
                "hidden_size": 3584,
                "sliding_window": 4096,
            },
            42 * 8 * 2 * 256 * 2,
            21 * 8 * 2 * 256 * 2,
            4096,
            id="Gemma 2 9B: every other",
        ),
        pytest.param(
            {
                "model_type": "gemma3",
                "text_config": {
                    "model_type": "gemma3_text",
                    "num_hidden_layers": 62,
                    "num_attention_heads": 32,
                    "num_key_value_heads": 16,
                    "head_dim": 128,
                    "hidden_size": 5376,
                    "sliding_window": 1024,
                },
            },
            62 * 16 * 2 * 128 * 2,
            52 * 16 * 2 * 128 * 2,
            1024,
            id="Gemma 3 27B: five of six",
        ),
        pytest.param(
            {
                "model_type": "gpt_oss",
                "num_hidden_layers": 24,
                "num_attention_heads": 64,
                "num_key_value_heads": 8,
                "head_dim": 64,
                "hidden_size": 2880,
                "sliding_window": 128,
                "layer_types": [SLIDING, FULL] * 12,
            },
            24 * 8 * 2 * 64 * 2,
            12 * 8 * 2 * 64 * 2,
            128,
            id="gpt-oss 20b: every other",
        ),
        pytest.param(
            {
                "model_type": "olmo3",
                "num_hidden_layers": 32,
                "num_attention_heads": 32,
                "num_key_value_heads": 32,
                "hidden_size": 4096,
                "sliding_window": 4096,
                "layer_types": [SLIDING, SLIDING, SLIDING, FULL] * 8,
            },
            *(524288, 393216, 4096),
            id="Olmo 3 7B: three of four",
        ),
        pytest.param(
            {
                "model_type": "qwen2",
                "num_hidden_layers": 28,
                "num_attention_heads": 28,
                "num_key_value_heads": 4,
                "hidden_size": 3584,
                "use_sliding_window": False,
                "sliding_window": 131072,
                "max_window_layers": 28,
            },
            *(57344, 0, 0),
            id="Qwen2.5 7B: a window that is off",
        ),
        pytest.param(
            {
                "model_type": "llama4_text",
                "num_hidden_layers": 48,
                "num_attention_heads": 40,
                "num_key_value_heads": 8,
                "head_dim": 128,
                "hidden_size": 5120,
                "attention_chunk_size": 8192,
                "layer_types": ["chunked_attention"] * 3 * 12 + [FULL] * 12,
            },
            *(48 * 8 * 2 * 128 * 2, 0, 0),
            id="Llama 4 Scout: chunks, which vLLM keeps",
        ),
        pytest.param(
            {
                "model_type": "gemma4_text",
                "num_hidden_layers": 6,
                "num_attention_heads": 8,
                "num_key_value_heads": 4,
                "head_dim": 256,
                "num_global_key_value_heads": 2,
                "global_head_dim": 512,
                "hidden_size": 2560,
                "sliding_window": 512,
                "layer_types": [*[SLIDING] * 5, FULL],
            },
            (5 * 4 * 256 + 2 * 512) * 2 * 2,
            5 * 4 * 256 * 2 * 2,
            512,
            id="heads of their own in layers that see everything",
        ),
    ],
)
def test_windows_bound_the_layers_that_have_them(
    fields: dict[str, Any], kv_bytes: int, windowed: int, window: int
) -> None:
    found = architecture({"architectures": ["X"], **fields}, "x")
    assert 2 * found.kv_values_per_token == kv_bytes
    assert (2 * found.windowed_kv_values_per_token, found.window) == (windowed, window)


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"use_sliding_window": True, "max_window_layers": 3}, LayerKinds(3, 5, 0, 64)),
        ({"use_sliding_window": True, "max_window_layers": 9}, LayerKinds(8)),
        ({"use_sliding_window": True}, LayerKinds(8)),
        ({"sliding_window": 0, "model_type": "mistral"}, LayerKinds(8)),
        ({"model_type": "phi3"}, LayerKinds(0, 8, 0, 64)),
        # A window that nobody says the layers of counts for none.
        ({"model_type": "mine"}, LayerKinds(8)),
        ({"model_type": "gemma3_text", "sliding_window_pattern": 4}, LayerKinds(2, 6, 0, 64)),
        # A list that is longer names layers of multi-token prediction; one too short says nothing.
        ({"layer_types": [SLIDING] * 9}, LayerKinds(0, 8, 0, 64)),
        ({"layer_types": [SLIDING] * 7}, LayerKinds(8)),
        ({"layer_types": [LINEAR, LINEAR, LINEAR, FULL] * 2}, LayerKinds(2, 0, 6)),
        ({"layers_block_type": ["mamba", "moe", "mamba", "attention"] * 2}, LayerKinds(2, 0, 4)),
        ({"layer_types": ["hybrid"] * 8}, LayerKinds(8, 0, 8)),
    ],
)
def test_layers_are_counted_by_what_they_keep(fields: dict[str, Any], kinds: LayerKinds) -> None:
    assert layer_kinds({"model_type": "qwen2", "sliding_window": 64, **fields}, 8) == kinds


def test_what_a_config_leaves_to_its_class_is_filled_in() -> None:
    gemma = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "text_config": {
            "hidden_size": 2560,
            "model_type": "gemma3_text",
            "num_hidden_layers": 34,
            "sliding_window": 1024,
        },
    }
    found = architecture(with_class_defaults(gemma), "x")
    assert (found.attention_heads, found.kv_heads) == (8, 4)
    assert 2 * found.kv_values_per_token == 34 * 4 * 2 * 256 * 2
    assert 2 * found.windowed_kv_values_per_token == 29 * 4 * 2 * 256 * 2
    jamba = {
        "architectures": ["JambaForCausalLM"],
        "model_type": "jamba",
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "hidden_size": 4096,
        "attn_layer_period": 8,
        "attn_layer_offset": 4,
    }
    found = architecture(with_class_defaults(jamba), "x")
    assert (2 * found.kv_values_per_token, found.recurrent_layers) == (4 * 8 * 2 * 128 * 2, 28)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": 4},
        {"model_type": "nobody-knows"},
        {"num_hidden_layers": 2},
    ],
)
def test_a_config_that_no_class_fills_stays_as_it_is(config: dict[str, Any]) -> None:
    assert with_class_defaults(config) == config
