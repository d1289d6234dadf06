"""Arguments of vLLM's engine that people add: one table says what each may do."""

import json
from dataclasses import replace

import pytest

from distlab.config.values import LOAD_FORMATS
from distlab.engines.engine_args import (
    HARMLESS,
    HELD,
    HELD_ON_CPU,
    LOADING,
    check_engine_args,
    frozen_args,
    known_arguments,
    sample_args,
)
from distlab.engines.vllm_engine import engine_args
from distlab.errors import UserError
from distlab.placement.placement import Parallelism
from distlab.store.fingerprint import CellFields
from tests.engines.ledger import SETTINGS


def test_the_table_names_arguments_that_vllm_has_and_each_once() -> None:
    known = set(known_arguments())
    assert known >= HARMLESS | set(HELD) | set(HELD_ON_CPU)
    assert not HARMLESS & (set(HELD) | set(HELD_ON_CPU))


def test_every_argument_is_refused_or_harmless_or_in_the_fingerprint() -> None:
    for name in known_arguments():
        is_sampled = bool(sample_args({name: 1}))
        assert is_sampled != (name in HARMLESS)
        if name in HELD:
            with pytest.raises(UserError, match=rf"`cluster\.engine_args\.{name}` cannot be set: "):
                check_engine_args({name: 1}, "gpu")
        else:
            value = min(known_arguments()[name], default=1)
            check_engine_args({name: value}, "gpu")


def test_what_distlab_sets_itself_is_held() -> None:
    ours = set(engine_args(replace(SETTINGS, kv_cache_bytes=1, block_size=32, device="gpu")))
    assert ours <= set(HELD)
    on_cpu = set(engine_args(replace(SETTINGS, kv_cache_bytes=1, enforce_eager=True)))
    assert on_cpu <= set(HELD) | set(HELD_ON_CPU)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"seed": 1}, "`cluster.engine_args.seed` cannot be set: every sample has a seed of its"),
        ({"dtype": "half"}, "`cluster.engine_args.dtype` cannot be set: it has a key of its own, "),
        ({"enable_chunked_prefill": True}, "cannot be set: on CPUs a step must hold the longest"),
        (
            {"max_num_batched_token": 1},
            "has no argument `cluster.engine_args.max_num_batched_token",
        ),
        ({"swap_spaces": 1}, "vLLM has no argument `cluster.engine_args.swap_spaces`"),
        (
            {"kv_cache_dtype": "fp8_e4m2"},
            "`cluster.engine_args.kv_cache_dtype` is fp8_e4m2, which vLLM does not know; did you",
        ),
        ({"scheduling_policy": 3}, "vLLM does not know; take one of fcfs, priority"),
    ],
)
def test_what_cannot_be_set_says_why(args: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        check_engine_args(args, "cpu")
    assert sentence in str(refusal.value)


def test_a_typo_is_given_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"did you mean .*attention_backend"):
        check_engine_args({"attention_backen": "FLASH_ATTN"}, "gpu")


def test_arguments_reach_vllm_unchanged() -> None:
    given = {"kv_cache_dtype": "fp8", "hf_overrides": {"rope_scaling": {"factor": 2.0}}}
    made = engine_args(replace(SETTINGS, engine_args=frozen_args(given)))
    assert made.items() >= given.items()
    assert json.loads(frozen_args(given)) == given


def test_how_an_engine_is_split_fed_and_loaded_reaches_vllm() -> None:
    made = engine_args(
        replace(
            SETTINGS,
            device="gpu",
            parallelism=Parallelism(8, 2, expert=True, context=8),
            max_num_batched_tokens=16384,
            load_format="runai_streamer",
            ep_weight_filter=True,
        )
    )
    assert made["decode_context_parallel_size"] == 8
    assert made["max_num_batched_tokens"] == 16384
    assert (made["load_format"], made["enable_ep_weight_filter"]) == ("runai_streamer", True)
    assert "load_format" not in engine_args(SETTINGS)
    assert set(LOADING) == set(LOAD_FORMATS)


def test_an_address_changes_with_what_can_change_a_sample_and_with_nothing_else() -> None:
    fields = CellFields(
        *("a", "b", "bfloat16", None, "d", "e", {}, (), "greedy", 0.0, 1.0, 8, None, "0")
    )
    harmless = replace(fields, engine_args=sample_args({"download_dir": "/x"}))
    assert harmless.fingerprint() == fields.fingerprint()
    assert "engine_args" not in fields.as_json()
    changing = replace(fields, engine_args=sample_args({"kv_cache_dtype": "fp8"}))
    assert changing.fingerprint() != fields.fingerprint()
