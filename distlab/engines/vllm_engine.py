"""The Engine that decoders talk to, around vLLM's AsyncLLM."""

import asyncio
import itertools
import json
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Step, Vitals
from distlab.engines.engine_args import LOADING
from distlab.engines.environment import VLLM_BINDING
from distlab.engines.messages import EngineSettings, Site
from distlab.engines.token_reader import TokenReader
from distlab.escape import ascii_label
from distlab.placement.batches import cpu_step_tokens

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams
    from vllm.config import VllmConfig
    from vllm.outputs import CompletionOutput
    from vllm.tokenizers import TokenizerLike
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.metrics.loggers import StatLoggerFactory
    from vllm.v1.metrics.stats import IterationStats, MultiModalCacheStats, SchedulerStats

_log = logging.getLogger(__name__)

_IN_PROCESS = "vllm.v1.executor.uniproc_executor.UniProcExecutor"

# Compiled engines fuse the norms themselves.
_CPU_WORKER = "distlab.engines.cpu_worker.FusedNormWorker"

_TOLD = "distlab.engines.worker_extension.Told"

# Asked for beyond k, so that we order ties at the edge (by token id) and the kernel does not.
LOGPROB_MARGIN = 4

# Steps that a streamed request gives together (ours): waking up for each costs more than it does to
# fork some steps late.
_STEPS_AT_ONCE = 4

# Margins that are read in the event loop (ours): some 2 ms.
_MARGINS_AT_ONCE = 5000


