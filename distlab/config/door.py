"""The door: a composed Hydra config in, a validated Study out. Nothing checks values after it."""

import copy
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from itertools import pairwise, product
from typing import Any, Final, Literal, TypeVar, get_args, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from distlab.checkpoints.checkpoint import (
    BASE,
    INSTRUCT,
    SOURCES,
    CheckpointSpec,
    variant_name,
)
from distlab.checkpoints.tiny import CONTEXT, NEW_TOKENS, NOTE, SHAPES, tiny_spec
from distlab.config.derive import derived
from distlab.config.entries import typed_entries
from distlab.config.methods import decoding_spec
from distlab.config.prompt_styles import prompt_styles
from distlab.config.refusal import refuse, type_fault
from distlab.config.schema import (
    CheckpointConfig,
    ClusterConfig,
    ColumnsConfig,
    ComponentConfig,
    DatasetGroup,
    DecodingGroup,
    FactsConfig,
    GraderGroup,
    ModelConfig,
    NodeConfig,
    ParallelConfig,
    StageConfig,
    StudyConfig,
    TrackerConfig,
)
from distlab.config.servers import servers
from distlab.config.values import (
    COMMITTING,
    LOAD_FORMATS,
    Arm,
    Cluster,
    Family,
    Stage,
    StoppingRule,
    Study,
    Target,
    TrackerKind,
    TrackerSettings,
)
from distlab.credentials import refuse_credentials
from distlab.decoding.interface import ManagedEngine
from distlab.errors import UserError, nearest
from distlab.escape import plain
from distlab.files import expanded, folder_name
from distlab.importing import load_class
from distlab.placement.model_facts import WEIGHT_DTYPES, ModelFacts
from distlab.placement.placement import DEVICES, Node, Parallelism
from distlab.problems.problem import DatasetSpec
from distlab.prompts.prompt import PromptFormat
from distlab.scoring.pool import PoolSettings
from distlab.scoring.reading import reading_extractor
from distlab.scoring.types import ComponentSpec, load_extractor, load_grader

_Choice = TypeVar("_Choice", bound=str)
# A key beside the schema's, so that it can be appended to any config.
_TINY: Final = "tiny"
_UNTIL: Final[tuple[Literal["all", "solved", "decided"], ...]] = ("all", "solved", "decided")
_TARGETS: Final[tuple[Target, ...]] = ("gap", "pass_n")
# Options of a loader that a run with one dataset sets at the group, and where several have them.
_OPTIONS: Final = ("kind", "id", "subset", "split", "train_split")
_OF_ONE: Final = {
    "path": "path",
    "train_path": "train_path",
    **{name: f"options.{name}" for name in _OPTIONS},
}
# Variables that engines are handed: of links between ranks, and their logs.
_PASSED: Final = ("NCCL_", "GLOO_", "UCX_", "FI_", "TORCH_NCCL_", "TP_SOCKET_IFNAME")
_REPLICATE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_FORMATS: Final = tuple(each.value for each in PromptFormat)
_DTYPES = ("bfloat16", "float16", "float32", "auto")


