"""What a config leaves to its checkpoints: name, size, context and facts, read and checked.

A composed config in, a copy out in which the model says all that is needed. Facts that stand in a
YAML are of the checkpoints that ``facts.of`` names: with other ids they are read anew. What is
given beside that is compared with the checkpoints, wherever these are at hand.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from omegaconf import MISSING, DictConfig, OmegaConf, open_dict

from distlab.checkpoints.architecture import NotSaid
from distlab.checkpoints.checkpoint import (
    BASE,
    INSTRUCT,
    SOURCES,
    CheckpointSpec,
    Variant,
    recognised_source,
)
from distlab.checkpoints.facts import CheckpointFacts, facts_at_hand, read_facts
from distlab.config.ladder import checkpoint_nodes, is_ladder, lacks_id, write_out
from distlab.config.refusal import refuse
from distlab.config.schema import FactsConfig, FactsOfConfig
from distlab.credentials import refuse_credentials
from distlab.errors import Unavailable, UserError, joined
from distlab.files import expanded
from distlab.placement.model_facts import KV_VALUE_BYTES

# As for the families of the study: few-shot MedCalc (9000 tokens) beside the paper's 8192 new ones.
_LONGEST: Final = 20480
_NEW_TOKENS: Final = 8192
# Sizes are stated rounded (ours).
_ROUNDED: Final = 0.02
# Facts that a family's checkpoints must have in common, or they are no family.
_SHAPE: Final = ("layers", "attention_heads", "kv_heads", "experts", "experts_per_token")
# Facts without a default.
_FACTS: Final = (
    *("architecture", "active_parameters", "weight_bytes"),
    *("layers", "attention_heads", "kv_heads", "kv_bytes_per_token"),
)


def derived(config: DictConfig) -> DictConfig:
    """A copy of a composed config whose model says what its checkpoints say.

    Raises:
        Unavailable: Something is missing, and no checkpoint that says it is at hand.
        UserError: An id is missing, or the config contradicts a checkpoint; both numbers are given.
    """
    made = copy.deepcopy(config)
    with open_dict(made):
        _complete(made.model, is_served=made.cluster.base_url is not None)
    return made


def family_name(model: DictConfig) -> str:
    """The family's name: as given, or made of the ids where it is not theirs."""
    given = "" if OmegaConf.is_missing(model, "name") else str(model.name)
    of = _facts_of(model)
    if given and not (of and of.family == given and _is_other(model, of)):
        return given
    if is_ladder(model):
        return _ladder_name(model)
    ids = _ids(model)
    stems = dict.fromkeys(_stem(name, 1) for name in ids)
    if len(stems) < len(set(ids)):
        stems = dict.fromkeys(_stem(name, 2) for name in ids)
    return "+".join(stems) or "pair"


def _ladder_name(model: DictConfig) -> str:
    """A ladder's name: of what it begins with, so that it stays when a stage is added on top."""
    steps = model.steps if OmegaConf.is_dict(model.steps) else {}
    names = [*_ids(model), *(str(steps[key]) for key in ("id", "folder") if steps.get(key))]
    return f"{_stem(names[0], 1)}-ladder" if names else "ladder"


def _ids(model: DictConfig) -> list[str]:
    """The ids that are given, in order."""
    return [str(node.id) for node in checkpoint_nodes(model).values() if not lacks_id(node)]


def _checkpoint_spec(key: str, raw: DictConfig) -> CheckpointSpec:
    """A checkpoint, its source recognised where none is given.

    Raises:
        UserError: It has no id, or a source that there is not.
    """
    if lacks_id(raw):
        raise UserError(f"`model.{key}.id` is missing: give a hub id (org/name) or a folder")
    name = str(raw.id)
    refuse_credentials(f"`model.{key}.id`", name)
    source = recognised_source(expanded(name)) if raw.source is None else raw.source
    if source not in SOURCES:
        refuse(f"model.{key}.source", source, f"take {', '.join(SOURCES)}, or null")
    return CheckpointSpec(expanded(name) if source == "local" else name, source, raw.revision)


