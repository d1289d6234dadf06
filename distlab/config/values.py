"""The frozen values that the rest of distlab trusts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from distlab.checkpoints.checkpoint import CheckpointSpec, Variant
from distlab.decoding.decoder import DecodingSpec
from distlab.placement.model_facts import ModelFacts
from distlab.placement.placement import Device, Node, Parallelism
from distlab.problems.problem import DatasetSpec
from distlab.prompts.prompt import PromptFormat, PromptSpec
from distlab.scoring.pool import PoolSettings
from distlab.scoring.types import ComponentSpec
from distlab.store.cell import CellVariant


@dataclass(frozen=True, slots=True)
class Stage:
    """A checkpoint of a family: one of the two of a pair, or one of a ladder.

    Attributes:
        name: Its variant, in cells and addresses.
        checkpoint: What is loaded.
        format: How it is prompted: plain text stops at the next question, chat where the turn ends.
    """

    name: Variant
    checkpoint: CheckpointSpec
    format: PromptFormat


@dataclass(frozen=True, slots=True)
class Family:
    """A family; see ``distlab.config.schema.ModelConfig`` for the fields.

    Its stages are ordered as they were trained: base and instruct, or those of a ladder.
    """

    name: str
    stages: tuple[Stage, ...]
    parameters: float
    dtype: str
    quantization: str | None
    max_model_len: int
    parallel: Mapping[str, Parallelism]
    facts: ModelFacts | None
    chat_template_kwargs: Mapping[str, object]
    trust_remote_code: bool
    notes: tuple[str, ...]

    @property
    def checkpoints(self) -> Mapping[Variant, CheckpointSpec]:
        """Variant to its checkpoint, in order."""
        return {stage.name: stage.checkpoint for stage in self.stages}

    def stage(self, variant: Variant) -> Stage:
        """The stage of a variant.

        Raises:
            KeyError: The family has none of that name.
        """
        return {stage.name: stage for stage in self.stages}[variant]


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant with one decoding method and its samples per problem."""

    variant: CellVariant
    decoding: DecodingSpec
    n: int


LOAD_FORMATS: Final = ("prefetch", "eager", "runai_streamer", "fastsafetensors", "instanttensor")
"""Ways to read weights, none of which takes part in what is computed."""

ANY: Final = "*"
"""What stands for every variant that has no server of its own."""


Committing = Literal["driver", "replica"]
"""Who writes samples into the store."""

COMMITTING: Final[tuple[Committing, ...]] = ("driver", "replica")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs already; see ``distlab.config.schema.ClusterConfig`` for the fields."""

    url: str
    model: str | None
    api_key_env: str | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where engines run; see ``distlab.config.schema.ClusterConfig`` for the fields."""

    address: str | None
    device: Device
    engine: str
    replicas: int | None  # None for what the cluster has free
    gpu_type: str | None
    tensor_parallel: int | None
    pipeline_parallel: int | None
    expert_parallel: bool | None
    decode_context_parallel: int | None
    cpus_per_rank: float
    max_num_seqs: int | None  # None for the engine's choice, cut by memory
    kv_cache_gib: float | None
    gpu_memory_utilization: float
    overhead_gib: float
    tokens_per_s: float | None
    disk_gb_per_s: float | None
    load_format: str | None
    ep_weight_filter: bool
    batch_invariant: bool
    block_size: int | None
    enforce_eager: bool
    compile_cache: str | None
    hang_s: float
    load_hang_s: float
    commit: Committing
    min_nodes: int
    wait_for_nodes_s: float
    nodes: tuple[Node, ...]
    engine_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    # Variant, or ANY, to its server; empty where engines are started.
    servers: Mapping[str, Server] = field(default_factory=dict, hash=False)

    def server(self, variant: str) -> Server | None:
        """What draws a variant's samples; None where engines are started for it."""
        return self.servers.get(variant, self.servers.get(ANY))


Target = Literal["gap", "pass_n"]
"""What arms are compared by until it is decided: pass@1, or Pass@n."""


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """When a study stops that draws until it is decided.

    Attributes:
        target: What the arms are compared by.
        margin: Gap that is too small to matter, as a share.
        alpha: Probability that the interval misses the gap at any time.
        budget: Most samples to draw, as a share of those that drawing everything takes.
    """

    target: Target
    margin: float
    alpha: float
    budget: float


TrackerKind = Literal["wandb", "mlflow", "tensorboard", "trackio"]
"""A tracker of experiments, by the name of its library."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Where a run is logged beside its folder.

    Attributes:
        kind: With which library.
        project: Project, or experiment, that the run is of.
        uri: mlflow's tracking URI or tensorboard's folder; None leaves it to the library.
    """

    kind: TrackerKind
    project: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A run as it was asked for, validated."""

    family: Family
    datasets: tuple[DatasetSpec, ...]
    prompts: tuple[PromptSpec, ...]
    arms: tuple[Arm, ...]
    extractors: tuple[ComponentSpec, ...]
    graders: tuple[ComponentSpec, ...]
    pool: PoolSettings
    cluster: Cluster
    seed: int
    store: str
    waves: tuple[int, ...] | None = None  # None unless problems are drawn until solved
    decided: StoppingRule | None = None  # None unless arms are drawn until it is decided
    replicate: str | None = None  # names samples that are drawn again with the same seeds
    mix: bool = False  # Go on with cells that other hardware began
    tracker: TrackerSettings | None = None

    @property
    def stops_early(self) -> bool:
        """Whether samples are judged as they come, since not all may be needed."""
        return self.waves is not None or self.decided is not None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Those that have an arm, in the order of the tables."""
        drawn = {arm.variant for arm in self.arms}
        return tuple(name for name in self.family.checkpoints if name in drawn)
