"""What the planner must know of a checkpoint, as published; and what one rank of an engine holds.

Sizes are bytes. Parameters and KV follow the published config.json of a checkpoint:

- grouped-query attention keeps a key and a value of ``head_dim`` for each KV head and layer;
- multi-head latent attention (MLA; DeepSeek-V2, arXiv 2405.04434, section 2.1) keeps one latent
  vector of ``kv_lora_rank + qk_rope_head_dim`` for each layer, shared by all heads;
- a layer with a sliding window keeps what it attends to: the last ``sliding_window`` tokens.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from distlab.placement.placement import Parallelism

WeightDtype = Literal["bfloat16", "float16", "float32", "fp8", "packed"]
"""How weights are stored; packed are integers that hold several each (AWQ, GPTQ, MXFP4)."""

WEIGHT_DTYPES: Final[tuple[WeightDtype, ...]] = (
    *("bfloat16", "float16", "float32"),
    *("fp8", "packed"),
)

KVDtype = Literal["auto", "fp8"]
"""Of the KV cache: the engine's own, or 8 bits."""

# Of those that the engine converts to its own dtype; fp8 is of KV caches alone.
_BYTES: Final[Mapping[str, int]] = {"bfloat16": 2, "float16": 2, "float32": 4}
_KV_BYTES: Final[Mapping[str, int]] = {**_BYTES, "fp8": 1}

