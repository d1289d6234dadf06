"""What the checkpoints' config.json say, and the sizes that follow from it, written out by hand.

The fields are those of the hub repositories that conf/model names; nothing here reads conf/model,
so that a slip there and one here would have to agree.
"""

from dataclasses import dataclass

FP8_BLOCK = 128 * 128  # weights behind one float32 scale


@dataclass(frozen=True)
class Dense:
    """Llama, Qwen3 and SmolLM3: grouped-query attention and a gated MLP."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    tie_word_embeddings: bool
    qk_norm: bool = False
    # OLMo: one norm over the queries of all heads, one over all keys.
    wide_qk_norm: bool = False
    weight_dtype: str = "bfloat16"

    @property
    def kv_bytes_per_token(self) -> int:
        return 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_dim * 2

    @property
    def parameters(self) -> int:
        h, query = self.hidden_size, self.num_attention_heads * self.head_dim
        attention = 2 * h * query + 2 * h * self.num_key_value_heads * self.head_dim
        norms = 2 * h + (2 * self.head_dim if self.qk_norm else 0)
        if self.wide_qk_norm:
            norms += query + self.num_key_value_heads * self.head_dim
        layer = attention + 3 * h * self.intermediate_size + norms
        embeddings = self.vocab_size * h * (1 if self.tie_word_embeddings else 2)
        return embeddings + self.num_hidden_layers * layer + h

    @property
    def active_parameters(self) -> int:
        return self.parameters

    @property
    def weight_bytes(self) -> int:
        return {"bfloat16": 2, "float32": 4}[self.weight_dtype] * self.parameters


@dataclass(frozen=True)
class Latent:
    """DeepSeek-V3 and Kimi-K2: multi-head latent attention, routed experts, fp8 in blocks."""

    vocab_size: int
    num_attention_heads: int
    n_routed_experts: int
    first_k_dense_replace: int
    hidden_size: int = 7168
    intermediate_size: int = 18432
    moe_intermediate_size: int = 2048
    num_hidden_layers: int = 61
    num_experts_per_tok: int = 8
    n_shared_experts: int = 1
    q_lora_rank: int = 1536
    kv_lora_rank: int = 512
    qk_nope_head_dim: int = 128
    qk_rope_head_dim: int = 64
    v_head_dim: int = 128
    weight_dtype: str = "fp8"

    @property
    def kv_bytes_per_token(self) -> int:
        return self.num_hidden_layers * (self.kv_lora_rank + self.qk_rope_head_dim) * 2

    @property
    def attention(self) -> int:
        """fp8 weights of a layer's attention."""
        h, heads = self.hidden_size, self.num_attention_heads
        queries = h * self.q_lora_rank + self.q_lora_rank * heads * (
            self.qk_nope_head_dim + self.qk_rope_head_dim
        )
        latent = h * (self.kv_lora_rank + self.qk_rope_head_dim)
        up = self.kv_lora_rank * heads * (self.qk_nope_head_dim + self.v_head_dim)
        return queries + latent + up + heads * self.v_head_dim * h

    @property
    def expert(self) -> int:
        """fp8 weights of one expert."""
        return 3 * self.hidden_size * self.moe_intermediate_size

    def in_fp8(self, experts: int) -> int:
        """fp8 weights of all layers with so many routed experts each."""
        dense = self.first_k_dense_replace * 3 * self.hidden_size * self.intermediate_size
        sparse = self.num_hidden_layers - self.first_k_dense_replace
        moe = sparse * (experts + self.n_shared_experts) * self.expert
        return self.num_hidden_layers * self.attention + dense + moe

    @property
    def in_bfloat16(self) -> int:
        """Embeddings, head, norms and routers (their correction bias is float32)."""
        h = self.hidden_size
        sparse = self.num_hidden_layers - self.first_k_dense_replace
        norms = self.num_hidden_layers * (2 * h + self.q_lora_rank + self.kv_lora_rank) + h
        return 2 * self.vocab_size * h + norms + sparse * self.n_routed_experts * (h + 1)

    @property
    def parameters(self) -> int:
        return self.in_fp8(self.n_routed_experts) + self.in_bfloat16

    @property
    def active_parameters(self) -> int:
        return self.in_fp8(self.num_experts_per_tok) + self.in_bfloat16

    @property
    def weight_bytes(self) -> int:
        fp8 = self.in_fp8(self.n_routed_experts)
        return fp8 + fp8 // FP8_BLOCK * 4 + 2 * self.in_bfloat16


SMOLLM2 = Dense(49152, 576, 1536, 30, 9, 3, 64, tie_word_embeddings=True)

PUBLISHED: dict[str, Dense | Latent] = {
    "smollm2-135m": SMOLLM2,
    "smollm2-135m-packaged": SMOLLM2,
    "qwen3-0.6b": Dense(151936, 1024, 3072, 28, 16, 8, 128, tie_word_embeddings=True, qk_norm=True),
    "qwen3-8b": Dense(151936, 4096, 12288, 36, 32, 8, 128, tie_word_embeddings=False, qk_norm=True),
    "qwen3-14b": Dense(
        151936, 5120, 17408, 40, 40, 8, 128, tie_word_embeddings=False, qk_norm=True
    ),
    "llama3-3b": Dense(128256, 3072, 8192, 28, 24, 8, 128, tie_word_embeddings=True),
    "llama3-70b": Dense(128256, 8192, 28672, 80, 64, 8, 128, tie_word_embeddings=False),
    "smollm-3b": Dense(128256, 2048, 11008, 36, 16, 4, 128, tie_word_embeddings=True),
    "deepseek-v3.1": Latent(129280, 128, n_routed_experts=256, first_k_dense_replace=3),
    "kimi-k2": Latent(163840, 64, n_routed_experts=384, first_k_dense_replace=1),
}

LADDERS: dict[str, Dense | Latent] = {
    "olmo2-7b": Dense(
        *(100352, 4096, 11008, 32, 32, 32, 128),
        tie_word_embeddings=False,
        wide_qk_norm=True,
        weight_dtype="float32",
    ),
    "olmo3-7b": Dense(
        100278, 4096, 11008, 32, 32, 32, 128, tie_word_embeddings=False, wide_qk_norm=True
    ),
    # Tulu's vocabulary; Llama's has eight tokens less.
    "tulu3-8b": Dense(128264, 4096, 14336, 32, 32, 8, 128, tie_word_embeddings=False),
}