def _stem(name: str, parts: int) -> str:
    """The last parts of an id, as one word."""
    folder = Path(expanded(name)).resolve() if recognised_source(name) == "local" else Path(name)
    return "-".join(folder.parts[-parts:])


def _facts_of(model: DictConfig) -> FactsOfConfig | None:
    of = OmegaConf.select(model, "facts.of")
    return None if of is None else FactsOfConfig(**of)


def _is_other(model: DictConfig, of: FactsOfConfig) -> bool:
    """Whether the checkpoints are others than those whose facts are given."""
    if is_ladder(model):
        return _ids(model) != list(of.stages)
    given = {BASE: of.base, INSTRUCT: of.instruct}
    nodes = checkpoint_nodes(model)
    return any(not lacks_id(node) and node.id != given[Variant(v)] for v, node in nodes.items())


def _facts_of_these(model: DictConfig, of: FactsOfConfig | None) -> FactsOfConfig:
    """That facts are of the checkpoints that there are, with the lengths of their family."""
    made = FactsOfConfig() if of is None else replace(of)
    if is_ladder(model):
        return replace(made, family=model.name, stages=_ids(model))
    base, instruct = _ids(model)
    return replace(made, family=model.name, base=base, instruct=instruct)


def _complete(model: DictConfig, *, is_served: bool) -> None:
    name = family_name(model)
    write_out(model)
    nodes = checkpoint_nodes(model)
    specs = {key: _checkpoint_spec(key, node) for key, node in nodes.items()}
    of, former = _facts_of(model), None
    if of is not None and _is_other(model, of):
        _forget(model, of.family, name)
        of, former = None, of
    model.name = name
    for key, spec in specs.items():
        nodes[key].id, nodes[key].source = spec.id, spec.source
    # Facts of a family of ours are known to be right: nothing is asked of a hub for them.
    is_known = of is not None and not _missing(model)
    found, reason = _read(list(dict.fromkeys(specs.values())), _missing(model), at_hand=is_known)
    if found:
        weightless = [one for one in found if one.weights is None]
        # What one weighs is not taken for what another does.
        for key, value in _values(found, weights=not (is_known or weightless)).items():
            _settle(model, key, value, found)
        if former is not None:
            _lower(model, former, found)
        _settle_context(model, found)
        _note(model, (*_states_notes(found), *_head_notes(found)))
        if reason and not is_known:
            _note(model, [f"{reason}. Until then all are taken to be as large as {_names(found)}."])
        lack = f"{_have(weightless or found)} no weights in safetensors"
        reason = reason or f"{lack}, which alone can be measured"
        names = _names(found)
        model.facts.source = model.facts.source or f"config.json and weight headers of {names}"
    if is_served and any(key.startswith("model.facts.") for key in _missing(model)):
        # No engine is placed, so that nothing has to fit anywhere.
        model.facts = None
    _refuse_missing(model, reason, needs_facts=not is_served)
    if model.facts is not None:
        model.facts.of = _facts_of_these(model, of)
    if OmegaConf.is_missing(model, "max_new_tokens"):
        model.max_new_tokens = _new_tokens(model)


def _forget(model: DictConfig, family: str, name: str) -> None:
    """Drop what a YAML says of other checkpoints."""
    switches = OmegaConf.to_container(model.chat_template_kwargs)
    model.name, model.parameters, model.facts = name, MISSING, FactsConfig()
    model.parallel = {}
    kept = f", and its chat template is given {switches}" if switches else ""
    model.notes = [f"{name} is {family} with other checkpoints: sizes are read from them{kept}."]


