"""The structured config: the names and types Hydra accepts. Values are checked in ``door``.

Dictionaries of entries that people add are untyped here; see ``entries``.
"""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class CheckpointConfig:
    """One checkpoint of a family."""

    # Hub id (org/name), a local folder, or the name of a packaged checkpoint.
    id: str = MISSING
    # hub, local or packaged, or server: only one of cluster=endpoint has it, and the id is its name
    # there. null recognises it by the id.
    source: str | None = None
    # Hub branch, tag or commit; the resolved commit is recorded.
    revision: str = "main"


@dataclass
class StageConfig(CheckpointConfig):
    """One checkpoint of a ladder."""

    # Its variant, in tables and addresses: letters, digits, '.', '_', '+' and '-'.
    name: str = MISSING
    # plain: plain text, drawn as `decoding.base` says; chat: the chat template, drawn as
    # `decoding.instruct` says. null is plain for a first stage called base, else chat.
    format: str | None = None


@dataclass
class StepsConfig:
    """Checkpoints of one training, each a stage: the revisions of a hub id, or folders."""

    # Hub id whose revisions they are.
    id: str | None = None
    # Its branches or tags, in the order of the training.
    revisions: list[str] = field(default_factory=list)
    # Folder that holds a folder for each checkpoint.
    folder: str | None = None
    # Found in the name of a checkpoint's folder; its first group is the step.
    pattern: str = r"(\d+)"
    # plain or chat, as for a stage.
    format: str = "plain"


@dataclass
class ParallelConfig:
    """How one engine is split."""

    # Ranks that share each layer.
    tensor: int = 1
    # Stages that the layers are cut into.
    pipeline: int = 1
    # Whole experts per rank instead of a slice of each (MoE only).
    expert: bool = False


@dataclass
class FactsOfConfig:
    """Which family and checkpoints facts are of: a pair's ids, or those of a ladder's stages."""

    # Name of the family.
    family: str = MISSING
    # Id of the base checkpoint, of a pair.
    base: str | None = None
    # Id of the instruction-tuned checkpoint, of a pair.
    instruct: str | None = None
    # Ids of a ladder's stages.
    stages: list[str] = field(default_factory=list)
    # The family's own `max_model_len`: lowered where that still stands and
    # other checkpoints take less.
    max_model_len: int | None = None
    # The family's own `max_new_tokens`, lowered with it.
    max_new_tokens: int | None = None


@dataclass
class FactsConfig:
    """What the planner must know of a checkpoint; those of a family are alike.

    What is null is read from the checkpoints, and what is given is checked against them.
    """

    # What the numbers are of; with other ids they are read anew, and the family is renamed.
    of: FactsOfConfig | None = None
    # Where the numbers come from.
    source: str | None = None
    # Class name in config.json.
    architecture: str | None = None
    # Parameters that a token passes through; all of them in a dense model.
    active_parameters: float | None = None
    # Bytes of the weights as stored.
    weight_bytes: float | None = None
    # How they are stored: bfloat16, float16, float32, fp8, or packed integers.
    weight_dtype: str | None = None
    # Transformer layers.
    layers: int | None = None
    # Query heads of a layer.
    attention_heads: int | None = None
    # Heads whose keys and values are cached; 1 with multi-head latent attention.
    kv_heads: int | None = None
    # Bytes of KV cache a token takes over all layers and KV heads, at 16 bits per value.
    kv_bytes_per_token: int | None = None
    # Tokens that layers with a sliding window attend to; 0 without such layers.
    window: int | None = None
    # Of kv_bytes_per_token, in layers with a sliding window.
    windowed_kv_bytes_per_token: int | None = None
    # Routed experts of an MoE layer; 0 in a dense model.
    experts: int | None = None
    # Of these, that a token passes through.
    experts_per_token: int | None = None


