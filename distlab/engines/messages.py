"""What crosses between the driver and its replicas."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from distlab.decoding.decoder import DecodingSpec, Sampler
from distlab.decoding.interface import SampleRequest, Vitals
from distlab.decoding.thinking import Thinking
from distlab.engines.endpoint import Endpoint
from distlab.placement.placement import Device, EngineGroup, Parallelism
from distlab.store.cell import ProblemFailure
from distlab.store.origin import Origin

# Siblings to a sequence (ours): at T = 0.05, 20 samples took 3 to 4 sequences at a time.
_SIBLINGS = 4

CellRequest = tuple[str, SampleRequest]
"""A request with the key of its cell."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a replica builds its engine.

    Attributes:
        model: Folder or hub id.
        revision: Hub commit, None for a folder.
        dtype: Of the weights.
        quantization: vLLM's name, or None.
        device: What it computes on.
        max_model_len: Context length, tokens.
        max_num_seqs: Sequences that run at once.
        max_num_batched_tokens: Tokens that a step computes, None for vLLM's choice.
        max_logprobs: Most log probabilities that one request may ask for.
        engine: module:attribute of what makes the engine from these settings.
        parallelism: How the weights are split.
        cpus_per_rank: Cores that a rank holds.
        gpu_type: Accelerator type it must run on, None for any.
        kv_cache_bytes: Size of the KV cache of a rank, None to fill the GPU.
        gpu_memory_utilization: Share of a GPU's memory, where kv_cache_bytes is None.
        block_size: Tokens in a KV block, None for vLLM's choice.
        enforce_eager: Skip CUDA graphs and compilation.
        trust_remote_code: Run code that ships with the checkpoint.
        compile_cache: Folder of compiled graphs, shared by nodes; None for vLLM's own.
        load_format: How weights are read (``values.LOAD_FORMATS``), None for vLLM's choice.
        ep_weight_filter: A rank reads its own experts alone.
        batch_invariant: vLLM's kernels that make a sample the same whatever runs beside it.
        metrics: Publish vLLM's metrics on Ray's endpoint.
        env: Variables of the user's for the engine's processes, in the order of their names.
        engine_args: More arguments of vLLM's engine, as canonical JSON.
        endpoint: The server that draws instead of an engine of ours.
    """

    model: str
    revision: str | None
    dtype: str
    quantization: str | None
    device: Device
    max_model_len: int
    max_num_seqs: int
    max_logprobs: int
    engine: str
    parallelism: Parallelism = field(default_factory=Parallelism)
    cpus_per_rank: float = 1
    gpu_type: str | None = None
    kv_cache_bytes: int | None = None
    gpu_memory_utilization: float = 0.9
    block_size: int | None = None
    enforce_eager: bool = False
    trust_remote_code: bool = False
    compile_cache: str | None = None
    max_num_batched_tokens: int | None = None
    load_format: str | None = None
    ep_weight_filter: bool = False
    batch_invariant: bool = False
    metrics: bool = False
    engine_args: str = "{}"
    env: tuple[tuple[str, str], ...] = ()
    endpoint: Endpoint | None = None

    @property
    def group(self) -> EngineGroup:
        """What one replica takes of a cluster."""
        gpus = 1 if self.device == "gpu" else 0
        return EngineGroup(self.parallelism, self.cpus_per_rank, gpus, self.gpu_type)

    def serves(self, wanted: "EngineSettings") -> bool:
        """Whether an engine of these settings draws what one of ``wanted`` would.

        The limits on a request's length and log probabilities may be larger; they change nothing
        in what is drawn.
        """
        return self == wanted.widened(self)

    def widened(self, other: "EngineSettings") -> "EngineSettings":
        """These settings with limits that hold the other's requests too."""
        return replace(
            self,
            max_model_len=max(self.max_model_len, other.max_model_len),
            max_logprobs=max(self.max_logprobs, other.max_logprobs),
        )