def _read(
    specs: Sequence[CheckpointSpec], missing: Sequence[str], *, at_hand: bool
) -> tuple[list[CheckpointFacts], str]:
    """What the checkpoints say that can be had, and why others cannot.

    Raises:
        UserError: A config.json cannot be made sense of, and not all that is ``missing`` is given.
    """
    found, reason = [], ""
    for spec in specs:
        try:
            one = facts_at_hand(spec, weights=False) if at_hand else read_facts(spec)
        except Unavailable as error:
            reason = reason or str(error)
            continue
        except NotSaid as error:
            # What another checkpoint says is not taken for this one's.
            if missing:
                raise UserError(f"{error}: give by hand {', '.join(missing)}") from error
            continue
        found += [one] if one is not None else []
    return found, reason


def _values(found: Sequence[CheckpointFacts], *, weights: bool) -> dict[str, Any]:
    """Keys below ``model`` to what the checkpoints say: of sizes, the larger one's.

    Raises:
        UserError: The checkpoints are no family.
    """
    shapes = [one.architecture for one in found]
    first = shapes[0]
    for other, name in product(found[1:], _SHAPE):
        if getattr(first, name) != getattr(other.architecture, name):
            raise UserError(
                f"{found[0].checkpoint} has {getattr(first, name)} {name} and {other.checkpoint} "
                f"has {getattr(other.architecture, name)}: name a pair of one architecture"
            )
    values: dict[str, Any] = {f"facts.{name}": getattr(first, name) for name in _SHAPE}
    values["facts.architecture"] = first.name
    values["facts.kv_bytes_per_token"] = KV_VALUE_BYTES * max(s.kv_values_per_token for s in shapes)
    # Of windows, what takes most: the longest, and of what it bounds the least.
    values["facts.window"] = max(s.window for s in shapes)
    windowed = min(s.windowed_kv_values_per_token for s in shapes)
    values["facts.windowed_kv_bytes_per_token"] = KV_VALUE_BYTES * windowed
    sizes = [(one.weights, one.architecture) for one in found if one.weights is not None]
    if weights and sizes:
        largest, shape = max(sizes, key=lambda size: size[0].bytes)
        values["parameters"] = float(largest.parameters)
        values["facts.active_parameters"] = float(largest.active_parameters(shape))
        values["facts.weight_bytes"] = float(largest.bytes)
        values["facts.weight_dtype"] = largest.dtype
    return values


def _names(found: Sequence[CheckpointFacts]) -> str:
    """What checkpoints are called, as one phrase."""
    return joined(one.checkpoint for one in found)


def _say(found: Sequence[CheckpointFacts]) -> str:
    return f"{_names(found)} {'says' if len(found) == 1 else 'say'}"


def _take(found: Sequence[CheckpointFacts]) -> str:
    return f"{_names(found)} {'takes' if len(found) == 1 else 'take'}"


def _have(found: Sequence[CheckpointFacts]) -> str:
    return f"{_names(found)} {'has' if len(found) == 1 else 'have'}"


def _settle(
    model: DictConfig,
    key: str,
    value: Any,  # noqa: ANN401
    found: Sequence[CheckpointFacts],
) -> None:
    """Take over what checkpoints say, or see that it is what the config says.

    Raises:
        UserError: The config says something else.
    """
    if model.facts is None:
        model.facts = FactsConfig()
    given = _given(model, key)
    if given is None:
        OmegaConf.update(model, key, value, merge=False)
        return
    is_size = isinstance(value, float)
    if not math.isclose(given, value, rel_tol=_ROUNDED) if is_size else given != value:
        said = f"{value:.0f}" if is_size else value
        refuse(f"model.{key}", given, f"{_say(found)} {said}; correct it, or leave it out")


def _context(found: Sequence[CheckpointFacts]) -> int | None:
    """Tokens of the longest sequence that all checkpoints take; None where none says it."""
    said = (one.architecture.context for one in found)
    return min((context for context in said if context is not None), default=None)


