"""From a planned cell and a cluster to the settings of its engine."""

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.config.values import Cluster, Family
from distlab.engines.endpoint import Endpoint
from distlab.engines.engine_args import frozen_args
from distlab.engines.messages import EngineSettings
from distlab.engines.splitting import Choice
from distlab.engines.vllm_engine import LOGPROB_MARGIN

# Room for CoT-decoding at any usual k, so that arms and sweeps do not ask for engines that differ
# in nothing else. It is a limit and costs nothing.
_LOGPROBS = 64


def engine_settings(
    family: Family,
    checkpoint: Checkpoint,
    cluster: Cluster,
    choice: Choice,
    branches: int = 0,
    endpoint: Endpoint | None = None,
) -> EngineSettings:
    """How the engine of a checkpoint is built.

    Args:
        family: How the checkpoint is served.
        checkpoint: The weights and tokenizer that it loads.
        cluster: Where it runs, as the config says.
        choice: How it is split there.
        branches: Most first tokens that a decoder asks the log probabilities of.
        endpoint: The server that draws instead, where one does.
    """
    kv_cache, group = cluster.kv_cache_gib, choice.group
    return EngineSettings(
        model=checkpoint.model,
        revision=checkpoint.revision,
        dtype=family.dtype,
        quantization=family.quantization,
        device=cluster.device,
        max_model_len=family.max_model_len,
        max_num_seqs=choice.limits.sequences,
        max_num_batched_tokens=choice.limits.tokens,
        max_logprobs=max(_LOGPROBS, branches + LOGPROB_MARGIN),
        engine=cluster.engine,
        parallelism=group.parallelism,
        cpus_per_rank=group.cpus_per_rank,
        gpu_type=group.gpu_type,
        kv_cache_bytes=None if kv_cache is None else int(kv_cache * 2**30),
        gpu_memory_utilization=cluster.gpu_memory_utilization,
        block_size=cluster.block_size,
        enforce_eager=cluster.enforce_eager,
        trust_remote_code=family.trust_remote_code,
        compile_cache=cluster.compile_cache,
        load_format=cluster.load_format,
        ep_weight_filter=cluster.ep_weight_filter and group.parallelism.expert,
        batch_invariant=cluster.batch_invariant,
        engine_args=frozen_args(cluster.engine_args),
        env=tuple(sorted(cluster.env.items())),
        # On one's own machine nobody collects them.
        metrics=cluster.address is not None,
        endpoint=endpoint,
    )