@dataclass
class ModelConfig:
    """A family: a base and an instruct checkpoint or a ladder of stages, and how to serve them."""

    # Without one, and where the ids are not those that `facts.of` names, it is made of the ids.
    name: str = MISSING
    # The base checkpoint; null where the family is a ladder.
    base: CheckpointConfig | None = field(default_factory=CheckpointConfig)
    # The instruction-tuned checkpoint; null where the family is a ladder.
    instruct: CheckpointConfig | None = field(default_factory=CheckpointConfig)
    # A ladder instead of base and instruct: its checkpoints in the order of the training, each a
    # StageConfig. Untyped, as all that people add, so that a wrong key has its sentence.
    stages: list[Any] = field(default_factory=list)
    # More stages: a StepsConfig, or null.
    steps: Any = None
    # Total parameters, for the scale table. Without it they are counted in the checkpoints.
    parameters: float = MISSING
    # Of weights and activations, as vLLM calls it.
    dtype: str = "bfloat16"
    # None, or a vLLM quantisation name; fp8 checkpoints are recognised by vLLM itself.
    quantization: str | None = None
    # Context length the engine is built for, in tokens. Without it the checkpoints', at most 20480.
    max_model_len: int = MISSING
    # Most new tokens per sample, which `decoding.max_tokens` takes over. Without it half the
    # context, at most 8192.
    max_new_tokens: int = MISSING
    # GPU type ("H100") or cpu to how an engine is split there; else the fewest GPUs that hold it.
    # Each a ParallelConfig.
    parallel: dict[str, Any] = field(default_factory=dict)
    # What the planner must know; where neither this nor a checkpoint says, nothing is worked out.
    facts: FactsConfig | None = None
    # Keyword arguments for the chat template (hybrid thinkers: {enable_thinking: false}).
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    # Run code that the checkpoint's repository ships. Off unless you turn it on by name.
    trust_remote_code: bool = False
    # Shape of its tiny checkpoints (distlab/checkpoints/tiny.py), which `+tiny=true` runs instead.
    tiny_shape: str | None = None
    # What the output must say about this family.
    notes: list[str] = field(default_factory=list)


@dataclass
class ColumnsConfig:
    """Names of columns, or dotted paths into nested ones (a.b); null where there is none."""

    # What is asked.
    question: str | None = None
    # The gold, or a worked solution that states it.
    answer: str | None = None
    # Without it, ids are hashes of the questions.
    id: str | None = None
    # A list of texts, or an object with text and label, as ARC has it; or a list of columns that
    # hold a choice each ([opa, opb, opc, opd]), untyped for that. Their lines follow the question,
    # lettered from A.
    choices: Any = None
    # The worked solution of a solved problem, for few-shot exemplars.
    solution: str | None = None
    # Problems that share its value (a source, a template) are no independent draws.
    cluster: str | None = None
    # Id of the problem that a row perturbs; empty in rows that perturb none.
    seed: str | None = None
    # Key that a problem and its perturbations share, where a file has this instead.
    pair: str | None = None
    # Which of them a row is: seed, simple, hard or twin.
    side: str | None = None
    # Lower limit of kind=interval.
    lower: str | None = None
    # Upper limit of kind=interval.
    upper: str | None = None
    # Columns to break results down by.
    strata: list[str] = field(default_factory=list)


@dataclass
class DatasetConfig:
    """One dataset."""

    # module:attribute of the loader.
    loader: str = MISSING
    # Local file instead of the hub.
    path: str | None = None
    # Local file of the train split, which exemplars come from.
    train_path: str | None = None
    # Hub branch, tag or commit; the resolved commit is recorded.
    revision: str = "main"
    # Settings of this loader alone.
    options: dict[str, Any] = field(default_factory=dict)
    # Of a file of anybody's: what is in which column.
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)


