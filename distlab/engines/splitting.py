"""How one engine of a family is split on a cluster: family, cluster and nodes in, a Group out.

What ``cluster.*`` says goes first, then what the family says for the GPU type, else the split that
draws most samples per GPU-hour, as far as memory, compute and links tell. Pure: the plan of a
described cluster and a run on a live one choose alike, and refuse alike before anything is loaded.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from distlab.config.values import Cluster, Family
from distlab.errors import UserError, counted
from distlab.placement.batches import BatchLimits, cpu_step_tokens, held, vllm_limits
from distlab.placement.gpus import GIB, GPU_MODELS, NO_FP8_LATENT, NOT_INVARIANT
from distlab.placement.memory import Budget, Fit, gib, gpu_memory
from distlab.placement.model_facts import KVDtype, ModelFacts, splits, splits_context
from distlab.placement.placement import EngineGroup, Node, Parallelism, fill, place
from distlab.placement.rates import Load, Rate

# Sequences of full length that a useful KV cache holds (ours): fewer starve an engine of work.
USEFUL_SEQUENCES = 8
# A wider engine must promise half as much again for each GPU (ours): the model of its rate leaves
# out what more ranks cost beside their links, and copies of a small engine resume sooner.
WORTH_WIDENING = 1.5
# Of the longest sequence, what a running one holds on average (ours): few answers use their limit.
_GROWN = 1 / 8
# Engine arguments with which vLLM keeps what has left a layer's window.
_KEEPS_ALL = ("disable_hybrid_kv_cache_manager", "disable_sliding_window")
_STEP_TOKENS = "cluster.engine_args.max_num_batched_tokens"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to split an engine than the one chosen.

    Attributes:
        parallelism: The split.
        fit: Memory of its fullest rank.
        kv_dtype: Of its KV cache.
        worth: Samples per GPU-hour beside the chosen split's, as modelled; None where the GPU is
            none of those in the table.
    """

    parallelism: Parallelism
    fit: Fit
    kv_dtype: KVDtype
    worth: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One engine of a family on a cluster.

    Attributes:
        group: The ranks and resources that it needs.
        fit: Memory of its fullest rank; None where the model's facts or the memory are unknown.
        limits: Of a step.
        alternatives: What else would fit, the best first.
    """

    group: EngineGroup
    fit: Fit | None
    limits: BatchLimits
    alternatives: tuple[Alternative, ...] = ()


def choose(family: Family, cluster: Cluster, nodes: Sequence[Node]) -> Choice:
    """How one engine of the family is split, whatever is taken on the nodes now.

    Where nodes have several GPU types, the type that holds the most engines wins, then the one
    with the larger KV cache.

    Raises:
        UserError: It fits no node or group of nodes; the sentence gives the arithmetic and the
            nearest setting that would.
    """
    if cluster.device == "server":
        assert cluster.max_num_seqs is not None, "the door refuses a server without"
        alone = EngineGroup(Parallelism(), cluster.cpus_per_rank, 0)
        return Choice(alone, None, BatchLimits(cluster.max_num_seqs))
    kinds = _kinds(cluster, nodes)
    choices, refusals = [], []
    for kind in kinds:
        try:
            choices.append((kind, kind.choose(family)))
        except UserError as error:
            refusals.append(error)
    if not choices:
        raise refusals[0]
    return max(choices, key=lambda found: _worth(*found))[1]


def _worth(kind: "_Kind", choice: Choice) -> tuple[int, int]:
    engines, _ = fill(choice.group, kind.nodes)
    return len(engines), choice.fit.tokens if choice.fit is not None else 0


def _kinds(cluster: Cluster, nodes: Sequence[Node]) -> list["_Kind"]:
    """Nodes that may hold an engine, empty, by GPU type."""
    empty = [replace(node, used_cpus=0.0, used_gpus=0) for node in nodes]
    if cluster.device == "cpu":
        if not empty:
            raise UserError("the cluster has no node: start one, or set `cluster`")
        return [_Kind(cluster, None, tuple(empty))]
    having = [
        node
        for node in empty
        if node.gpus and (cluster.gpu_type is None or node.gpu_type == cluster.gpu_type)
    ]
    if cluster.batch_invariant and any(node.gpu_type in NOT_INVARIANT for node in having):
        old = ", ".join(sorted({n.gpu_type for n in having if n.gpu_type in NOT_INVARIANT}))
        raise UserError(
            f"`cluster.batch_invariant` is true and vLLM has no such kernels for {old} (compute "
            "capability 8.0 is the least): take it out, or set cluster.gpu_type"
        )
    if not having:
        wanted = cluster.gpu_type or "GPU"
        raise UserError(
            f"`cluster` asks for GPUs and no node has any {wanted}: {_other_nodes(empty)}, or set "
            "cluster=local-cpu"
        )
    types = dict.fromkeys(node.gpu_type for node in having)
    return [_Kind(cluster, t, tuple(n for n in having if n.gpu_type == t)) for t in types]


def _other_nodes(nodes: Sequence[Node]) -> str:
    """Where GPUs would be: of the types there are, else on nodes that a plan describes."""
    types = sorted({node.gpu_type for node in nodes if node.gpus and node.gpu_type})
    if types:
        return f"set cluster.gpu_type to {' or '.join(types)}"
    return "plan for nodes that are described (cluster=h100-1x8 or the like)"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Nodes of one kind, nothing taken: where an engine is looked for."""

    cluster: Cluster
    gpu_type: str | None
    nodes: tuple[Node, ...]

    @property
    def on_gpus(self) -> bool:
        return self.cluster.device == "gpu"

    @property
    def _gpus(self) -> int:
        return sum(node.gpus for node in self.nodes)

    @property
    def _widest(self) -> int:
        """GPUs of the node that has most."""
        return max(node.gpus for node in self.nodes)

    @property
    def units(self) -> str:
        """What a rank takes, for people."""
        return (self.gpu_type or "GPU") if self.on_gpus else "main memory"

    def choose(self, family: Family) -> Choice:
        stated = self._stated(family)
        if stated is None:
            stated = self._best(family)
        self._check(family, stated)
        fit = self.fit(family, stated)
        others = () if fit is None else self._alternatives(family, stated, fit)
        return Choice(self.group(stated), fit, self._limits(fit), others)

    def group(self, parallelism: Parallelism) -> EngineGroup:
        return EngineGroup(
            parallelism, self.cluster.cpus_per_rank, 1 if self.on_gpus else 0, self.gpu_type
        )

    def holds(self, parallelism: Parallelism) -> bool:
        """Whether the empty nodes have room for one engine."""
        return place(self.group(parallelism), self.nodes) is not None

    def fit(
        self, family: Family, parallelism: Parallelism, kv_dtype: KVDtype | None = None
    ) -> Fit | None:
        budget = self._budget(family, parallelism)
        if budget is None or family.facts is None:
            return None
        return replace(budget, kv_dtype=kv_dtype or budget.kv_dtype).fit(family.facts, parallelism)

    def _limits(self, fit: Fit | None) -> BatchLimits:
        """Those that the config gives, else vLLM's for the GPU, cut to what the KV cache holds.

        Raises:
            UserError: A step would have more sequences than tokens, which vLLM refuses.
        """
        usual, stated = held(self._vllm_limits, fit), self.cluster.max_num_seqs
        sequences, tokens = stated or usual.sequences, usual.tokens
        if not self.on_gpus:
            return BatchLimits(sequences, None if stated else tokens)
        if (given := self._given_tokens) is not None:
            tokens = given
            sequences = stated or min(sequences, max(1, given))
        if tokens is not None and tokens < sequences:
            what = "cluster.max_num_seqs" if given is None else _STEP_TOKENS
            raise UserError(
                f"`{what}` is {sequences if given is None else given}: a step of {tokens} tokens "
                f"has no room for {counted(sequences, 'sequence')}, so set {_STEP_TOKENS} to at "
                f"least {sequences}, or lower cluster.max_num_seqs"
            )
        return BatchLimits(sequences, tokens)

    @property
    def _vllm_limits(self) -> BatchLimits:
        """What vLLM would take on the GPU with the least memory."""
        known = [size for size in map(gpu_memory, self.nodes) if size is not None]
        return vllm_limits(self.gpu_type, min(known, default=None))

    @property
    def _given_tokens(self) -> int | None:
        """Tokens of a step that the config gives."""
        given = self.cluster.engine_args.get("max_num_batched_tokens")
        return given if type(given) is int else None

    def _budget(self, family: Family, parallelism: Parallelism) -> Budget | None:
        """Of a rank: on the GPU with the least memory, on the largest node of CPUs."""
        sizes = (
            [gpu_memory(node) for node in self.nodes]
            if self.on_gpus
            else [node.memory_bytes // parallelism.ranks or None for node in self.nodes]
        )
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        cluster, fixed = self.cluster, self.cluster.kv_cache_gib
        return Budget(
            memory=min(known) if self.on_gpus else max(known),
            share=cluster.gpu_memory_utilization if self.on_gpus else 1.0,
            overhead=int(cluster.overhead_gib * GIB),
            kv_cache=None if fixed is None else int(fixed * GIB),
            max_model_len=family.max_model_len,
            dtype=family.dtype,
            kv_dtype=_kv_dtype(cluster),
            step_tokens=self._step_tokens(family),
            frees_windows=not any(cluster.engine_args.get(name) for name in _KEEPS_ALL),
        )

    def _step_tokens(self, family: Family) -> int:
        """Most tokens that a step computes."""
        if not self.on_gpus:
            return cpu_step_tokens(family.max_model_len)
        return self._given_tokens or self._vllm_limits.tokens or 0

    def _stated(self, family: Family) -> Parallelism | None:
        """What the config says; None where the fewest GPUs are to be found."""
        cluster = self.cluster
        key = (self.gpu_type or "") if self.on_gpus else "cpu"
        base = family.parallel.get(key)
        if base is None:
            if self.on_gpus and self._is_open(family):
                return None
            base = Parallelism(expert=_has_experts(family) and self.on_gpus)
        return _overridden(base, cluster)

    def _is_open(self, family: Family) -> bool:
        """Whether the config leaves anything of a split on GPUs to be found."""
        cluster = self.cluster
        dealt = cluster.decode_context_parallel is not None or family.facts is None
        return not dealt or None in (cluster.tensor_parallel, cluster.pipeline_parallel)

    def _best(self, family: Family) -> Parallelism:
        """The split that draws most per GPU, of those that hold weights and a useful KV cache.

        Where none holds that much, the one that comes nearest.
        """
        if family.facts is None:
            if self.cluster.tensor_parallel is not None:
                return _overridden(Parallelism(), self.cluster)
            raise UserError(
                f"nothing says how {family.name} is split on {self.units}: set "
                "cluster.tensor_parallel, or model.facts so that it can be worked out"
            )
        fits = [
            (parallelism, fit)
            for parallelism in self.candidates(family.facts)
            if self.holds(parallelism)
            for fit in [self.fit(family, parallelism)]
        ]
        if not fits:
            return next(self.candidates(family.facts))
        if any(fit is None for _, fit in fits):
            if self.cluster.tensor_parallel and self.cluster.pipeline_parallel:
                return fits[0][0]
            raise UserError(
                f"the memory of a {self.units} is not known: set cluster.tensor_parallel, or "
                "gpu_memory_gib of cluster.nodes"
            )
        known = [(parallelism, fit) for parallelism, fit in fits if fit is not None]
        useful = [
            (parallelism, fit)
            for parallelism, fit in known
            if fit.holds_weights and fit.sequences(family.max_model_len) >= USEFUL_SEQUENCES
        ]
        if not useful:
            return max(known, key=lambda f: (f[1].tokens, f[1].kv_cache, -f[0].ranks))[0]
        best, most = useful[0][0], self._rate(family, *useful[0])
        for parallelism, fit in useful[1:]:
            rate = self._rate(family, parallelism, fit)
            wanted = 1.0 if parallelism.ranks == best.ranks else WORTH_WIDENING
            if most is not None and rate is not None and rate > wanted * most:
                best, most = parallelism, rate
        return best

    def _rate(self, family: Family, parallelism: Parallelism, fit: Fit) -> float | None:
        """Tokens per second that the nodes' GPUs draw so, each; only its ratios mean anything."""
        gpu = GPU_MODELS.get(self.gpu_type or "")
        if gpu is None or family.facts is None:
            return None
        rate = Rate(family.facts, parallelism, fit, gpu, self._widest)
        load = Load(self._limits(fit).sequences, _GROWN * family.max_model_len)
        engines, _ = fill(self.group(parallelism), self.nodes)
        return len(engines) * rate.tokens_per_s(load) / self._gpus

    def _alternatives(
        self, family: Family, chosen: Parallelism, fit: Fit
    ) -> tuple[Alternative, ...]:
        """What else would fit the nodes, the best first; none on CPUs."""
        facts, mine = family.facts, self._rate(family, chosen, fit)
        if facts is None or not self.on_gpus:
            return ()
        stated = _kv_dtype(self.cluster)
        splits = [(other, stated) for other in self._unasked.candidates(facts) if other != chosen]
        splits += [(other, stated) for other in self._data_parallel(facts)]
        if stated == "auto" and not (_is_latent(facts) and self.gpu_type in NO_FP8_LATENT):
            splits.append((chosen, "fp8"))
        made = []
        for other, kv_dtype in splits:
            room = self.fit(family, other, kv_dtype)
            if room is not None and room.holds_a_sequence and self.holds(other):
                rate = self._rate(family, other, room)
                worth = rate / mine if rate is not None and mine else None
                made.append(Alternative(other, room, kv_dtype, worth))
        return tuple(sorted(made, key=lambda other: -(other.worth or 0.0)))

    def _data_parallel(self, facts: ModelFacts) -> Iterator[Parallelism]:
        """Attention copied to every GPU of a node or of all, experts shared out among them."""
        widths = {self._widest, self._gpus}
        for gpus in sorted(widths - {1}):
            if _is_latent(facts):
                yield Parallelism(expert=True, data=gpus)

    def candidates(self, facts: ModelFacts, pipelines: int | None = None) -> Iterator[Parallelism]:
        """Ways to split an engine over nodes like these, fewest ranks first.

        Tensor parallelism inside a node comes first; then stages, each as wide as a node allows.
        """
        tensors = [t for t in _powers(self._widest) if splits(facts, t)]
        if (stated := self.cluster.tensor_parallel) is not None:
            tensors = [stated]
        most = self._gpus if pipelines is None else pipelines
        if (stages := self.cluster.pipeline_parallel) is not None:
            shapes = [(tensor, stages) for tensor in tensors]
        else:
            shapes = [(tensor, 1) for tensor in tensors]
            shapes += [(tensors[-1], p) for p in range(2, min(facts.layers, most) + 1)]
        for tensor, pipeline in shapes:
            split = Parallelism(tensor, pipeline, expert=facts.experts > 0 and self.on_gpus)
            yield _overridden(split, self.cluster)
            if self.on_gpus and self.cluster.decode_context_parallel is None:
                for context in _powers(tensor)[1:]:
                    if splits_context(facts, tensor, context):
                        yield _overridden(replace(split, context=context), self.cluster)

    def _check(self, family: Family, parallelism: Parallelism) -> None:
        """Raise unless an engine split like this can run here."""
        facts = family.facts
        if facts is not None and not splits(facts, parallelism.tensor):
            raise UserError(
                f"`cluster.tensor_parallel` is {parallelism.tensor}: {family.name} has "
                f"{facts.attention_heads} attention and {facts.kv_heads} KV heads, which so many "
                "ranks cannot share; take a divisor of both"
            )
        self._check_context(family, parallelism)
        self._check_cache(family)
        if parallelism.expert and not _has_experts(family):
            raise UserError(
                f"`cluster.expert_parallel` is true and {family.name} has no experts: set it to "
                "null"
            )
        if parallelism.expert and not self.on_gpus:
            raise UserError(
                "`cluster.expert_parallel` is true on CPUs, where vLLM's kernel takes every rank's "
                "experts for the first: set it to null, and each rank has a slice of every expert"
            )
        fit = self.fit(family, parallelism)
        if fit is not None and not fit.holds_a_sequence:
            raise UserError(self._too_large(family, parallelism, fit))
        if not self.holds(parallelism):
            raise UserError(self._no_room(family, parallelism))

    def _check_context(self, family: Family, parallelism: Parallelism) -> None:
        """Raise where the KV cache cannot be dealt out among so many ranks."""
        context, facts = parallelism.context, family.facts
        if context > 1 and not self.on_gpus:
            raise UserError(
                f"`cluster.decode_context_parallel` is {context} on CPUs, where vLLM's attention "
                "has no such mode: set it to null"
            )
        if facts is not None and not splits_context(facts, parallelism.tensor, context):
            raise UserError(
                f"`cluster.decode_context_parallel` is {context}: {family.name} has "
                f"{counted(facts.kv_heads, 'KV head')} on "
                f"{counted(parallelism.tensor, 'tensor rank')}{self._contexts(facts, parallelism)}"
            )

    def _check_cache(self, family: Family) -> None:
        """Raise where vLLM's attention has the KV cache in no such format, once all is loaded."""
        given = _given_kv_dtype(self.cluster)
        if family.facts is None or not _is_latent(family.facts) or not given.startswith("fp8"):
            return
        what = f"`cluster.engine_args.kv_cache_dtype` is {given}: vLLM keeps the latent cache of "
        if self.gpu_type in NO_FP8_LATENT:
            raise UserError(f"{what}{family.name} in no fp8 on {self.units}; take it out")
        if given == "fp8_e5m2" and not (self.gpu_type or "").startswith(("AMD", "MI")):
            raise UserError(f"{what}{family.name} in no such format on {self.units}; take fp8")

    def _contexts(self, facts: ModelFacts, parallelism: Parallelism) -> str:
        """The remedy: what decode context parallelism the tensor ranks could have."""
        tensor = parallelism.tensor
        able = [c for c in range(2, tensor + 1) if splits_context(facts, tensor, c)]
        if able:
            return f": set it to {' or '.join(map(str, able))}"
        if facts.window:
            return " and layers with a window, whose cache cannot be dealt out: set it to null"
        return ", none of which would be repeated: set it to null, or raise cluster.tensor_parallel"

    def _too_large(self, family: Family, parallelism: Parallelism, fit: Fit) -> str:
        """The sentence for a rank that does not fit its memory."""
        enough = self._enough(family)
        if self.on_gpus and enough and enough.ranks <= self._gpus and not self.holds(enough):
            # Memory would do, and what is short is cores.
            return self._no_room(family, enough)
        arithmetic = self._arithmetic(family, parallelism, fit)
        return (
            f"{family.name} as {parallelism} does not fit {self.units}: "
            f"{arithmetic}{self._nearest(family, fit)}"
        )

    def _no_room(self, family: Family, parallelism: Parallelism) -> str:
        """The sentence for a group that the nodes have no room for."""
        have = self._gpus if self.on_gpus else len(self.nodes)
        group = self.group(parallelism)
        sentence = (
            f"one engine of {family.name} as {parallelism} takes {parallelism.ranks} "
            f"{f'x {self.units}' if self.on_gpus else 'ranks'} with {group.cpus_per_rank:g} cores "
            "each, and the cluster has "
        )
        if not self.on_gpus:
            cores = max(node.cpus for node in self.nodes)
            return (
                f"{sentence}{cores:g} cores on its largest node: lower cluster.cpus_per_rank or "
                "cluster.tensor_parallel"
            )
        room = sum(node.capacity(group) for node in self.nodes)
        sentence += f"{have}"
        if room < have:
            cores = sum(node.cpus for node in self.nodes)
            return f"{sentence} with {cores:g} cores in all: lower cluster.cpus_per_rank"
        narrower = self._best_here(family)
        fit = self.fit(family, narrower) if narrower is not None else None
        if narrower is None or fit is None:
            return f"{sentence}: set cluster.tensor_parallel and cluster.pipeline_parallel lower"
        if fit.holds_a_sequence:
            return f"{sentence}; the nearest that would fit: {self._setting(narrower)}"
        return (
            f"{sentence}; as {narrower}: {self._arithmetic(family, narrower, fit)}"
            f"{self._nearest(family, fit)}"
        )

    def _best_here(self, family: Family) -> Parallelism | None:
        """The narrowest split that fits the nodes, whatever is asked for; else the widest."""
        if family.facts is None:
            return None
        held = [p for p in self._unasked.candidates(family.facts) if self.holds(p)]
        for parallelism in held:
            fit = self.fit(family, parallelism)
            if fit is not None and fit.holds_a_sequence:
                return parallelism
        return next((p for p in reversed(held) if p.context == 1), None)

    @property
    def _unasked(self) -> "_Kind":
        """The same nodes without what ``cluster.*`` asks for."""
        asked = replace(
            self.cluster,
            tensor_parallel=None,
            pipeline_parallel=None,
            decode_context_parallel=None,
        )
        return replace(self, cluster=asked)

    def _setting(self, parallelism: Parallelism) -> str:
        context = parallelism.context
        dealt = f" cluster.decode_context_parallel={context}" if context > 1 else ""
        return (
            f"{parallelism}, which takes {parallelism.ranks} x {self.units} "
            f"(cluster.tensor_parallel={parallelism.tensor} "
            f"cluster.pipeline_parallel={parallelism.pipeline}{dealt})"
        )

    def _arithmetic(self, family: Family, parallelism: Parallelism, fit: Fit) -> str:
        budget = self._budget(family, parallelism)
        assert budget is not None
        one = math.ceil(fit.max_model_len * fit.bytes_per_token(fit.max_model_len))
        kv = one if budget.kv_cache is None else budget.kv_cache
        sequence = f"sequence of {fit.max_model_len} tokens"
        what = (
            f"for one {sequence}"
            if budget.kv_cache is None
            else f"(cluster.kv_cache_gib; a {sequence} takes {gib(one)})"
        )
        need = fit.weights + fit.overhead + kv
        share = f"{budget.share:g} x {gib(budget.memory)} = " if budget.share < 1 else ""
        return (
            f"{gib(fit.weights)} of weights + {gib(fit.overhead)} of overhead (our estimate) + "
            f"{gib(kv)} of KV cache {what} = {gib(need)} per rank, and {share}{gib(fit.usable)} "
            "are usable"
        )

    def _nearest(self, family: Family, fit: Fit) -> str:
        """What would fit: a shorter context, more GPUs like these, another fixed KV cache."""
        ways = []
        if fit.holds_weights and fit.longest >= 2:
            ways.append(f"model.max_model_len={fit.longest}")
        if self.on_gpus and (wider := self._enough(family)) is not None:
            ways.append(self._setting(wider))
        is_fixed = not self.on_gpus or self.cluster.kv_cache_gib is not None
        if is_fixed and fit.weights + fit.overhead < fit.usable:
            room = (fit.usable - fit.weights - fit.overhead) / GIB
            ways.append(f"cluster.kv_cache_gib={math.floor(room * 10) / 10:g}")
        if not ways:
            return "; take a cluster with more memory"
        return f"; the nearest that would fit: {', or '.join(ways)}"

    def _enough(self, family: Family) -> Parallelism | None:
        """The fewest GPUs of this kind that hold one, were there as many nodes as it takes."""
        if family.facts is None:
            return None
        for parallelism in self._unasked.candidates(family.facts, family.facts.layers):
            fit = self.fit(family, parallelism)
            if fit is not None and fit.holds_a_sequence:
                return parallelism
        return None


def _overridden(base: Parallelism, cluster: Cluster) -> Parallelism:
    """A split with what ``cluster.*`` says instead."""
    return Parallelism(
        tensor=cluster.tensor_parallel or base.tensor,
        pipeline=cluster.pipeline_parallel or base.pipeline,
        expert=base.expert if cluster.expert_parallel is None else cluster.expert_parallel,
        context=cluster.decode_context_parallel or base.context,
    )


def _kv_dtype(cluster: Cluster) -> KVDtype:
    """What ``cluster.engine_args`` says of the KV cache, as far as its size goes."""
    return "fp8" if _given_kv_dtype(cluster).startswith("fp8") else "auto"


def _given_kv_dtype(cluster: Cluster) -> str:
    return str(cluster.engine_args.get("kv_cache_dtype", "auto"))


def _is_latent(facts: ModelFacts) -> bool:
    """Whether it has multi-head latent attention, as far as facts tell: one head, and experts."""
    return facts.kv_heads == 1 and facts.routed_share is not None


def _has_experts(family: Family) -> bool:
    # An unknown model may have experts: the user who asks for them knows.
    return family.facts is None or family.facts.experts > 0


def _powers(most: int) -> list[int]:
    """1, 2, 4, ... up to ``most``."""
    return [1 << bit for bit in range(max(1, most).bit_length())]