def validate(config: DictConfig) -> Study:
    """Turn the composed config into frozen values.

    Raises:
        UserError: A value is out of range or missing, or two do not fit; the sentence names the
            key and the remedy.
    """
    _refuse_unknown(config)
    tiny, config = _without_tiny(derived(config))
    try:
        raw = OmegaConf.to_object(typed_entries(config))
    except MissingMandatoryValue as error:
        group = str(error.full_key).partition(".")[0]
        raise UserError(
            f"`{error.full_key}` has no value: set it, or take an option of `{group}` that does"
        ) from error
    except OmegaConfBaseException as error:
        line = str(error.msg).splitlines()[0]
        key = str(error.full_key)
        fault = type_fault(key, OmegaConf.select(config, key), line)
        raise UserError(fault or f"`{key}` cannot be read: {line}") from error
    assert isinstance(raw, StudyConfig)
    for key, text in _texts(asdict(raw), ""):
        refuse_credentials(f"`{key}`", text)
    for name in ("margin", "replication_margin"):
        _inner_share(f"report.{name}", getattr(raw.report, name))
    _one_of("report.paper", raw.report.paper, ("own", "all"))
    family = _tiny_family(raw.model) if tiny else _family(raw.model)
    study = Study(
        family=family,
        datasets=datasets(raw.dataset),
        prompts=prompt_styles(raw.prompt),
        arms=_arms(raw.decoding, family),
        extractors=components("extractor", raw.extractor.use),
        graders=components("grader", raw.grader.use),
        pool=pool_settings(raw.grader),
        cluster=_cluster(raw.cluster),
        seed=raw.seed,
        mix=raw.mix,
        store=_path("store", raw.store),
        waves=_waves(raw),
        decided=_decided(raw),
        replicate=_replicate(raw.replicate),
        tracker=_tracker(raw.tracker),
    )
    _check_names(study)
    _check_servers(study)
    _check_pairs(raw.report.pairs, list(family.checkpoints))
    return study


def _replicate(name: str | None) -> str | None:
    if name is not None and not _REPLICATE.fullmatch(name):
        refuse("replicate", name, "name it with 1 to 32 letters, digits, '.', '_' and '-'")
    return name


def _tracker(raw: TrackerConfig) -> TrackerSettings | None:
    if raw.kind is None:
        return None
    for kind in get_args(TrackerKind):
        if kind == raw.kind:
            return TrackerSettings(kind, raw.project, raw.uri)
    raise UserError(
        f"`tracker.kind` has no option '{raw.kind}'{nearest(raw.kind, get_args(TrackerKind))}"
    )


def _check_servers(study: Study) -> None:
    """Refuse arms that no server draws, and models that read, which no server is named for."""
    for variant, checkpoint in study.family.checkpoints.items():
        if checkpoint.source == "server" and study.cluster.server(variant) is None:
            refuse(f"model.{variant}.source", "server", "take cluster=endpoint, and its base_url")
    if not study.cluster.servers:
        return
    for variant in study.variants:
        if study.cluster.server(variant) is None:
            raise UserError(
                f"`cluster.base_url` names no server for {variant}: add `{variant}: URL` to it, "
                f"or set decoding.{variant}=[]"
            )
    for spec in study.extractors:
        if reading_extractor(spec) is not None:
            refuse(
                "extractor",
                spec.name,
                "it reads with a model that no server of cluster.base_url has; take rules, and "
                "score again with it under another cluster",
            )


def _check_pairs(pairs: Sequence[object], stages: Sequence[str]) -> None:
    for pair in pairs:
        names = pair if isinstance(pair, list) else []
        if len(names) != 2 or not {*names} <= {*stages} or names[0] == names[1]:
            refuse(
                "report.pairs", pair, f"write each as [FIRST, SECOND], two of {', '.join(stages)}"
            )


def _texts(value: object, key: str) -> Iterator[tuple[str, str]]:
    """Every text of a config, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, key)


def _check_names(study: Study) -> None:
    """Refuse names that would not keep cells apart, as folders or as keys."""
    groups = {
        "dataset": [dataset.name for dataset in study.datasets],
        "prompt": [prompt.name for prompt in study.prompts],
        "decoding.methods": [arm.decoding.name for arm in study.arms],
    }
    for group, names in groups.items():
        _refuse_shared(f"`{group}`", {name: folder_name(name) for name in names})
    cells = product(*(dict.fromkeys(names) for names in groups.values()))
    keys = {
        f"{method}, {dataset} and {prompt}": f"{method}/{dataset}/{prompt}"
        for dataset, prompt, method in cells
    }
    _refuse_shared("the study", keys)


def _refuse_shared(place: str, names: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, shared in names.items():
        if (other := seen.setdefault(shared, name)) != name:
            raise UserError(
                f"{place} has {plain(other)} and {plain(name)}, which would both be written as "
                f"{plain(shared)}: give one of them another name"
            )


def _refuse_unknown(config: DictConfig) -> None:
    """`+key=value` puts keys into Hydra's config that no dataclass knows."""
    for name in map(str, config):
        if name not in (*StudyConfig.__annotations__, _TINY):
            raise UserError(f"there is no key '{name}'; remove `+{name}`, or see --cfg job")
        group = get_type_hints(StudyConfig).get(name)
        if is_dataclass(group):
            known = {field.name for field in fields(group)}
            for inner in set(config[name]) - known:
                raise UserError(
                    f"there is no key '{name}.{inner}'; take one of {', '.join(sorted(known))}"
                )