@dataclass
class DatasetGroup:
    """The datasets of the run; ``dataset=[a,b]`` selects several."""

    # Name to a DatasetConfig.
    sets: dict[str, Any] = field(default_factory=dict)
    # First problems of each dataset; null for all.
    limit: int | None = None
    # Local file instead of the hub; for a run over exactly one dataset, as all below.
    path: str | None = None
    # Local file of its train split, which exemplars come from.
    train_path: str | None = None
    # What the dataset is called; the file's or the repository's name for dataset=file and hub.
    name: str | None = None
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    # How answers are to be read: auto, number, latex, list, date, weeks_days, integer, interval,
    # choice or text.
    kind: str | None = None
    # Of dataset=hub: the repository (org/name).
    id: str | None = None
    # Of dataset=hub: the repository's configuration.
    subset: str | None = None
    # Of dataset=hub: the split of the problems.
    split: str | None = None
    # Of dataset=hub: the split of few-shot exemplars.
    train_split: str | None = None


@dataclass
class PromptConfig:
    """One prompt style."""

    # Solved exemplars before the question.
    shots: int = 0
    # Picks the exemplars from the train split.
    seed: int = 0
    # Ask for step-by-step reasoning.
    chain_of_thought: bool = True
    # auto (plain text for base, chat for instruct), plain or chat. A base without a chat template
    # borrows the instruct checkpoint's.
    format: str = "auto"
    # System turn of a chat prompt; null for none.
    system: str | None = None
    # What follows every question, exemplars' too, in any format: Jinja with {{ instruction }} (the
    # dataset's own) and {{ form }} (what that says of the answer's form). null is the dataset's
    # own, which plain few-shot text and styles without reasoning do without; "" is none. A mapping
    # from what a dataset's answers are (number, latex, choice, date, text, mixed) to such texts;
    # what it leaves out has the dataset's own. Untyped so that another value has its sentence.
    instruction: Any = None
    # What the answer begins with, in any format. null is "Let's think step by step." in plain
    # zero-shot text, and nothing elsewhere.
    cue: str | None = None
    # File of solved problems (question, reasoning, answer) instead of the dataset's train split.
    exemplars: str | None = None
    # Pick other exemplars for every problem.
    redraw: bool = False
    # turns or one_turn: where a chat prompt shows its exemplars.
    shots_as: str = "turns"
    # List of strings that end a completion, untyped so that another value has its sentence. null is
    # those of the format: the next "Q:" after plain text, none after a chat.
    stop: Any = None
    # Jinja of one's own for the plain text, or for the user turn of a chat: question, instruction,
    # form, cue, exemplars (each with question, reasoning, answer, solution).
    template: str | None = None
    # question, opening (its first 60 % of words: a probe of memory) or nothing (a probe of
    # guessing): how much of the question the prompt shows.
    shows: str = "question"


@dataclass
class PromptGroup:
    """The prompt styles of the run; ``prompt=[a,b]`` selects several."""

    # Name to a PromptConfig.
    styles: dict[str, Any] = field(default_factory=dict)


@dataclass
class DecidedConfig:
    """When to stop with until=decided."""

    # gap compares pass@1, drawing few samples of many problems; pass_n compares Pass@n and draws
    # every sample of each problem that it looks at.
    target: str = "gap"
    # Gap that is too small to matter, as a share: 0.05 is 5 points.
    margin: float = 0.05
    # Probability that the interval ever misses the true gap, stopping included.
    alpha: float = 0.05
    # Most samples to draw, as a share of what until=all draws.
    budget: float = 1.0


@dataclass
class DecodingGroup:
    """Which arms are drawn, and how."""

    # Samples per problem: draws (stochastic) or branches (cot). greedy always makes one.
    n: int = 20
    # Most new tokens per sample.
    max_tokens: int = MISSING
    # all; solved: stop drawing a problem once it is solved, for exact Pass@n at less cost; decided:
    # stop the study once the gap between its two arms is known well enough.
    until: str = "all"
    # auto, trie or independent: how independent samples of a problem are drawn. trie computes what
    # they have in common once; auto does too, unless it does not pay or the store has others.
    sampler: str = "auto"
    # With until=solved: samples of each wave, the last one repeated up to n.
    waves: list[int] = field(default_factory=lambda: [1, 3, 16])
    decided: DecidedConfig = field(default_factory=DecidedConfig)
    # Methods of the base arms, by name, and of other stages that are prompted with plain text.
    base: list[str] = field(default_factory=list)
    # Methods of the instruct arms, by name, and of other stages that are prompted with chat.
    instruct: list[str] = field(default_factory=list)
    # Name to a kind (greedy, stochastic, cot, or module:Class of a decoder) and its parameters,
    # which the decoder's own fields say; see ``config.methods``.
    methods: dict[str, Any] = field(default_factory=dict)


