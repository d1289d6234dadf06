"""How engines are split on described clusters, and what is refused."""

from dataclasses import replace

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.engines.splitting import Choice, choose
from distlab.errors import UserError
from distlab.placement.batches import BatchLimits
from distlab.placement.gpus import GIB
from distlab.placement.model_facts import ModelFacts, rank_kv, rank_weight_bytes
from distlab.placement.placement import Node, Parallelism, fill

GQA = ModelFacts("", "LlamaForCausalLM", 1e9, 8000, "bfloat16", 10, 16, 4, 800)
QWEN = "model=qwen3-8b cluster=h100-1x8"
MLA = ModelFacts("", "DeepseekV3ForCausalLM", 1e9, 8000, "fp8", 10, 16, 1, 800, experts=8)


def study(*overrides: str) -> Study:
    return validate(compose_config(list(overrides)))


def chosen(*overrides: str) -> Choice:
    made = study(*overrides)
    return choose(made.family, made.cluster, made.cluster.nodes)


def refusal(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        chosen(*overrides)
    return str(caught.value)


def test_weights_are_sliced_by_tensor_ranks_and_dealt_out_to_stages_whole() -> None:
    assert rank_weight_bytes(GQA, Parallelism(4), "bfloat16") == 2000
    # Three stages of ten layers: the fullest holds four.
    assert rank_weight_bytes(GQA, Parallelism(2, 3), "bfloat16") == 8000 * 4 / 10 / 2
    assert rank_weight_bytes(MLA, Parallelism(4, expert=True), "bfloat16") == 2000
    assert rank_weight_bytes(GQA, Parallelism(), "float32") == 16000
    assert rank_weight_bytes(MLA, Parallelism(), "float32") == 8000


def test_kv_heads_are_shared_out_and_mlas_latent_is_repeated() -> None:
    assert rank_kv(GQA, Parallelism(2), "bfloat16").bytes_per_token == 400
    assert rank_kv(GQA, Parallelism(8), "bfloat16").bytes_per_token == 200  # 4 heads on 8 ranks
    assert rank_kv(MLA, Parallelism(8), "bfloat16").bytes_per_token == 800
    assert rank_kv(MLA, Parallelism(8, 2), "bfloat16").bytes_per_token == 400
    assert rank_kv(GQA, Parallelism(), "float32").bytes_per_token == 1600


@pytest.mark.parametrize(
    ("model", "cluster", "split"),
    [
        ("kimi-k2", "h100-2x8", "TP 8 x PP 2 x EP x DCP 8"),
        ("kimi-k2", "h100-4x8", "TP 8 x PP 2 x EP x DCP 8"),
        ("kimi-k2", "h200-1x8", "TP 8 x EP x DCP 8"),
        ("deepseek-v3.1", "h200-1x8", "TP 8 x EP x DCP 4"),
        ("deepseek-v3.1", "h100-2x8", "TP 8 x PP 2 x EP x DCP 8"),
        ("llama3-70b", "h100-1x8", "TP 4"),
        ("llama3-70b", "h200-1x8", "TP 2"),
        ("qwen3-14b", "h100-1x8", "TP 1"),
        ("qwen3-8b", "h100-1x8", "TP 1"),
        ("qwen3-0.6b", "h200-1x8", "TP 1"),
        ("llama3-3b", "h100-1x8", "TP 1"),
        ("smollm-3b", "h100-1x8", "TP 1"),
        ("smollm2-135m", "cpu", "TP 1"),
    ],
)
def test_families_on_described_clusters(model: str, cluster: str, split: str) -> None:
    choice = chosen(f"model={model}", f"cluster={cluster}")
    assert str(choice.group.parallelism) == split
    assert choice.fit is not None
    assert choice.fit.holds_a_sequence
    assert choice.group.gpu_type == (None if cluster == "cpu" else cluster[:4].upper())


def test_kimi_on_two_nodes_by_hand() -> None:
    fit = chosen("model=kimi-k2", "cluster=h100-2x8").fit
    assert fit is not None
    assert fit.usable / GIB == pytest.approx(0.9 * 79.1)
    # 31 of 61 layers, an eighth of each.
    assert fit.weights == pytest.approx(1029173196976 * 31 / 61 / 8, abs=1)
    # Each of the eight tensor ranks keeps an eighth of the tokens.
    assert fit.kv_bytes_per_token == 31 * (512 + 64) * 2 / 8
    assert fit.kv_cache == fit.usable - fit.weights - 4 * GIB
    assert fit.sequences(20480) == fit.kv_cache // (31 * 576 * 2 // 8) // 20480 == 74
    whole = chosen("model=kimi-k2", "cluster=h100-2x8", "cluster.decode_context_parallel=1").fit
    assert whole is not None
    assert (whole.tokens, whole.sequences(20480)) == (189485, 9)


def test_what_nobody_says_is_worked_out() -> None:
    made = study("model=llama3-70b", "cluster=h100-1x8")
    bare = replace(made.family, parallel={})
    found = choose(bare, made.cluster, made.cluster.nodes)
    assert found.group.parallelism == Parallelism(4)


def test_a_wider_engine_is_taken_where_it_promises_much_more() -> None:
    made = study("model=kimi-k2", "cluster=h100-4x8")
    family, nodes = made.family, made.cluster.nodes
    whole = replace(made.cluster, decode_context_parallel=1)
    assert choose(family, whole, nodes[:2]).group.parallelism == Parallelism(8, 2, True)
    # Four stages have room for several times the cache, where every rank keeps all of it.
    assert choose(family, whole, nodes).group.parallelism == Parallelism(8, 4, True)
    assert choose(family, made.cluster, nodes).group.parallelism.pipeline == 2


@pytest.mark.parametrize(
    ("model", "cluster", "tokens"),
    [
        # bf16 as it was, dealt out, and that in fp8; then attention copied to each GPU.
        ("kimi-k2", "h100-2x8", (189485, 1515884, 3031768, None)),
        ("deepseek-v3.1", "h100-2x8", (822779, 6582235, 13164470, 3181792)),
        ("kimi-k2", "h200-1x8", (30689, 245512, 491024, None)),
        ("deepseek-v3.1", "h200-1x8", (663982, 2655931, 5311863, 3601352)),
    ],
)
def test_ways_to_keep_mlas_cache_are_weighed(
    model: str, cluster: str, tokens: tuple[int | None, ...]
) -> None:
    choice = chosen(f"model={model}", f"cluster={cluster}")
    split = choice.group.parallelism
    found = {
        (other.parallelism.context, other.kv_dtype, other.parallelism.data): other
        for other in choice.alternatives
        if (other.parallelism.pipeline, other.parallelism.tensor)
        in ((split.pipeline, split.tensor), (1, 1))
    }
    assert choice.fit is not None
    whole, dealt, fp8, copied = tokens
    assert (found[1, "auto", 1].fit.tokens, choice.fit.tokens) == (whole, dealt)
    assert found[split.context, "fp8", 1].fit.tokens == fp8
    gpus = 16 if cluster == "h100-2x8" else 8
    assert (found[1, "auto", gpus].fit.tokens if copied else None) == copied
    # What runs as it is and changes no sample is worse than what was chosen.
    plain = [o for o in choice.alternatives if o.kv_dtype == "auto" and o.parallelism.data == 1]
    assert all(other.worth is not None and other.worth <= 1 for other in plain)


def test_a_split_that_is_given_has_its_cache_dealt_out_too() -> None:
    given = ("cluster.tensor_parallel=8", "cluster.pipeline_parallel=2")
    both = chosen("model=kimi-k2", "cluster=h100-2x8", *given)
    assert str(both.group.parallelism) == "TP 8 x PP 2 x EP x DCP 8"
    none = chosen("model=kimi-k2", "cluster=h100-2x8", *given, "cluster.decode_context_parallel=1")
    assert str(none.group.parallelism) == "TP 8 x PP 2 x EP"


def two_nodes(gpu_type: str, gib: float) -> tuple[str, str]:
    node = f"count: 2, cpus: 96, memory_gib: 2000, gpus: 8, gpu_memory_gib: {gib}"
    return (
        f"cluster.nodes=[{{{node}, gpu_type: {gpu_type}}}]",
        f"cluster.gpu_type={gpu_type}",
    )


def copied(*overrides: str) -> dict[int, float | None]:
    """Ranks that attention is copied to, to what that is worth."""
    others = chosen("model=deepseek-v3.1", "cluster=h200-1x8", *overrides).alternatives
    return {o.parallelism.data: o.worth for o in others if o.parallelism.data > 1}


def test_attention_is_copied_within_nodes_and_over_all_of_them() -> None:
    (alone,) = copied().values()
    two = copied(*two_nodes("H200", 139.8))
    assert set(two) == {8, 16}
    # Two copies on two nodes are worth what one is on one.
    assert two[8] == alone


def test_cores_that_are_short_are_not_called_memory() -> None:
    said = refusal("model=kimi-k2", "cluster=h100-2x8", "cluster.cpus_per_rank=13")
    assert said.endswith("has 16 with 192 cores in all: lower cluster.cpus_per_rank")


def test_a_latent_cache_is_offered_in_no_format_that_vllm_refuses() -> None:
    kimi, a100 = ("model=kimi-k2", "cluster=h100-2x8"), two_nodes("A100", 79.1)
    fp8 = "+cluster.engine_args.kv_cache_dtype=fp8"
    assert any(other.kv_dtype == "fp8" for other in chosen(*kimi).alternatives)
    assert not any(other.kv_dtype == "fp8" for other in chosen(*kimi, *a100).alternatives)
    assert "keeps the latent cache of kimi-k2 in no fp8 on A100" in refusal(*kimi, *a100, fp8)
    assert "kimi-k2 in no such format on H100; take fp8" in refusal(*kimi, f"{fp8}_e5m2")
    assert chosen(*kimi, fp8).fit is not None


def test_a_dense_model_is_copied_unless_memory_wants_it_split() -> None:
    choice = chosen("model=qwen3-14b", "cluster=h100-1x8")
    wider = [other for other in choice.alternatives if other.kv_dtype == "auto"]
    assert {str(other.parallelism) for other in wider} == {"TP 2", "TP 4", "TP 8"}
    assert all(other.worth is not None and other.worth < 1.5 for other in wider)
    placed, _ = fill(choice.group, study("model=qwen3-14b", "cluster=h100-1x8").cluster.nodes)
    assert len(placed) == 8


def test_a_cache_of_eight_bits_counts_as_one() -> None:
    fp8 = "cluster.engine_args={kv_cache_dtype: fp8_e4m3}"
    choice = chosen("model=kimi-k2", "cluster=h100-2x8", fp8)
    assert choice.fit is not None
    assert choice.fit.tokens == 3031768
    assert not any(other.kv_dtype == "auto" for other in choice.alternatives)


@pytest.mark.parametrize(
    ("overrides", "limits"),
    [
        ("model=qwen3-8b cluster=h100-1x8", BatchLimits(1024, 16384)),
        ("model=qwen3-8b cluster=h100-1x8 cluster.max_num_seqs=64", BatchLimits(64, 16384)),
        (f"{QWEN} cluster.engine_args={{max_num_batched_tokens:4096}}", BatchLimits(1024, 4096)),
        (f"{QWEN} cluster.engine_args={{max_num_batched_tokens:256}}", BatchLimits(256, 256)),
        # No more than the cache could hold of short ones.
        (
            "model=kimi-k2 cluster=h100-2x8 cluster.decode_context_parallel=1",
            BatchLimits(740, 16384),
        ),
        ("model=smollm2-135m cluster=cpu", BatchLimits(128)),
    ],
)
def test_a_step_is_as_large_as_vllm_would_have_it_and_memory_allows(
    overrides: str, limits: BatchLimits
) -> None:
    assert chosen(*overrides.split()).limits == limits


def test_overrides_win_over_the_family() -> None:
    group = chosen("model=llama3-70b", "cluster=h100-1x8", "cluster.tensor_parallel=8").group
    assert group.parallelism == Parallelism(8)
    group = chosen("model=kimi-k2", "cluster=h100-2x8", "cluster.expert_parallel=false").group
    assert group.parallelism == Parallelism(8, 2, context=8)
    dealt = "cluster.decode_context_parallel=2"
    assert chosen("model=kimi-k2", "cluster=h100-2x8", dealt).group.parallelism.context == 2
    group = chosen("model=qwen3-8b", "cluster=h100-1x8", "cluster.pipeline_parallel=2").group
    assert group.parallelism == Parallelism(1, 2)


def test_of_two_gpu_types_the_one_that_holds_more_engines_wins() -> None:
    made = study("model=deepseek-v3.1", "cluster=local-gpu")
    nodes = [
        Node("a", 96, 8, "H100", memory_bytes=2000 * GIB),
        Node("b", 96, 8, "H200", memory_bytes=2000 * GIB),
    ]
    choice = choose(made.family, made.cluster, nodes)
    assert (choice.group.gpu_type, choice.group.parallelism) == (
        "H200",
        Parallelism(8, 1, True, context=4),
    )
    placed, _ = fill(choice.group, nodes)
    assert [p.ranks for p in placed] == [(("b", 8),)]


def test_gpus_without_batch_invariant_kernels_are_refused() -> None:
    made = study("model=qwen3-8b", "cluster=local-gpu", "cluster.batch_invariant=true")
    old, new = (Node(name, 96, 8, name, memory_bytes=500 * GIB) for name in ("V100", "H100"))
    with pytest.raises(UserError, match=r"no such kernels for V100 .*cluster\.gpu_type"):
        choose(made.family, made.cluster, [old, new])
    assert choose(made.family, made.cluster, [new]).group.gpu_type == "H100"


def test_what_is_taken_now_does_not_change_the_split() -> None:
    made = study("model=llama3-70b", "cluster=h100-1x8")
    taken = [replace(node, used_gpus=8) for node in made.cluster.nodes]
    assert choose(made.family, made.cluster, taken).group.parallelism == Parallelism(4)


def test_a_node_of_an_unknown_gpu_is_taken_at_the_users_word() -> None:
    made = study("model=qwen3-8b", "cluster=local-gpu", "cluster.tensor_parallel=2")
    nodes = [Node("a", 96, 8)]
    with pytest.raises(UserError, match="the memory of a GPU is not known"):
        choose(made.family, made.cluster, nodes)
    told = replace(made.cluster, pipeline_parallel=1)
    assert choose(made.family, told, nodes).fit is None


def test_a_model_without_facts_is_taken_at_the_users_word() -> None:
    made = study("model=qwen3-8b", "cluster=h100-1x8")
    bare = replace(made.family, facts=None)
    with pytest.raises(UserError, match=r"set cluster\.tensor_parallel, or model\.facts"):
        choose(bare, made.cluster, made.cluster.nodes)
    told = replace(made.cluster, tensor_parallel=2)
    assert choose(bare, told, made.cluster.nodes).group.parallelism == Parallelism(2)


def test_kimi_on_one_node_is_refused_with_the_arithmetic_and_the_way_out() -> None:
    assert refusal("model=kimi-k2", "cluster=h100-1x8") == (
        "kimi-k2 as TP 8 x EP does not fit H100: 119.8 GiB of weights + 4.0 GiB of overhead (our "
        "estimate) + 1.3 GiB of KV cache for one sequence of 20480 tokens = 125.2 GiB per rank, "
        "and 0.9 x 79.1 GiB = 71.2 GiB are usable; the nearest that would fit: TP 8 x PP 2 x EP, "
        "which takes 16 x H100 (cluster.tensor_parallel=8 cluster.pipeline_parallel=2)"
    )


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            "model=kimi-k2 cluster=h100-1x8 cluster.pipeline_parallel=2 cluster.tensor_parallel=8",
            "one engine of kimi-k2 as TP 8 x PP 2 x EP takes 16 x H100 with 4 cores each, and the "
            "cluster has 8; as TP 8 x EP: 119.8 GiB of weights",
        ),
        (
            "model=kimi-k2 cluster=h100-2x8 cluster.decode_context_parallel=3",
            "`cluster.decode_context_parallel` is 3: kimi-k2 has 1 KV head on 8 tensor ranks: "
            "set it to 2 or 4 or 8",
        ),
        (
            "model=llama3-70b cluster=h100-1x8 cluster.decode_context_parallel=2",
            "none of which would be repeated: set it to null",
        ),
        (
            "model=smollm2-135m cluster=cpu cluster.decode_context_parallel=2",
            "`cluster.decode_context_parallel` is 2 on CPUs",
        ),
        (
            "model=llama3-70b cluster=h100-1x8 cluster.tensor_parallel=2",
            "= 72.8 GiB per rank, and 0.9 x 79.1 GiB = 71.2 GiB are usable; the nearest that would "
            "fit: model.max_model_len=9710, or TP 4, which takes 4 x H100",
        ),
        (
            "model=llama3-70b cluster=h100-1x8 cluster.tensor_parallel=16",
            "takes 16 x H100 with 4 cores each, and the cluster has 8; the nearest that would fit: "
            "TP 4",
        ),
        (
            "model=llama3-70b cluster=h100-1x8 cluster.tensor_parallel=3",
            "`cluster.tensor_parallel` is 3: llama3-70b has 64 attention and 8 KV heads",
        ),
        (
            "model=kimi-k2 cluster=h100-2x8 cluster.gpu_memory_utilization=0.8",
            "the nearest that would fit: TP 8 x PP 3 x EP, which takes 24 x H100",
        ),
        (
            "model=qwen3-8b cluster=h100-1x8 cluster.expert_parallel=true",
            "`cluster.expert_parallel` is true and qwen3-8b has no experts",
        ),
        (
            "model=deepseek-v3.1 +tiny=true cluster=cpu cluster.expert_parallel=true",
            "`cluster.expert_parallel` is true on CPUs",
        ),
        (
            "model=qwen3-8b cluster=h100-1x8 cluster.cpus_per_rank=200",
            "with 96 cores in all: lower cluster.cpus_per_rank",
        ),
        (
            "model=qwen3-8b cluster=h100-1x8 cluster.gpu_type=A100",
            "no node has any A100: set cluster.gpu_type to H100, or set cluster=local-cpu",
        ),
        (
            f"{QWEN} cluster.nodes=[{{count:1,cpus:8,memory_gib:64}}]",
            "no node has any H100: plan for nodes that are described (cluster=h100-1x8",
        ),
        (f"{QWEN} cluster.max_num_seqs=20000", "a step of 16384 tokens has no room for 20,000"),
        (
            f"{QWEN} cluster.max_num_seqs=9 cluster.engine_args={{max_num_batched_tokens:8}}",
            "`cluster.engine_args.max_num_batched_tokens` is 8: a step of 8 tokens has no room",
        ),
        (f"{QWEN} cluster.kv_cache_gib=500", "the nearest that would fit: cluster.kv_cache_gib="),
        ("model=llama3-70b cluster=cpu", "= 134.4 GiB per rank, and 32.0 GiB are usable; take a"),
        (
            "model=qwen3-8b cluster=cpu",
            "fit: model.max_model_len=14563, or cluster.kv_cache_gib=15.7",
        ),
        (
            "model=smollm2-135m cluster=cpu cluster.cpus_per_rank=9",
            "with 9 cores each, and the cluster has 8 cores on its largest node",
        ),
        ("model=smollm2-135m cluster=cpu cluster.tensor_parallel=2", "9 attention and 3 KV heads"),
    ],
)
def test_what_does_not_fit_is_refused(overrides: str, sentence: str) -> None:
    assert sentence in refusal(*overrides.split())