def _one_of(key: str, value: str, known: Sequence[_Choice]) -> _Choice:
    for choice in known:
        if choice == value:
            return choice
    return refuse(key, value, f"take {', '.join(known[:-1])} or {known[-1]}")


def _at_least(key: str, value: int, least: int) -> int:
    return value if value >= least else refuse(key, value, f"set it to {least} or more")


def _positive(key: str, value: float) -> float:
    if 0 < value < math.inf:
        return value
    remedy = "set it above 0" if value <= 0 else "set it to a finite number above 0"
    return refuse(key, value, remedy)


def _path(key: str, value: str) -> str:
    """A path or URI; a home folder in front is written out."""
    return expanded(_text(key, value))


def _text(key: str, value: str) -> str:
    return value if value.strip() else refuse(key, value, "name a path")


def _family(raw: ModelConfig) -> Family:
    if raw.dtype not in _DTYPES:
        refuse("model.dtype", raw.dtype, f"take one of {', '.join(_DTYPES)}")
    stages = _stages(raw)
    return Family(
        name=_text("model.name", raw.name),
        stages=stages,
        parameters=_positive("model.parameters", raw.parameters),
        dtype=raw.dtype,
        quantization=raw.quantization,
        max_model_len=_at_least("model.max_model_len", raw.max_model_len, 2),
        parallel={
            gpu_type: _parallelism(f"model.parallel.{gpu_type}", spec)
            for gpu_type, spec in raw.parallel.items()
        },
        facts=None if raw.facts is None else _facts(raw.facts, raw.parameters),
        chat_template_kwargs=dict(raw.chat_template_kwargs),
        trust_remote_code=raw.trust_remote_code,
        notes=tuple(raw.notes) or _one_checkpoint_note(stages),
    )


def _stages(raw: ModelConfig) -> tuple[Stage, ...]:
    """The checkpoints in order: base and instruct, or those of a ladder."""
    if raw.base is not None and raw.instruct is not None:
        return (
            Stage(BASE, _checkpoint("model.base", raw.base), PromptFormat.PLAIN),
            Stage(INSTRUCT, _checkpoint("model.instruct", raw.instruct), PromptFormat.CHAT),
        )
    stages = tuple(_stage(place, one) for place, one in enumerate(raw.stages))
    names = [stage.name for stage in stages]
    for place, name in enumerate(names):
        # Some file systems take names that differ in case for one.
        if name.lower() in (earlier.lower() for earlier in names[:place]):
            refuse("model.stages", names, f"give one of the two stages {name} another name")
    return stages


def _stage(place: int, raw: StageConfig) -> Stage:
    key = f"model.stages.{place}"
    name = variant_name(f"{key}.name", raw.name)
    is_base = name == BASE and place == 0
    usual = PromptFormat.PLAIN if is_base else PromptFormat.CHAT
    said = usual if raw.format is None else _one_of(f"{key}.format", raw.format, _FORMATS)
    return Stage(name, _checkpoint(key, raw), PromptFormat(said))


def _checkpoint(key: str, raw: CheckpointConfig) -> CheckpointSpec:
    source = _one_of(f"{key}.source", str(raw.source), SOURCES)
    return CheckpointSpec(raw.id, source, raw.revision)