# Of a value of the KV cache at 16 bits, which `kv_bytes_per_token` is stated for.
KV_VALUE_BYTES = 2


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A family's checkpoints in numbers; base and instruct are alike.

    Attributes:
        source: Where the numbers come from.
        architecture: Class name in config.json.
        active_parameters: That a token passes through; all of them in a dense model.
        weight_bytes: Of all weights as stored.
        weight_dtype: How they are stored.
        layers: Decoder layers.
        attention_heads: Query heads.
        kv_heads: Heads whose keys and values are cached; 1 with MLA, whose ranks all keep it.
        kv_bytes_per_token: KV cache of a token over all layers and KV heads, at 16 bits per value.
        experts: Routed experts of an MoE layer, 0 in a dense model.
        experts_per_token: Of these, that a token passes through; 0 where it is not known.
        parameters: Of the model in all; 0 where it is not known.
        window: Tokens that layers with a sliding window attend to; 0 without such layers.
        windowed_kv_bytes_per_token: Of ``kv_bytes_per_token``, in these layers.
    """

    source: str
    architecture: str
    active_parameters: float
    weight_bytes: int
    weight_dtype: WeightDtype
    layers: int
    attention_heads: int
    kv_heads: int
    kv_bytes_per_token: int
    experts: int = 0
    experts_per_token: int = 0
    parameters: float = 0.0
    window: int = 0
    windowed_kv_bytes_per_token: int = 0

    def in_dtype(self, dtype: str) -> "Scale":
        """How a dtype of the engine stretches what is stored, and a KV cache of 16 bits.

        ``auto`` is a dtype of 16 bits: vLLM takes one for checkpoints in float32 too.
        """
        wide, stored = _BYTES.get(dtype, 2), _BYTES.get(self.weight_dtype)
        cached = _KV_BYTES.get(dtype, 2)
        return Scale(weights=wide / stored if stored else 1.0, kv=cached / KV_VALUE_BYTES)

    @property
    def routed_share(self) -> float | None:
        """Share of the parameters in routed experts; None where that is not known.

        All of them less those that a token leaves out: P - A = R (1 - k / E).
        """
        if not (self.experts > self.experts_per_token > 0 and self.parameters):
            return None
        idle = 1 - self.experts_per_token / self.experts
        return (1 - self.active_parameters / self.parameters) / idle


@dataclass(frozen=True, slots=True)
class Scale:
    """Factors on the stated bytes."""

    weights: float
    kv: float


def splits(facts: ModelFacts, tensor: int) -> bool:
    """Whether vLLM can split the layers over so many ranks."""
    return facts.attention_heads % tensor == 0 and (
        facts.kv_heads % tensor == 0 or tensor % facts.kv_heads == 0
    )


def splits_context(facts: ModelFacts, tensor: int, context: int) -> bool:
    """Whether tensor ranks can deal the KV cache out among so many of them, token by token.

    Only where each KV head is on that many ranks (vLLM's ``verify_with_parallel_config``), and
    where no layer has a window (``SlidingWindowSpec.max_memory_usage_bytes``).
    """
    if context == 1:
        return True
    if facts.window:
        return False
    queries = facts.attention_heads // facts.kv_heads
    is_shared = tensor % context == 0 and context <= tensor // facts.kv_heads
    return is_shared and queries % context == 0


def rank_weight_bytes(facts: ModelFacts, parallelism: Parallelism, dtype: str) -> int:
    """Weights of the fullest rank.

    Layers are dealt out to pipeline stages whole. Tensor and expert parallelism leave the same
    share on a rank: a slice of every expert, or every n-th expert whole. The little that ranks
    repeat (norms, routers, MLA's down-projections) belongs to the overhead. Data-parallel attention
    repeats all but the routed experts, which its ranks share out.

    Raises:
        ValueError: The split has data-parallel attention, and the facts do not say what is routed.
    """
    share = _stage_layers(facts, parallelism) / facts.layers / parallelism.tensor
    if parallelism.data > 1:
        routed = facts.routed_share
        if routed is None:
            raise ValueError("the facts do not say what share of the parameters is routed")
        share *= 1 - routed + routed / parallelism.data
    return math.ceil(facts.weight_bytes * facts.in_dtype(dtype).weights * share)


@dataclass(frozen=True, slots=True)
class RankKV:
    """KV cache that a token takes on the fullest rank.

    Attributes:
        bytes_per_token: Over all of the rank's layers, while the token is in every window.
        windowed_bytes_per_token: Of these, in layers that let go of it.
    """

    bytes_per_token: int
    windowed_bytes_per_token: int = 0


def rank_kv(facts: ModelFacts, parallelism: Parallelism, dtype: str) -> RankKV:
    """KV cache that a token takes on the fullest rank: its stage's layers, its share of KV heads.

    More ranks than KV heads repeat them, unless context parallelism deals the tokens out: then it
    is the mean over tokens. Where some layers have a window, vLLM pads both kinds of layers to
    groups of one size.
    """
    heads = math.ceil(facts.kv_heads / parallelism.tensor) / parallelism.context
    share = _stage_layers(facts, parallelism) / facts.layers * heads / facts.kv_heads
    share *= facts.in_dtype(dtype).kv
    full, windowed = _padded(facts)
    return RankKV(math.ceil((full + windowed) * share), math.floor(windowed * share))


def _padded(facts: ModelFacts) -> tuple[float, float]:
    """Bytes of a token in layers that see everything and in layers with a window, as vLLM pads.

    Groups have as many layers as the rarer kind, or as the other where that has less than half as
    many again (``_get_kv_cache_groups_uniform_page_size`` of vLLM 0.32); a layer of either kind is
    taken to keep as much.
    """
    windowed = facts.windowed_kv_bytes_per_token
    full = facts.kv_bytes_per_token - windowed
    if not windowed or not full:
        return full, windowed
    windows = min(max(round(facts.layers * windowed / (full + windowed)), 1), facts.layers - 1)
    counts = (facts.layers - windows, windows)
    fewer, more = sorted(counts)
    size = more if more < 1.5 * fewer else fewer
    padded = [math.ceil(count / size) * size / count for count in counts]
    return full * padded[0], windowed * padded[1]


def _stage_layers(facts: ModelFacts, parallelism: Parallelism) -> int:
    return math.ceil(facts.layers / parallelism.pipeline)