@dataclass
class ComponentConfig:
    """An extractor or a grader."""

    # module:attribute of the class.
    target: str = MISSING
    # Keyword arguments of the class.
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class ExtractorGroup:
    """The extractors; ``extractor=[a,b]`` selects several."""

    # Name to a ComponentConfig.
    use: dict[str, Any] = field(default_factory=dict)


@dataclass
class GraderGroup:
    """The graders, and the pool of worker processes they run in."""

    # Name to a ComponentConfig.
    use: dict[str, Any] = field(default_factory=dict)
    # CPU seconds an answer may take before its worker is killed.
    deadline_s: float = 5.0
    # Address space a worker may use, in MiB.
    memory_mib: int = 2048
    # Answers after which a worker is replaced.
    recycle: int = 20000


@dataclass
class NodeConfig:
    """Machines of a described cluster, all alike."""

    # How many there are.
    count: int = 1
    # CPU cores of one.
    cpus: float = MISSING
    # GiB of memory of one.
    memory_gib: float = MISSING
    # GPUs of one.
    gpus: int = 0
    # As Ray calls it: H100.
    gpu_type: str | None = None
    # GiB of memory of a GPU.
    gpu_memory_gib: float | None = None


@dataclass
class ClusterConfig:
    """Where engines run."""

    # Address of a running Ray cluster ("auto", "HOST:PORT"); null starts Ray on this machine.
    address: str | None = None
    # cpu, gpu, or server: one that runs already, at base_url.
    device: str = MISSING
    # Address of an OpenAI-compatible server ("http://HOST:PORT/v1"), or of one for each variant:
    # {base: ..., instruct: ...}. Not typed, since Hydra could not set a mapping.
    base_url: Any = None
    # What the server calls the model, or each variant's; null is `model.*.id`.
    served_model: Any = None
    # Environment variable that holds the server's key; null sends none.
    api_key_env: str | None = None
    # Seconds that the server may take for one completion.
    request_timeout_s: float = 600
    # module:attribute of the engine: takes an EngineSettings.
    engine: str = "distlab.engines.vllm_engine:VLLMEngine"
    # Engines of a checkpoint at once: a number, or auto for what the cluster has free.
    replicas: int | str = "auto"
    # Accelerator type that engines must run on ("H100"), null for any.
    gpu_type: str | None = None
    # Ranks that share each layer; null is what the model says for the GPU type.
    tensor_parallel: int | None = None
    # Stages that the layers are cut into; null as above.
    pipeline_parallel: int | None = None
    # Whole experts per rank instead of a slice of each; null as above.
    expert_parallel: bool | None = None
    # Tensor ranks among which the KV cache is dealt out, where each would keep all of it.
    decode_context_parallel: int | None = None
    # CPU cores of a rank (a GPU, or a tensor-parallel worker on CPU); 0 shares out the machine's.
    cpus_per_rank: float = 1
    # Sequences an engine runs at once; null is vLLM's own choice for the GPU, cut by memory.
    max_num_seqs: int | None = None
    # GiB of KV cache of a rank (CPU), or null.
    kv_cache_gib: float | None = None
    # Share of a GPU's memory an engine may take.
    gpu_memory_utilization: float = 0.9
    # GiB of a rank for activations, CUDA graphs and communication buffers: an estimate, for the
    # check that an engine fits.
    overhead_gib: float = 4
    # New tokens per second of one engine, as measured or supposed, for distlab.plan's hours; null
    # where it is not known.
    tokens_per_s: float | None = None
    # GB/s at which a node reads weights, as measured or supposed, for distlab.plan's time to load.
    disk_gb_per_s: float | None = None
    # How weights are read: prefetch, eager, runai_streamer, fastsafetensors or instanttensor; null
    # is vLLM's choice. It is in no address.
    load_format: str | None = None
    # A rank of an expert-parallel engine reads its own experts alone.
    ep_weight_filter: bool = False
    # vLLM's kernels that make a sample the same whatever else is in its batch: slower, for GPUs of
    # compute capability 8.0 or more. It is in the address; VLLM_BATCH_INVARIANT is not heard.
    batch_invariant: bool = False
    # Tokens in a KV block; prompts share whole blocks.
    block_size: int | None = None
    # Skip CUDA graphs and compilation. Never a default on GPUs.
    enforce_eager: bool = False
    # More arguments of vLLM's engine, by their names there: distlab/engines/engine_args.py.
    # A mapping, or null; not typed as one, since Hydra could not set it from the command line.
    engine_args: Any = None
    # Variables for processes of engines: {NCCL_DEBUG: INFO}. Those of links between ranks alone,
    # since none is in an address. A mapping, or null.
    env: Any = None
    # Folder of compiled graphs, best on a disk that nodes share; null is vLLM's own on each node.
    compile_cache: str | None = None
    # Seconds without a new token after which an engine with requests is taken for hung.
    hang_s: float = 600
    # Seconds in which an engine that loads reads nothing, allocates nothing on its GPUs and touches
    # no memory, after which it is taken for hung.
    load_hang_s: float = 900
    # Who writes samples into the store: driver, or replica, which spares the driver most of its
    # work where there are many, and needs the store on every node at one address.
    commit: str = "driver"
    # Nodes of the cluster to wait for before anything is placed.
    min_nodes: int = 1
    # Seconds to wait for these, or for nodes to come back where nothing fits any more.
    wait_for_nodes_s: float = 600
    # Machines of a cluster that is described, for distlab.plan; empty for the live one.
    nodes: list[NodeConfig] = field(default_factory=list)


