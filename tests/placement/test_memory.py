"""KV caches of layers with a window, against vLLM's own arithmetic written out."""

from dataclasses import replace

import pytest

from distlab.placement.gpus import GIB
from distlab.placement.memory import Budget, Fit
from distlab.placement.model_facts import ModelFacts, rank_kv, splits_context
from distlab.placement.placement import Parallelism

# Olmo 3 7B: 8 layers that see everything, 24 with a window of 4096 tokens.
OLMO3 = ModelFacts(
    source="",
    architecture="Olmo3ForCausalLM",
    active_parameters=7.298e9,
    weight_bytes=14596022272,
    weight_dtype="bfloat16",
    layers=32,
    attention_heads=32,
    kv_heads=32,
    kv_bytes_per_token=524288,
    window=4096,
    windowed_kv_bytes_per_token=393216,
)
H100 = Budget(int(79.1 * GIB), 0.9, 4 * GIB, None, 20480, "bfloat16", step_tokens=1024)


def test_a_long_sequence_keeps_a_window_and_a_block_of_windowed_layers() -> None:
    fit = H100.fit(OLMO3, Parallelism())
    one = 131072 * 20480 + 393216 * (4096 + 128)
    spare = 2 * 1024 * 393216
    assert fit.bytes_per_token(20480) * 20480 == pytest.approx(one)
    assert fit.sequences(20480) == (fit.kv_cache - spare) // one
    assert fit.sequences(20480) > fit.kv_cache // 524288 // 20480
    # What is shorter than the window is kept whole.
    assert fit.bytes_per_token(4096) == 524288
    assert fit.sequences(1000) == fit.kv_cache // 524288 // 1000


def test_an_engine_that_keeps_everything_has_no_windows() -> None:
    fit = replace(H100, frees_windows=False).fit(OLMO3, Parallelism())
    dense = replace(OLMO3, window=0, windowed_kv_bytes_per_token=0)
    assert fit == H100.fit(dense, Parallelism())
    assert fit.tokens == fit.kv_cache // 524288


def test_no_cache_holds_less_than_if_every_layer_kept_all() -> None:
    fit = replace(H100, step_tokens=32768).fit(OLMO3, Parallelism())
    assert fit.tokens >= fit.kv_cache // 524288


@pytest.mark.parametrize("tokens", [5000, 20480])
def test_the_longest_sequence_needs_what_may_be_under_way_beside_its_window(tokens: int) -> None:
    kept = 393216 * (4096 + 128 + 2 * 64)
    cache = 131072 * tokens + kept
    fit = Fit(10 * cache, 0, 0, 524288, cache, 20480, 1, 4096, 393216, 2 * 64)
    assert fit.longest == tokens
    assert fit.holds_a_sequence == (tokens == 20480)
    assert replace(fit, kv_cache=cache - 131072).longest == tokens - 1


def test_a_model_of_windows_alone_holds_any_length() -> None:
    cache = 1000 * (4096 + 128)
    fit = Fit(10 * cache, 0, 0, 1000, cache, 10**6, 1, 4096, 1000)
    assert fit.longest == 10**6
    assert replace(fit, kv_cache=cache - 1).longest == (cache - 1) // 1000


@pytest.mark.parametrize(
    ("layers", "windowed", "full_groups", "windowed_groups"),
    [
        (32, 24, 8, 24),  # Olmo 3: groups of 8
        (62, 52, 10, 60),  # Gemma 3 27B: groups of 10, the last one padded
        (24, 12, 12, 12),  # gpt-oss
        (25, 12, 13, 13),  # nearly as many of one kind: groups of 13
    ],
)
def test_both_kinds_of_layers_are_padded_to_groups_of_one_size(
    layers: int, windowed: int, full_groups: int, windowed_groups: int
) -> None:
    facts = replace(
        OLMO3,
        layers=layers,
        kv_bytes_per_token=layers * 1024,
        windowed_kv_bytes_per_token=windowed * 1024,
    )
    kv = rank_kv(facts, Parallelism(), "bfloat16")
    assert kv.bytes_per_token == pytest.approx((full_groups + windowed_groups) * 1024, abs=1)
    assert kv.windowed_bytes_per_token == pytest.approx(windowed_groups * 1024, abs=1)
    halves = rank_kv(facts, Parallelism(2), "fp8")
    assert halves.windowed_bytes_per_token == pytest.approx(windowed_groups * 1024 / 4, abs=1)


def test_context_parallelism_is_not_for_windows() -> None:
    shared = replace(OLMO3, kv_heads=8)
    assert not splits_context(shared, 16, 2)
    assert splits_context(replace(shared, window=0), 16, 2)