class VLLMEngine(TokenReader):
    """Token ids in, completions out; one per process."""

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        from vllm import AsyncEngineArgs, envs
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        from distlab.engines.raw_logprobs import keep_raw_logprobs

        keep_raw_logprobs()
        self._vitals = Vitals()
        self._llm = AsyncLLM.from_engine_args(
            AsyncEngineArgs(**engine_args(settings, spans=site.spans)),
            # The default is in none of vLLM's tables of batch sizes: 2048 tokens per step.
            usage_context=UsageContext.LLM_CLASS,
            stat_loggers=self._stat_loggers(publish=settings.metrics),
        )
        # As vLLM's own processes do: one is looked up at every token.
        envs.enable_envs_cache()
        tokenizer = self._llm.get_tokenizer()
        super().__init__(tokenizer, _eos_token_ids(self._llm, tokenizer))
        self._ids = itertools.count()

    async def generate(self, request: EngineRequest) -> Completion:
        """Generate one completion.

        Raises:
            EngineDeadError: The engine is gone; no request will succeed again.
            ValueError: vLLM refuses the request.
        """
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        sampling: dict[str, Any] = {"temperature": 0.0, **request.sampling}
        params = SamplingParams(
            max_tokens=request.max_tokens,
            seed=request.seed,
            stop=list(request.stop) or None,
            logprobs=2 if request.margins else None,
            flat_logprobs=request.margins,
            output_kind=RequestOutputKind.FINAL_ONLY,
            skip_clone=True,
            **sampling,
        )
        output = (await self._run(request.prompt_ids, params)).outputs[0]
        return Completion(
            token_ids=tuple(output.token_ids),
            text=output.text,
            truncated=output.finish_reason == "length",
            stop_string=output.stop_reason if isinstance(output.stop_reason, str) else None,
            margins=await _margins_of(output) if request.margins else (),
        )

    async def stream(
        self, request: EngineRequest, top: int
    ) -> AsyncGenerator[Sequence[Step], None]:
        """Generate one completion and give its steps as they come; see ``Engine.stream``.

        Raises:
            EngineDeadError: The engine is gone; no request will succeed again.
            ValueError: vLLM refuses the request.
        """
        from vllm import SamplingParams, TokensPrompt
        from vllm.sampling_params import RequestOutputKind

        params = SamplingParams(
            max_tokens=request.max_tokens,
            seed=request.seed,
            logprobs=top,
            flat_logprobs=True,
            # Every candidate would be spelled.
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            stream_interval=_STEPS_AT_ONCE,
            skip_clone=True,
            **request.sampling,
        )
        prompt = TokensPrompt(prompt_token_ids=list(request.prompt_ids))
        outputs = self._llm.generate(prompt, params, str(next(self._ids)))
        async with aclosing(outputs):
            async for output in outputs:
                yield steps_of(output.outputs[0])

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        """The ``k`` likeliest first tokens by raw log probability, ties by ascending id."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        params = SamplingParams(
            max_tokens=1,
            temperature=0,
            logprobs=k + LOGPROB_MARGIN,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        output = (await self._run(prompt_ids, params)).outputs[0]
        assert output.logprobs is not None
        likeliest = sorted(
            ((-entry.logprob, token) for token, entry in output.logprobs[0].items()),
        )[:k]
        return FirstTokens(
            token_ids=tuple(token for _, token in likeliest),
            logprobs=tuple(-negated for negated, _ in likeliest),
        )

    async def _run(self, prompt_ids: tuple[int, ...], params: "SamplingParams") -> "RequestOutput":
        from vllm import TokensPrompt

        prompt = TokensPrompt(prompt_token_ids=list(prompt_ids))
        last = None
        async for output in self._llm.generate(prompt, params, str(next(self._ids))):
            last = output
        if last is None:
            raise RuntimeError("the engine ended the request without an output")
        return last

    async def attention(self) -> str:
        """The attention backends of its layers, as its workers tell."""
        told = await self._llm.collective_rpc("attention_backends")
        return ", ".join(sorted({name for rank in told for name in rank}))

    async def check(self) -> None:
        """Raise if the engine is dead."""
        await self._llm.check_health()

    def vitals(self) -> Vitals:
        """How far it is, as of its last step."""
        return self._vitals

    def _stat_loggers(self, *, publish: bool) -> "list[StatLoggerFactory]":
        """What vLLM tells of every step: to ourselves and, if asked for, to Ray's endpoint."""
        from ray.util import metrics as ray_metrics
        from vllm.v1.metrics import ray_wrappers
        from vllm.v1.metrics.loggers import StatLoggerBase

        # vLLM gives these up where Ray Serve does not import, of which it needs nothing here.
        vars(ray_wrappers)["ray_metrics"] = ray_metrics
        engine = self

        class Listener(StatLoggerBase):
            def __init__(self, vllm_config: "VllmConfig", engine_index: int = 0) -> None:
                pass

            def record(
                self,
                scheduler_stats: "SchedulerStats | None",
                iteration_stats: "IterationStats | None",
                mm_cache_stats: "MultiModalCacheStats | None" = None,
                engine_idx: int = 0,
            ) -> None:
                engine._vitals = _after_step(engine._vitals, scheduler_stats, iteration_stats)

            def log_engine_initialized(self) -> None:
                pass

        class Publisher(ray_wrappers.RayPrometheusStatLogger):
            """Where a number cannot be published it is lost; vLLM would give its requests up."""

            def record(
                self,
                scheduler_stats: "SchedulerStats | None",
                iteration_stats: "IterationStats | None",
                mm_cache_stats: "MultiModalCacheStats | None" = None,
                engine_idx: int = 0,
            ) -> None:
                try:
                    super().record(scheduler_stats, iteration_stats, mm_cache_stats, engine_idx)
                except Exception:
                    _log.warning("a step's metrics were not published", exc_info=True)

        return [Listener, Publisher] if publish else [Listener]

    def shutdown(self) -> None:
        """Stop the engine's processes."""
        from vllm import envs

        envs.disable_envs_cache()
        self._llm.shutdown()


def steps_of(output: "CompletionOutput") -> list[Step]:
    """New steps, of rows as ``raw_logprobs`` keeps them."""
    from distlab.engines.raw_logprobs import read_rows

    if not output.token_ids:
        return []
    ids, logprobs = read_rows(cast("Sequence[bytes]", output.logprobs))
    steps = zip(output.token_ids, ids[:, 1:].tolist(), logprobs[:, 1:].tolist(), strict=True)
    return [Step(token, FirstTokens(tuple(top), tuple(values))) for token, top, values in steps]