def _is_too_long(model: DictConfig, found: Sequence[CheckpointFacts]) -> bool:
    """Whether sequences are longer than checkpoints take, which are sure of that."""
    length, context = _given(model, "max_model_len"), _context(found)
    is_firm = not any(one.architecture.stretched for one in found)
    return is_firm and length is not None and context is not None and length > context


def _lower(model: DictConfig, former: FactsOfConfig, found: Sequence[CheckpointFacts]) -> None:
    """Lower the lengths of a family, which nobody typed, to what other checkpoints take."""
    if model.max_model_len != former.max_model_len or not _is_too_long(model, found):
        return
    model.max_model_len = _context(found)
    said = f"`model.max_model_len` is lowered from {former.max_model_len} to {model.max_model_len}"
    if model.max_new_tokens == former.max_new_tokens and model.max_new_tokens > (
        most := _new_tokens(model)
    ):
        model.max_new_tokens = most
        said += f", and `model.max_new_tokens` from {former.max_new_tokens} to {most}"
    _note(model, [f"{said}: {_take(found)} no longer sequences than that."])


def _new_tokens(model: DictConfig) -> int:
    """Most new tokens of a sample that leave room for a prompt."""
    return max(1, min(_NEW_TOKENS, int(model.max_model_len) // 2))


def _settle_context(model: DictConfig, found: Sequence[CheckpointFacts]) -> None:
    context = _context(found)
    if _given(model, "max_model_len") is None:
        if context is not None:
            model.max_model_len = min(_LONGEST, context)
        return
    if _is_too_long(model, found):
        remedy = f"{_take(found)} {context} tokens; lower it"
        refuse("model.max_model_len", model.max_model_len, remedy)


def _note(model: DictConfig, notes: Iterable[str]) -> None:
    """Add to a model's notes what does not stand there."""
    model.notes = list(dict.fromkeys((*model.notes, *notes)))


def _states_notes(found: Sequence[CheckpointFacts]) -> Iterator[str]:
    """Say where the plan's arithmetic leaves something out."""
    states = max(one.architecture.recurrent_layers for one in found)
    if states:
        yield (
            f"{states} of {found[0].architecture.layers} layers keep a state of fixed size for "
            "each sequence (linear attention, Mamba or a convolution), which the plan leaves out "
            "of its memory: fewer sequences fit at once than it says."
        )


def _head_notes(found: Sequence[CheckpointFacts]) -> Iterator[str]:
    """Say where weights hold an output head that nobody reads."""
    for one in found:
        if one.weights is not None and one.weights.has_unread_head:
            yield (
                f"the weights of {one.checkpoint} hold an output head, and its config.json says "
                "`tie_word_embeddings`: vLLM takes the embedding for the head and leaves the other "
                "unread; where the two differ, set that to false there."
            )


def _given(model: DictConfig, key: str) -> Any:  # noqa: ANN401 (whatever the key holds)
    """The value of a key; None where it is null or missing."""
    return OmegaConf.select(model, key, default=None)


def _missing(model: DictConfig) -> list[str]:
    """What has no value and no default."""
    keys = ("parameters", "max_model_len", *(f"facts.{name}" for name in _FACTS))
    return [f"model.{key}" for key in keys if _given(model, key) is None]


def _refuse_missing(model: DictConfig, reason: str, *, needs_facts: bool) -> None:
    """Say what to give by hand where no checkpoint says it.

    Raises:
        Unavailable: Something is missing that a run cannot do without, or a part of the facts.
    """
    missing = [key for key in _missing(model) if needs_facts or ".facts." not in key]
    facts = {key for key in missing if key.startswith("model.facts.")}
    if len(facts) == len(_FACTS) == len(missing):
        # Nothing at all is said of them: a run on stated ranks needs none.
        model.facts = None
        return
    if missing:
        raise Unavailable(f"{reason}; or give by hand {', '.join(missing)}")
    if model.facts is not None:
        model.facts.source = model.facts.source or "given by hand"
