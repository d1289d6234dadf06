"""Fingerprint: the content address of everything that can change a cell's samples."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from distlab.decoding.decoder import Decoder

# Part of every address, so that it may never change: it would orphan every stored sample. What a
# shard looks like has a version of its own, ``sample_schema.FORMAT``.
ADDRESS_VERSION = 1
# Fields that came after the first addresses.
_LATER = (
    *("parameters", "decoder_version", "sampler", "engine_args", "endpoint"),
    *("batch_invariant", "hardware", "replicate"),
)


@dataclass(frozen=True, slots=True)
class ContentAddress:
    """What a cell's fingerprint is made of: the fields of a subclass."""

    def as_json(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)

    def canonical(self) -> str:
        """The fields as canonical JSON."""
        fields = self.as_json()
        return json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))

    def fingerprint(self) -> str:
        """First 16 hex digits of sha256 over ``canonical()``."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CellFields(ContentAddress):
    """All that can change a sample of a cell.

    Which problems are sampled and how many samples are drawn are left out on purpose: a larger
    ``dataset.limit`` or ``decoding.n`` tops the cell up.

    Attributes:
        checkpoint: Checkpoint as named in the config.
        weights: Digest of its weights: hub commit or hash.
        dtype: Of the weights in the engine.
        quantization: vLLM's name, or None.
        dataset: Name of the dataset.
        dataset_hash: sha256 over all its rows.
        prompt: Everything that shapes the rendered prompt (``Renderer.identity``).
        stop: Stop strings.
        decoding: Kind of decoder.
        temperature: Of a stochastic draw; 0 for other kinds.
        top_p: Of a stochastic draw; 1 for other kinds.
        max_tokens: Most new tokens per sample.
        seed: Study seed, None where nothing is random.
        vllm: Version of vLLM.
        schema: Version of the address; its name is older than that.
        parameters: Other parameters of the decoder (``Decoder.identity``). None is in the address
            where it is empty, as in those that are older than it.
        sampler: What draws samples together, with its version: "trie-2". None where each is a
            request of its own; it is not in the address then, for the same reason.
        engine_args: Arguments of the engine beside ours that can change a sample; none is in the
            address either where it is empty.
        decoder_version: ``Decoder.version``; not in the address either where it is None.
        endpoint: How a server was asked that distlab did not start; what stands in ``weights``,
            ``dtype`` and ``vllm`` is then as declared. Empty where an engine of ours draws.
        batch_invariant: Whether kernels are those of vLLM's batch-invariant mode.
        hardware: What draws it (``Origin.address``), where the cell of the same fields without it
            was begun on other hardware; else empty.
        replicate: Name of a rerun, whose samples are drawn anew with the same seeds; None, and not
            in the address, where there is none.
    """

    checkpoint: str
    weights: str
    dtype: str
    quantization: str | None
    dataset: str
    dataset_hash: str
    prompt: Mapping[str, str]
    stop: tuple[str, ...]
    decoding: str
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None
    vllm: str
    schema: int = ADDRESS_VERSION
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sampler: str | None = None
    engine_args: Mapping[str, Any] = field(default_factory=dict)
    decoder_version: str | None = None
    endpoint: Mapping[str, str] = field(default_factory=dict)
    batch_invariant: bool = False
    hardware: Mapping[str, str] = field(default_factory=dict)
    replicate: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields, for JSON; without those that older addresses lack, where they are empty."""
        fields = ContentAddress.as_json(self)
        return {key: value for key, value in fields.items() if value or key not in _LATER}


def decoder_fields(decoder: Decoder) -> dict[str, Any]:
    """A decoder as the fields of ``CellFields``."""
    identity = dict(decoder.identity())
    return {
        "decoding": decoder.kind,
        "decoder_version": decoder.version,
        "temperature": identity.pop("temperature", 0.0),
        "top_p": identity.pop("top_p", 1.0),
        "parameters": identity,
    }


def differing_fields(ours: CellFields, stored: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the fields in which a stored cell differs, nested ones dotted."""
    return tuple(sorted(_differences(json.loads(ours.canonical()), stored, "")))


def _differences(ours: object, stored: object, prefix: str) -> list[str]:
    if isinstance(ours, Mapping) and isinstance(stored, Mapping):
        return [
            name
            for key in {*ours, *stored}
            for name in _differences(ours.get(key), stored.get(key), f"{prefix}.{key}".lstrip("."))
        ]
    return [] if ours == stored else [prefix]