def _after_step(
    before: Vitals, scheduler: "SchedulerStats | None", iteration: "IterationStats | None"
) -> Vitals:
    new = iteration.num_generation_tokens if iteration is not None else 0
    prefilled = iteration.num_prompt_tokens if iteration is not None else 0
    if scheduler is None:
        running, waiting = before.running, before.waiting
    else:
        running, waiting = scheduler.num_running_reqs, scheduler.num_waiting_reqs
    steps = before.steps + (1 if new or prefilled else 0)
    return Vitals(steps, before.tokens + new, running, waiting)


def engine_args(settings: EngineSettings, *, spans: bool = False) -> dict[str, Any]:
    """Keyword arguments for vLLM's engines.

    Args:
        settings: Of the engine.
        spans: Whether its ranks sit on several nodes.
    """
    parallelism = settings.parallelism
    args: dict[str, Any] = {
        "model": settings.model,
        # What vLLM's metrics call it.
        "served_model_name": ascii_label(settings.model),
        "revision": settings.revision,
        "tokenizer_revision": settings.revision,
        "dtype": settings.dtype,
        "quantization": settings.quantization,
        "max_model_len": settings.max_model_len,
        "max_num_seqs": settings.max_num_seqs,
        "max_logprobs": settings.max_logprobs,
        "logprobs_mode": "raw_logprobs",
        "tensor_parallel_size": parallelism.tensor,
        "pipeline_parallel_size": parallelism.pipeline,
        "enable_expert_parallel": parallelism.expert,
        "decode_context_parallel_size": parallelism.context,
        "enable_ep_weight_filter": settings.ep_weight_filter,
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "enforce_eager": settings.enforce_eager,
        "trust_remote_code": settings.trust_remote_code,
        "enable_prefix_caching": True,
        "disable_log_stats": True,
        # The checkpoint's own sampling defaults (top_k, temperature) must not reach the samples:
        # the study's are the only ones.
        "generation_config": "vllm",
        # The torch seed of the engine; every stochastic request brings its own.
        "seed": 0,
        "worker_extension_cls": _TOLD,
    }
    if parallelism.ranks > 1:
        # Inside a placement group vLLM would take Ray's executor everywhere; processes need no
        # actor each, and their shared memory is faster.
        args["distributed_executor_backend"] = "ray" if spans else "mp"
    elif settings.device == "cpu" and VLLM_BINDING not in os.environ:
        # By its path, since vLLM turns "uni" on CPUs into a worker process, to bind that to its
        # cores. ``environment`` has bound the engine core, and a process less to start and to
        # talk to at every step is a third less to wait for.
        args["distributed_executor_backend"] = _IN_PROCESS
    if settings.kv_cache_bytes is not None:
        args["kv_cache_memory_bytes"] = settings.kv_cache_bytes
    if settings.max_num_batched_tokens is not None:
        args["max_num_batched_tokens"] = settings.max_num_batched_tokens
    if settings.load_format is not None:
        args |= LOADING[settings.load_format]
    if settings.block_size is not None:
        args["block_size"] = settings.block_size
    if settings.device == "cpu":
        # vLLM's CPU sampler dies when a seeded request's prefill is chunked ("CPU Generator does
        # not use offset"), so a step must hold the longest prompt whole.
        args["enable_chunked_prefill"] = False
        args["max_num_batched_tokens"] = cpu_step_tokens(settings.max_model_len)
        if settings.enforce_eager:
            args["worker_cls"] = _CPU_WORKER
    return {**args, **json.loads(settings.engine_args)}


def _eos_token_ids(llm: "AsyncLLM", tokenizer: "TokenizerLike") -> frozenset[int]:
    """EOS of the tokenizer, and those of generation_config.json, which vLLM also stops at."""
    ids: set[int | None] = {tokenizer.eos_token_id}
    configured = llm.model_config.try_get_generation_config().get("eos_token_id")
    ids.update(configured if isinstance(configured, list) else [configured])
    return frozenset(int(i) for i in ids if i is not None)


async def _margins_of(output: "CompletionOutput") -> tuple[float, ...]:
    from distlab.engines.raw_logprobs import margins

    rows = cast("Sequence[bytes]", output.logprobs)
    if len(rows) > _MARGINS_AT_ONCE:
        return await asyncio.to_thread(margins, rows)
    return margins(rows)