def _without_tiny(config: DictConfig) -> tuple[bool, DictConfig]:
    """Whether ``+tiny=true`` is on; and the config without it, cut to what a tiny checkpoint takes.

    The key is no part of the schema, so that it can be appended to any config.
    """
    if _TINY not in config:
        return False, config
    if not isinstance(config.tiny, bool):
        refuse("tiny", config.tiny, "take true or false")
    tiny, rest = config.tiny, copy.deepcopy(config)
    OmegaConf.set_struct(rest, False)
    del rest[_TINY]
    OmegaConf.set_struct(rest, True)
    if tiny:
        rest.model.max_model_len = min(rest.model.max_model_len, CONTEXT)
        if rest.model.max_new_tokens >= rest.model.max_model_len:
            rest.model.max_new_tokens = NEW_TOKENS
    return tiny, rest


def _tiny_family(raw: ModelConfig) -> Family:
    """The family with tiny checkpoints for checkpoints, under a name of its own."""
    shape = SHAPES.get(raw.tiny_shape or "")
    if shape is None:
        refuse("model.tiny_shape", raw.tiny_shape, f"take one of {', '.join(SHAPES)}")
    family = _family(raw)
    return replace(
        family,
        name=f"{family.name}-tiny",
        stages=tuple(
            replace(stage, checkpoint=tiny_spec(str(raw.tiny_shape), stage.name))
            for stage in family.stages
        ),
        parameters=float(shape.parameters),
        quantization=None,
        parallel={},
        facts=shape.facts,
        trust_remote_code=False,
        notes=(NOTE.format(stages=" and ".join(family.checkpoints), family=family.name),),
    )


def _parallelism(key: str, raw: ParallelConfig) -> Parallelism:
    return Parallelism(
        tensor=_at_least(f"{key}.tensor", raw.tensor, 1),
        pipeline=_at_least(f"{key}.pipeline", raw.pipeline, 1),
        expert=raw.expert,
    )


def _facts(raw: FactsConfig, parameters: float) -> ModelFacts:
    counts = ("layers", "attention_heads", "kv_heads")
    cached = _at_least("model.facts.kv_bytes_per_token", raw.kv_bytes_per_token or 0, 1)
    key, windowed = "model.facts.windowed_kv_bytes_per_token", raw.windowed_kv_bytes_per_token or 0
    if _at_least(key, windowed, 0) > cached:
        refuse(key, windowed, f"it is a part of the {cached} of `model.facts.kv_bytes_per_token`")
    given = raw.weight_dtype or WEIGHT_DTYPES[0]
    return ModelFacts(
        source=str(raw.source),
        architecture=str(raw.architecture),
        active_parameters=_size("model.facts.active_parameters", raw.active_parameters),
        weight_bytes=int(_size("model.facts.weight_bytes", raw.weight_bytes)),
        weight_dtype=_one_of("model.facts.weight_dtype", given, WEIGHT_DTYPES),
        experts=_at_least("model.facts.experts", raw.experts or 0, 0),
        experts_per_token=_at_least("model.facts.experts_per_token", raw.experts_per_token or 0, 0),
        parameters=parameters,
        kv_bytes_per_token=cached,
        window=_at_least("model.facts.window", raw.window or 0, 0),
        windowed_kv_bytes_per_token=windowed,
        **{name: _at_least(f"model.facts.{name}", getattr(raw, name), 1) for name in counts},
    )


def _size(key: str, value: float | None) -> float:
    return _positive(key, value) if value is not None else refuse(key, value, "set it above 0")


def _one_checkpoint_note(stages: Sequence[Stage]) -> tuple[str, ...]:
    return tuple(
        f"{one.name} and {other.name} are one checkpoint: the gap compares two protocols, not two "
        "models."
        for one, other in pairwise(stages)
        if one.checkpoint == other.checkpoint
    )