@dataclass
class ReportConfig:
    """What the report calls no difference, and what it compares of a ladder."""

    # Differences of our figures below this are called none, as a share: 0.05 is 5 points.
    margin: float = 0.05
    # Differences from the paper's figures below this are called none, as a share.
    replication_margin: float = 0.10
    # Title of the report; without one, the families' names.
    title: str | None = None
    # Families of the paper that figures show: own (those of the study, beside ours), or all.
    paper: str = "own"
    # Pairs of a ladder's stages to compare beside the last with the first, as [[sft, rl]]: the
    # second minus the first. Untyped, as stages are.
    pairs: list[Any] = field(default_factory=list)


@dataclass
class TrackerConfig:
    """Where config, scores, gaps and report of a run are logged beside its folder."""

    # wandb, mlflow, tensorboard or trackio; null logs nowhere.
    kind: str | None = None
    # Project, or experiment, that the run is logged in.
    project: str = "distlab"
    # mlflow's tracking URI or tensorboard's folder; null leaves it to the library.
    uri: str | None = None


@dataclass
class StudyConfig:
    """Everything a run can be told."""

    model: ModelConfig = field(default_factory=ModelConfig)
    dataset: DatasetGroup = field(default_factory=DatasetGroup)
    prompt: PromptGroup = field(default_factory=PromptGroup)
    decoding: DecodingGroup = field(default_factory=DecodingGroup)
    extractor: ExtractorGroup = field(default_factory=ExtractorGroup)
    grader: GraderGroup = field(default_factory=GraderGroup)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    # Study seed: every sample's seed derives from it.
    seed: int = 0
    # A name for drawing everything again with the same seeds; cells of another name are others.
    replicate: str | None = None
    # Go on with cells that engines on other hardware, or split otherwise, began, and say so in the
    # report; else what they lack is drawn in a cell of its own.
    mix: bool = False
    # Where samples are kept, over runs.
    store: str = "store"
    # Parent folder of run folders.
    runs: str = "runs"
