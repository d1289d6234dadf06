"""Whether an engine fits: weights, overhead and KV cache of one rank against its memory."""

from dataclasses import dataclass
from typing import Final

from distlab.placement.gpus import GIB, GPU_MODELS
from distlab.placement.model_facts import (
    KVDtype,
    ModelFacts,
    rank_kv,
    rank_weight_bytes,
)
from distlab.placement.placement import Node, Parallelism

# Tokens of vLLM's largest block, that on CPUs: a window may begin inside of one.
_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class Fit:
    """Memory of the fullest rank of an engine, in bytes.

    Attributes:
        usable: What the engine may take of the GPU, or of the node's memory per rank.
        weights: The rank's share of the weights.
        overhead: Activations, CUDA graphs, communication buffers: an estimate
            (``cluster.overhead_gib``).
        kv_bytes_per_token: KV cache of one token; where the cache is dealt out over ranks token by
            token, a token's share.
        kv_cache: Left for the KV cache, or its fixed size (``cluster.kv_cache_gib``).
        max_model_len: Tokens of the longest sequence.
        caches: Groups of ranks with a KV cache each: those of data-parallel attention.
        window: Tokens that some layers keep no more than; 0 without such layers.
        windowed_kv_bytes_per_token: Of ``kv_bytes_per_token``, in these layers.
        in_flight: Tokens that may be under way at once, which these layers keep beside the window.
    """

    usable: int
    weights: int
    overhead: int
    kv_bytes_per_token: int
    kv_cache: int
    max_model_len: int
    caches: int = 1
    window: int = 0
    windowed_kv_bytes_per_token: int = 0
    in_flight: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of full sequences that the KV cache holds at once, all caches together."""
        return self.tokens_of(self.max_model_len)

    def tokens_of(self, length: float) -> int:
        """Tokens of sequences of a length that the KV cache holds at once, all caches together.

        Never fewer than if every layer kept them all.
        """
        cache = max(0, self.kv_cache)
        spare = self.in_flight * self.windowed_kv_bytes_per_token
        mean = self.bytes_per_token(length)
        held = max(cache // self.kv_bytes_per_token, int(max(0, cache - spare) // mean))
        return held * self.caches

    def bytes_per_token(self, length: float) -> float:
        """Mean over the tokens of a sequence, of which a window keeps no more than it is long."""
        outside = max(0.0, 1 - (self.window + _BLOCK) / length)
        return self.kv_bytes_per_token - self.windowed_kv_bytes_per_token * outside

    def sequences(self, length: float) -> int:
        """Sequences of a length (tokens) that the KV cache holds at once."""
        return int(self.tokens_of(length) // length)

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that the KV cache holds, as far as one may be."""
        cache, windowed = max(0, self.kv_cache), self.windowed_kv_bytes_per_token
        kept = windowed * (self.window + _BLOCK + self.in_flight)
        most = cache // self.kv_bytes_per_token
        if windowed and cache >= kept:
            full = self.kv_bytes_per_token - windowed
            most = max(most, (cache - kept) // full if full else self.max_model_len)
        return min(most, self.max_model_len)

    @property
    def holds_weights(self) -> bool:
        """Whether weights, overhead and a KV cache of the size asked for fit at all."""
        return self.kv_cache > 0 and self.weights + self.overhead + self.kv_cache <= self.usable

    @property
    def holds_a_sequence(self) -> bool:
        """Whether one sequence of full length fits too, without which vLLM does not start."""
        return self.holds_weights and self.longest >= self.max_model_len


@dataclass(frozen=True, slots=True)
class Budget:
    """What an engine is given.

    Attributes:
        memory: Of one GPU, or of a node per rank, in bytes.
        share: Of ``memory`` that the engine may take.
        overhead: Bytes of a rank that are neither weights nor KV cache.
        kv_cache: Fixed size of a rank's KV cache in bytes, None to fill what is left.
        max_model_len: Tokens of the longest sequence.
        dtype: Of weights, and of the KV cache where ``kv_dtype`` is auto.
        kv_dtype: Of the KV cache.
        step_tokens: Most that a step of the engine computes, prompts included.
        frees_windows: Whether the engine lets go of what has left a layer's window.
    """

    memory: int
    share: float
    overhead: int
    kv_cache: int | None
    max_model_len: int
    dtype: str
    kv_dtype: KVDtype = "auto"
    step_tokens: int = 0
    frees_windows: bool = True

    def fit(self, facts: ModelFacts, parallelism: Parallelism) -> Fit:
        """Memory of the fullest rank."""
        usable = int(self.memory * self.share)
        weights = rank_weight_bytes(facts, parallelism, self.dtype)
        left = usable - weights - self.overhead
        kv_dtype = self.dtype if self.kv_dtype == "auto" else self.kv_dtype
        kv = rank_kv(facts, parallelism, kv_dtype)
        is_bounded = self.frees_windows and facts.window > 0
        return Fit(
            usable=usable,
            weights=weights,
            overhead=self.overhead,
            kv_bytes_per_token=kv.bytes_per_token,
            kv_cache=left if self.kv_cache is None else self.kv_cache,
            max_model_len=self.max_model_len,
            caches=parallelism.data,
            window=facts.window if is_bounded else 0,
            windowed_kv_bytes_per_token=kv.windowed_bytes_per_token if is_bounded else 0,
            # A step may be scheduled while those of all stages are under way.
            in_flight=(parallelism.pipeline + 1) * self.step_tokens if is_bounded else 0,
        )


def gpu_memory(node: Node) -> int | None:
    """Bytes of one GPU of a node: as stated, else by its type, None where neither is known."""
    if node.gpu_memory_bytes is not None:
        return node.gpu_memory_bytes
    known = GPU_MODELS.get(node.gpu_type or "")
    return None if known is None else known.memory_bytes


def gib(size: float) -> str:
    """Bytes for people: "71.7 GiB"."""
    return f"{size / GIB:.1f} GiB"