def datasets(raw: DatasetGroup) -> tuple[DatasetSpec, ...]:
    """The selected datasets.

    Raises:
        UserError: None is selected, or one file is to be several datasets.
    """
    if not raw.sets:
        raise UserError("no dataset is selected: set `dataset=NAME` or `dataset=[NAME,NAME]`")
    if raw.limit is not None:
        _at_least("dataset.limit", raw.limit, 1)
    for key in (*_OF_ONE, "name"):
        if getattr(raw, key) is not None and len(raw.sets) > 1:
            refuse(
                f"dataset.{key}",
                getattr(raw, key),
                f"it is for one dataset, and {len(raw.sets)} are selected; "
                f"set `dataset.sets.NAME.{_OF_ONE.get(key, key)}`",
            )
    return tuple(
        DatasetSpec(
            name=raw.name or name,
            loader=spec.loader,
            path=_file(raw.path, spec.path),
            train_path=_file(raw.train_path, spec.train_path),
            revision=spec.revision,
            limit=raw.limit,
            options={**spec.options, **_given_options(raw)},
            columns={**_columns(spec.columns), **_columns(raw.columns)},
            is_alone=len(raw.sets) == 1,
        )
        for name, spec in raw.sets.items()
    )


def _given_options(raw: DatasetGroup) -> dict[str, str]:
    """Options of a loader that the run sets at the group."""
    given = {name: getattr(raw, name) for name in _OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def _columns(raw: ColumnsConfig) -> dict[str, str | tuple[str, ...]]:
    """The columns that are named."""
    named = {name: value for name, value in asdict(raw).items() if value}
    offered = named.get("choices", "")
    is_list = isinstance(offered, list) and len({*map(str, offered)}) == len(offered) > 1
    if not (isinstance(offered, str) or (is_list and all(isinstance(c, str) for c in offered))):
        refuse(
            "dataset.columns.choices",
            offered,
            "name a column of lists, or several columns that hold a choice each, as [a, b]",
        )
    return {name: tuple(v) if isinstance(v, list) else v for name, v in named.items()}


def _file(of_run: str | None, of_dataset: str | None) -> str | None:
    """The local file of a dataset; the run's own comes first."""
    given = of_run if of_run is not None else of_dataset
    return None if given is None else expanded(given)


def _arms(raw: DecodingGroup, family: Family) -> tuple[Arm, ...]:
    _at_least("decoding.n", raw.n, 1)
    _at_least("decoding.max_tokens", raw.max_tokens, 1)
    if raw.max_tokens >= family.max_model_len:
        refuse(
            "decoding.max_tokens",
            raw.max_tokens,
            f"it leaves no room for a prompt in model.max_model_len={family.max_model_len}; "
            "lower the one or raise the other",
        )
    for key, named in (("base", raw.base), ("instruct", raw.instruct)):
        if len({*named}) < len(named):
            refuse(f"decoding.{key}", list(named), "it names a method twice; name each once")
    arms = tuple(
        Arm(stage.name, spec, spec.decoder.samples(raw.n))
        for stage in family.stages
        for name in (raw.base if stage.format is PromptFormat.PLAIN else raw.instruct)
        for spec in [decoding_spec(name, raw)]
    )
    if not arms:
        raise UserError("no arm is selected: set `decoding.base` or `decoding.instruct`")
    return arms


def _waves(raw: StudyConfig) -> tuple[int, ...] | None:
    """The waves of ``decoding.until=solved``, None where problems are not drawn until solved."""
    if _one_of("decoding.until", raw.decoding.until, _UNTIL) != "solved":
        return None
    _refuse_readers(raw)
    if not raw.decoding.waves:
        refuse("decoding.waves", raw.decoding.waves, "name at least one wave, as [1,3,16]")
    return tuple(_at_least("decoding.waves", size, 1) for size in raw.decoding.waves)


def _decided(raw: StudyConfig) -> StoppingRule | None:
    """The rule of ``decoding.until=decided``, None where the study does not stop by itself."""
    decoding, rule = raw.decoding, raw.decoding.decided
    if decoding.until != "decided":
        return None
    _refuse_readers(raw)
    if raw.model.stages:
        refuse(
            "decoding.until",
            decoding.until,
            "it compares a base with an instruct checkpoint and there is a ladder of stages: take "
            "until=all, or name two of them as model.base and model.instruct",
        )
    for variant, arms in ((BASE, decoding.base), (INSTRUCT, decoding.instruct)):
        if len(arms) != 1:
            refuse(
                f"decoding.{variant}",
                arms,
                "until=decided compares one base arm with one instruct arm: name one, or take "
                "until=all",
            )
    key = "decoding.decided"
    if not 0 < rule.budget <= 1:
        refuse(f"{key}.budget", rule.budget, "set it above 0 and at most 1, which is everything")
    for name, value in (("margin", rule.margin), ("alpha", rule.alpha)):
        _inner_share(f"{key}.{name}", value)
    target = _one_of(f"{key}.target", rule.target, _TARGETS)
    return StoppingRule(target, rule.margin, rule.alpha, rule.budget)


def _inner_share(key: str, value: float) -> None:
    if not 0 < value < 1:
        refuse(key, value, "set it between 0 and 1: 0.05 is 5 per cent")


def _refuse_readers(raw: StudyConfig) -> None:
    """Samples that are judged as they come cannot wait for a model that reads them all."""
    for spec in components("extractor", raw.extractor.use):
        if reading_extractor(spec) is not None:
            refuse(
                "decoding.until",
                raw.decoding.until,
                f"the extractor {spec.name} reads with a model once all samples are drawn; take "
                "extractor=rules, or until=all",
            )


def components(group: str, raw: Mapping[str, ComponentConfig]) -> tuple[ComponentSpec, ...]:
    """Extractors or graders, each made once to see that it can be.

    Raises:
        UserError: None is selected, or one does not load or refuses its options.
    """
    if not raw:
        raise UserError(f"no {group} is selected: set `{group}=NAME`")
    specs = tuple(ComponentSpec(name, c.target, dict(c.options)) for name, c in raw.items())
    load = load_extractor if group == "extractor" else load_grader
    for spec in specs:
        load(spec)
    return specs


def pool_settings(raw: GraderGroup) -> PoolSettings:
    """How grader workers are held.

    Raises:
        UserError: A value is out of range.
    """
    return PoolSettings(
        deadline_s=_positive("grader.deadline_s", raw.deadline_s),
        memory_mib=_at_least("grader.memory_mib", raw.memory_mib, 256),
        recycle=_at_least("grader.recycle", raw.recycle, 1),
    )


def _cluster(raw: ClusterConfig) -> Cluster:
    _one_of("cluster.device", raw.device, DEVICES)
    if raw.device == "cpu" and raw.kv_cache_gib is None:
        refuse("cluster.kv_cache_gib", None, "a CPU engine needs a size")
    if not 0 < raw.gpu_memory_utilization <= 1:
        refuse("cluster.gpu_memory_utilization", raw.gpu_memory_utilization, "set it in (0, 1]")
    for name in ("tensor_parallel", "pipeline_parallel", "decode_context_parallel"):
        if (ranks := getattr(raw, name)) is not None:
            _at_least(f"cluster.{name}", ranks, 1)
    for name in ("hang_s", "load_hang_s", "wait_for_nodes_s"):
        _positive(f"cluster.{name}", getattr(raw, name))
    for name in ("tokens_per_s", "disk_gb_per_s"):
        if (rate := getattr(raw, name)) is not None:
            _positive(f"cluster.{name}", rate)
    if raw.batch_invariant and raw.device != "gpu":
        remedy = "vLLM has such kernels for GPUs alone; take it out, or set cluster=local-gpu"
        refuse("cluster.batch_invariant", raw.batch_invariant, remedy)
    _one_of("cluster.commit", raw.commit, COMMITTING)
    if raw.load_format is not None:
        _one_of("cluster.load_format", raw.load_format, LOAD_FORMATS)
    if not 0 <= raw.overhead_gib < math.inf:
        refuse("cluster.overhead_gib", raw.overhead_gib, "set it to a finite number, 0 or more")
    values: dict[str, Any] = {
        field.name: getattr(raw, field.name, None) for field in fields(Cluster)
    }
    values["servers"] = servers(raw)
    load_class("cluster.engine", raw.engine, ManagedEngine)
    values["address"] = _address(raw.address)
    if raw.compile_cache is not None:
        values["compile_cache"] = expanded(raw.compile_cache)
    values["engine_args"] = _engine_args(raw.engine_args)
    values["env"] = _variables(raw.env)
    values["replicas"] = _replicas(raw.replicas)
    values["min_nodes"] = _at_least("cluster.min_nodes", raw.min_nodes, 1)
    if raw.max_num_seqs is not None:
        _at_least("cluster.max_num_seqs", raw.max_num_seqs, 1)
    nodes = tuple(node for index, spec in enumerate(raw.nodes) for node in _nodes(index, spec))
    cores = min(node.cpus for node in nodes) if nodes else _cores()
    values["cpus_per_rank"] = raw.cpus_per_rank or cores / (raw.tensor_parallel or 1)
    values["nodes"] = nodes
    return Cluster(**values)


def _engine_args(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict | None):
        refuse("cluster.engine_args", raw, "write it as {NAME: VALUE}")
    return {str(name): value for name, value in (raw or {}).items()}


def _variables(raw: object) -> dict[str, str]:
    """Variables of links between ranks: what could change a sample is set elsewhere.

    Raises:
        UserError: It is no mapping, or another variable is in it.
    """
    if not isinstance(raw, dict | None):
        refuse("cluster.env", raw, "write it as {NAME: VALUE}")
    for name in raw or {}:
        if not str(name).startswith(_PASSED):
            refuse(
                f"cluster.env.{name}",
                (raw or {})[name],
                f"variables that begin with {', '.join(_PASSED)} are handed on; others may change "
                "samples, so set them on the nodes before Ray starts",
            )
    return {str(name): str(value) for name, value in (raw or {}).items()}


def _address(raw: str | None) -> str | None:
    if raw is not None and "://" in raw:
        refuse(
            "cluster.address",
            raw,
            "samples stream to the driver, so it must run on a machine of the cluster: give "
            "HOST:PORT or auto there, or send it with `python -m distlab.jobs ray`",
        )
    if raw not in (None, "auto") and not re.fullmatch(r"\S+:\d{1,5}", str(raw)):
        refuse("cluster.address", raw, "give HOST:PORT, auto, or null for this machine")
    return raw


def _replicas(raw: int | str) -> int | None:
    if raw == "auto":
        return None
    if not isinstance(raw, int):
        refuse("cluster.replicas", raw, "give a number, or auto for what the cluster has free")
    return _at_least("cluster.replicas", raw, 1)


def _nodes(kind: int, raw: NodeConfig) -> Iterator[Node]:
    """The machines of one entry; entries are told apart by a letter ("b1")."""
    gib, key = 2**30, f"cluster.nodes.{kind}"
    for index in range(_at_least(f"{key}.count", raw.count, 1)):
        yield Node(
            name=f"{chr(ord('a') + kind % 26)}{index + 1}",
            cpus=_positive(f"{key}.cpus", raw.cpus),
            gpus=_at_least(f"{key}.gpus", raw.gpus, 0),
            gpu_type=raw.gpu_type,
            gpu_memory_bytes=None
            if raw.gpu_memory_gib is None
            else int(_positive(f"{key}.gpu_memory_gib", raw.gpu_memory_gib) * gib),
            memory_bytes=int(_positive(f"{key}.memory_gib", raw.memory_gib) * gib),
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0))
