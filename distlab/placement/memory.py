"""Whether an engine fits: weights, overhead and KV cache of one rank against its memory."""

from dataclasses import dataclass

from distlab.placement.gpus import GIB, GPU_MODELS
from distlab.placement.model_facts import (
    KVDtype,
    ModelFacts,
    rank_kv_bytes_per_token,
    rank_weight_bytes,
)
from distlab.placement.placement import Node, Parallelism


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
    """

    usable: int
    weights: int
    overhead: int
    kv_bytes_per_token: int
    kv_cache: int
    max_model_len: int
    caches: int = 1

    @property
    def tokens(self) -> int:
        """Tokens that the KV cache holds at once, all caches together."""
        return max(0, self.kv_cache) // self.kv_bytes_per_token * self.caches

    def sequences(self, length: float) -> int:
        """Sequences of a length (tokens) that the KV cache holds at once."""
        return int(self.tokens // length)

    @property
    def holds_weights(self) -> bool:
        """Whether weights, overhead and a KV cache of the size asked for fit at all."""
        return self.kv_cache > 0 and self.weights + self.overhead + self.kv_cache <= self.usable

    @property
    def holds_a_sequence(self) -> bool:
        """Whether one sequence of full length fits too, without which vLLM does not start."""
        return self.holds_weights and self.tokens // self.caches >= self.max_model_len


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
    """

    memory: int
    share: float
    overhead: int
    kv_cache: int | None
    max_model_len: int
    dtype: str
    kv_dtype: KVDtype = "auto"

    def fit(self, facts: ModelFacts, parallelism: Parallelism) -> Fit:
        """Memory of the fullest rank."""
        usable = int(self.memory * self.share)
        weights = rank_weight_bytes(facts, parallelism, self.dtype)
        left = usable - weights - self.overhead
        return Fit(
            usable=usable,
            weights=weights,
            overhead=self.overhead,
            kv_bytes_per_token=rank_kv_bytes_per_token(
                facts, parallelism, self.dtype if self.kv_dtype == "auto" else self.kv_dtype
            ),
            kv_cache=left if self.kv_cache is None else self.kv_cache,
            max_model_len=self.max_model_len,
            caches=parallelism.data,
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