@dataclass(frozen=True, slots=True)
class CellWork:
    """What all requests of a cell share.

    Attributes:
        decoding: How to draw.
        stop: Stop strings.
        study_seed: The config's seed.
        checkpoint: Digest of the weights, for the seeds.
        run: Name of the run, stored with every sample.
        prefix: Tokens at the start of every prompt: solved exemplars, above all.
        thinking: How reasoning is marked, where the prompts ask for some.
    """

    decoding: DecodingSpec
    stop: tuple[str, ...]
    study_seed: int
    checkpoint: str
    run: str
    prefix: int = 0
    thinking: Thinking | None = None

    def sequences(self, samples: int) -> int:
        """Sequences that an engine runs at once for so many samples of a problem, about."""
        decoder, sampler = self.decoding.decoder, self.decoding.sampler
        together = sampler is not Sampler.INDEPENDENT and decoder.expects_to_share
        return -(-samples // _SIBLINGS) if together else samples


@dataclass(frozen=True, slots=True)
class Lease:
    """Requests handed to a replica.

    Attributes:
        cells: Cell key to what its requests share.
        requests: (cell key, request), in the order to start them.
    """

    cells: Mapping[str, CellWork]
    requests: tuple[CellRequest, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a replica sends back: whole requests, by cell.

    Attributes:
        batches: Cell key to samples.
        done: (cell key, problem id) of every request in the batches.
        tokens: Cell key to new tokens in its batch.
        computed: Cell key to new tokens that the engine generated for its batch.
        failures: Requests without samples.
        unshared: Cell key to the tokens kept per token computed in its first problems, where that
            was too little to go on drawing siblings together.
        origin: What drew it; None where a server did.
    """

    batches: Mapping[str, pa.RecordBatch]
    done: tuple[tuple[str, str], ...] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)
    computed: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[ProblemFailure, ...] = ()
    unshared: Mapping[str, float] = field(default_factory=dict)
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Where a replica commits what it draws.

    Attributes:
        store: Address of the store, from any node.
        driver: Whose claims on the cells must stand; None where nobody else draws.
        origins: Cell key to what drew what is stored of it, where nothing else may go on with it.
        id: Hex, 32 digits: of this replica's commits for this job.
    """

    store: str
    driver: str | None
    origins: Mapping[str, frozenset[Origin]] = field(default_factory=dict)
    id: str = ""

    @property
    def tag(self) -> str:
        """In the names of its shards."""
        return self.id[:8]


@dataclass(frozen=True, slots=True)
class Reached:
    """How a replica found the store.

    Attributes:
        probe: Name of the file that it wrote there, with the id of the ``Keep``.
        trouble: Why it cannot commit there; empty where it can.
    """

    probe: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a shard in the store holds.

    Attributes:
        cell: Key of its cell.
        problems: Their requests, each whole.
        samples: How many.
        tokens: New tokens in them.
        computed: New tokens that the engine generated for them.
    """

    cell: str
    problems: tuple[str, ...]
    samples: int
    tokens: int
    computed: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a replica says of itself when it is asked.

    Attributes:
        vitals: Of its engine.
        stalled_s: Seconds without a step while requests are in flight; 0 without requests.
    """

    vitals: Vitals
    stalled_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica that commits itself says since it was asked last.

    Attributes:
        finished: Whole requests, without their batches.
        receipts: What is in the store.
        is_settled: Whether all that was finished is, after a flush.
        error: Why it commits nothing any more: an OSError, or that a claim was lost.
        pulse: How the replica is doing, which is then not asked for; None from elsewhere.
    """

    finished: Finished
    receipts: tuple[Receipt, ...] = ()
    is_settled: bool = False
    error: Exception | None = None
    pulse: Pulse | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a replica's engine is to run, as its actor has to know it.

    Attributes:
        name: Name of the replica.
        spans: Whether its ranks sit on several nodes, each in a Ray worker of its own.
        cores: Places in the node's list of cores that it may use, in rank order; empty for GPUs.
        network: Variables that say over which interfaces its ranks meet.
    """

    name: str
    spans: bool = False
    cores: tuple[int, ...] = ()
    network: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaInfo:
    """Where a replica runs.

    Attributes:
        node: Host name.
        pid: Process id of the actor.
        load_s: Seconds it took to load the engine.
        gpus: GPU ids of the actor; empty on CPU, and where the ranks are workers of their own.
    """

    node: str
    pid: int
    load_s: float
    gpus: tuple[str, ...] = ()
