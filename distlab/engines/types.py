"""What crosses between the driver and its replicas."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from distlab.decoding.types import DecodingSpec, Draw
from distlab.samples.cell import ProblemFailure


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a replica builds its engine.

    Attributes:
        model: Folder or hub id.
        revision: Hub commit, None for a folder.
        dtype: Of the weights.
        quantization: vLLM's name, or None.
        device: "cpu" or "gpu".
        max_model_len: Context length, tokens.
        max_num_seqs: Sequences that run at once.
        max_logprobs: Most log probabilities that one request may ask for.
        cpus: Cores that the replica holds.
        tensor_parallel: GPUs the weights are split over.
        kv_cache_bytes: Size of the KV cache, None to fill the GPU.
        gpu_memory_utilization: Share of a GPU's memory, where kv_cache_bytes is None.
        block_size: Tokens in a KV block, None for vLLM's choice.
        enforce_eager: Skip CUDA graphs and compilation.
        trust_remote_code: Run code that ships with the checkpoint.
    """

    model: str
    revision: str | None
    dtype: str
    quantization: str | None
    device: str
    max_model_len: int
    max_num_seqs: int
    max_logprobs: int
    cpus: float = 1
    tensor_parallel: int = 1
    kv_cache_bytes: int | None = None
    gpu_memory_utilization: float = 0.9
    block_size: int | None = None
    enforce_eager: bool = False
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class CellWork:
    """What all draws of a cell share.

    Attributes:
        decoding: How to draw.
        stop: Stop strings.
        study_seed: The config's seed.
        checkpoint: Digest of the weights, for the seeds.
        run: Name of the run, stored with every sample.
    """

    decoding: DecodingSpec
    stop: tuple[str, ...]
    study_seed: int
    checkpoint: str
    run: str


@dataclass(frozen=True, slots=True)
class Lease:
    """Draws handed to a replica.

    Attributes:
        cells: Cell key to what its draws share.
        draws: (cell key, draw), in the order to start them.
    """

    cells: Mapping[str, CellWork]
    draws: tuple[tuple[str, Draw], ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a replica sends back: whole draws, by cell.

    Attributes:
        batches: Cell key to samples.
        failures: Draws without samples.
    """

    batches: Mapping[str, pa.RecordBatch]
    failures: tuple[ProblemFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaInfo:
    """Where a replica runs.

    Attributes:
        node: Host name.
        pid: Process id of the actor.
        load_s: Seconds it took to load the engine.
    """

    node: str
    pid: int
    load_s: float
