"""A decoding method of the config to its decoder."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from distlab.config.refusal import refuse
from distlab.config.schema import DecodingGroup
from distlab.decoding.decoder import Decoder, DecodingSpec, ParameterError, Sampler
from distlab.decoding.kinds import decoder_type
from distlab.errors import UserError, nearest
from distlab.importing import as_sentence


def decoding_spec(name: str, raw: DecodingGroup) -> DecodingSpec:
    """A method by its name.

    Raises:
        UserError: There is none of the name, or it names no decoder, or a parameter that the
            decoder does not have, or a value that the parameter cannot have.
    """
    if name not in raw.methods:
        raise UserError(
            f"decoding method '{name}' is unknown: take one of {', '.join(raw.methods)}, "
            f"or add `+decoding.methods.{name}=...`"
        )
    key, method = f"decoding.methods.{name}", raw.methods[name]
    if not isinstance(method, Mapping) or "kind" not in method:
        refuse(key, method, "write {kind: KIND} and the kind's parameters")
    parameters = {str(name): value for name, value in method.items() if name != "kind"}
    kind = decoder_type(f"{key}.kind", str(method["kind"]))
    with as_sentence(f"`{key}` is {dict(method)!r}: it cannot be made"):
        made = _decoder(key, kind, parameters)
    return DecodingSpec(name, made, raw.max_tokens, _sampler(raw.sampler))


def _sampler(name: str) -> Sampler:
    try:
        return Sampler(name)
    except ValueError:
        return refuse("decoding.sampler", name, f"take {', '.join(Sampler)}")


def _decoder(key: str, kind: type[Decoder], parameters: Mapping[str, Any]) -> Decoder:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for name in parameters:
        if name not in known:
            remedy = f"kind {kind.kind} has no such parameter{nearest(name, known, '; remove it')}"
            refuse(f"{key}.{name}", parameters[name], remedy)
    try:
        made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), parameters))
    except ParameterError as error:
        refuse(f"{key}.{error.name}", error.value, error.remedy)
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        given = {"kind": kind.kind, **parameters}
        raise UserError(f"`{key}` is {given!r}: {str(error).splitlines()[0]}") from error
    assert isinstance(made, Decoder)
    return made
