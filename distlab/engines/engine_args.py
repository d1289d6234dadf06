"""Arguments of vLLM's engine that people add with ``cluster.engine_args``, and what they touch.

This file is the one table of that. An argument is either held by us, because an invariant of the
samples depends on it, or cannot change a sample, or is taken to change samples: the default, which
also holds for arguments that a later vLLM adds.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin

from distlab.errors import UserError, nearest
from distlab.placement.placement import Device

_OWN_KEY: Final = "it has a key of its own, `{}`"
_CHECKPOINT: Final = "what is loaded is what the fingerprint names: set `model.*.id`"
_PLACED: Final = "distlab places ranks itself, one engine per placement group"
_TEXTS: Final = "only text of language models is sampled"

# What would break an invariant of ours, or say a thing twice: name to the reason.
HELD: Final[Mapping[str, str]] = {
    **{
        name: _OWN_KEY.format(key)
        for name, key in {
            "dtype": "model.dtype",
            "quantization": "model.quantization",
            "max_model_len": "model.max_model_len",
            "trust_remote_code": "model.trust_remote_code",
            "max_num_seqs": "cluster.max_num_seqs",
            "gpu_memory_utilization": "cluster.gpu_memory_utilization",
            "kv_cache_memory_bytes": "cluster.kv_cache_gib",
            "block_size": "cluster.block_size",
            "enforce_eager": "cluster.enforce_eager",
            "tensor_parallel_size": "cluster.tensor_parallel",
            "pipeline_parallel_size": "cluster.pipeline_parallel",
            "enable_expert_parallel": "cluster.expert_parallel",
            "decode_context_parallel_size": "cluster.decode_context_parallel",
            "enable_ep_weight_filter": "cluster.ep_weight_filter",
        }.items()
    },
    **dict.fromkeys(
        (
            *("model", "model_weights", "tokenizer", "hf_config_path", "served_model_name"),
            *("revision", "code_revision", "tokenizer_revision", "skip_tokenizer_init"),
        ),
        _CHECKPOINT,
    ),
    **dict.fromkeys(
        (
            *("distributed_executor_backend", "master_addr", "master_port", "nnodes", "node_rank"),
            *("device_ids", "numa_bind", "numa_bind_nodes", "numa_bind_cpus", "worker_cls"),
            *("data_parallel_size", "data_parallel_rank", "data_parallel_start_rank"),
            *("data_parallel_size_local", "data_parallel_address", "data_parallel_rpc_port"),
            *("data_parallel_hybrid_lb", "data_parallel_external_lb", "data_parallel_backend"),
            *(
                "data_parallel_multi_port_external_lb",
                "enable_elastic_ep",
                "elastic_ep_max_dp_size",
            ),
            *("prefill_context_parallel_size", "_api_process_count", "_api_process_rank"),
        ),
        _PLACED,
    ),
    **dict.fromkeys(("runner", "convert", "pooler_config", "tokens_only"), _TEXTS),
    "seed": "every sample has a seed of its own: set `seed`",
    "generation_config": "the study's sampling is the only one, and not a checkpoint's defaults",
    "override_generation_config": "the study's sampling is the only one: set `decoding.methods`",
    "logprobs_mode": "CoT-decoding's margins are of raw log probabilities",
    "max_logprobs": "it follows from the branches that CoT-decoding takes (`decoding.n`)",
    "enable_prefix_caching": "branches and draws share their prompt through it",
    "disable_log_stats": "an engine's steps say whether it is hung",
    "logits_processors": "it would change samples in ways that no field says",
    "enable_sleep_mode": "an engine that sleeps looks hung",
    "scheduler_cls": "an engine's steps say whether it is hung",
    "worker_extension_cls": "workers tell through it which attention backend they took",
    "hf_token": "credentials belong into the environment: set HF_TOKEN",
}

# `cluster.load_format` to vLLM's arguments. Others are given as `cluster.engine_args.load_format`,
# and are in the address.
LOADING: Final[Mapping[str, Mapping[str, str]]] = {
    "prefetch": {"safetensors_load_strategy": "prefetch"},
    "eager": {"safetensors_load_strategy": "eager"},
    "runai_streamer": {"load_format": "runai_streamer"},
    "fastsafetensors": {"load_format": "fastsafetensors"},
    "instanttensor": {"load_format": "instanttensor"},
}

# On CPUs a seeded request whose prefill is chunked kills vLLM's engine.
HELD_ON_CPU: Final[Mapping[str, str]] = dict.fromkeys(
    ("enable_chunked_prefill", "max_num_batched_tokens", "long_prefill_token_threshold"),
    "on CPUs a step must hold the longest prompt whole, or seeded requests kill the engine",
)

# Where files lie and how they are read, memory, logs, metrics, limits on requests: none of them
# takes part in what is computed.
HARMLESS: Final[frozenset[str]] = frozenset(
    {
        *("download_dir", "safetensors_load_strategy", "safetensors_prefetch_num_threads"),
        *("safetensors_prefetch_block_size", "max_parallel_loading_workers", "use_tqdm_on_load"),
        *("pt_load_map_location", "allowed_local_media_path", "allowed_media_domains"),
        *("distributed_timeout_seconds", "cpu_distributed_timeout_seconds", "shutdown_timeout"),
        *("max_num_queued_reqs", "max_num_queued_tokens", "stream_interval"),
        *("prefix_caching_hash_algo", "prefix_cache_retention_interval", "num_gpu_blocks_override"),
        *("kv_offloading_size", "kv_offloading_backend", "offload_backend", "cpu_offload_gb"),
        *("cpu_offload_params", "offload_group_size", "offload_num_in_group", "offload_params"),
        *("offload_prefetch_step", "enable_cumem_allocator", "enable_shm_tensor_arena"),
        *("aggregate_engine_logging", "enable_log_requests", "logging_config", "log_level"),
        *("log_config_file", "show_hidden_metrics_for_version", "otlp_traces_endpoint"),
        *("collect_detailed_traces", "per_request_spec_decode_metrics", "kv_cache_metrics"),
        *("kv_cache_metrics_sample", "custom_histogram_buckets", "cudagraph_metrics"),
        *("enable_layerwise_nvtx_tracing", "enable_mfu_metrics", "profiler_config"),
        *("enable_logging_iteration_details", "ray_workers_use_nsight", "kv_events_config"),
        *("jit_monitor_mode", "jit_monitor_verbose", "enable_mm_processor_stats"),
        "fail_on_environ_validation",
    }
)


def check_engine_args(args: Mapping[str, Any], device: Device) -> None:
    """Refuse what vLLM does not know and what an invariant of ours depends on.

    Imports vLLM where there is anything to check.

    Raises:
        UserError: One is so; the sentence gives the reason, or the nearest names.
    """
    held = {**HELD, **(HELD_ON_CPU if device == "cpu" else {})}
    for name, value in args.items():
        key = f"`cluster.engine_args.{name}`"
        if name in held:
            raise UserError(f"{key} cannot be set: {held[name]}")
        if name not in known_arguments():
            raise UserError(f"vLLM has no argument {key}{nearest(name, known_arguments())}")
        _as_json(key, value)
        _as_listed(key, value, known_arguments()[name])


@cache
def known_arguments() -> Mapping[str, frozenset[str]]:
    """All arguments of the installed vLLM's engine, with the texts that one may only be.

    None are listed of an argument that takes other values, too.
    """
    from vllm import AsyncEngineArgs

    return {field.name: _listed(field.type) for field in fields(AsyncEngineArgs)}


def _listed(hint: object) -> frozenset[str]:
    """The texts of ``Literal["a", "b"]`` and of ``Literal["a", "b"] | None``."""
    parts = get_args(hint) if get_origin(hint) is Union else (hint,)
    if len(parts) > 2 or any(get_origin(p) is not Literal for p in parts if p is not type(None)):
        return frozenset()
    texts = [text for part in parts for text in get_args(part)]
    return frozenset(texts) if all(isinstance(text, str) for text in texts) else frozenset()


def sample_args(args: Mapping[str, Any]) -> dict[str, Any]:
    """Those that can change a sample, for the fingerprint."""
    return {name: value for name, value in sorted(args.items()) if name not in HARMLESS}


def frozen_args(args: Mapping[str, Any]) -> str:
    """Arguments as canonical JSON, which compares and travels."""
    return json.dumps(dict(args), sort_keys=True)


def _as_listed(key: str, value: object, listed: frozenset[str]) -> None:
    """Raise where a text is none of vLLM's, which does not heed case and takes "-" for "_"."""
    known = {text.lower().replace("-", "_") for text in listed}
    if listed and value is not None and str(value).lower().replace("-", "_") not in known:
        remedy = nearest(str(value), listed, f"; take one of {', '.join(sorted(listed))}")
        raise UserError(f"{key} is {value}, which vLLM does not know{remedy}")


def _as_json(key: str, value: object) -> None:
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{key} is no JSON ({error}): give texts, numbers, lists or maps"
        ) from error
