"""What ``kind`` in the config names: a decoder of ours, or ``module:Class``."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Final

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder
from distlab.decoding.greedy import Greedy
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError
from distlab.importing import load_named

BUILT_IN: Final[Mapping[str, type[Decoder]]] = {
    decoder.kind: decoder for decoder in (Greedy, Stochastic, CoT)
}


def decoder_type(field: str, kind: str) -> type[Decoder]:
    """The class of a decoder.

    Args:
        field: Of the config, for the sentence.
        kind: A name of ours, or ``module:Class``.

    Raises:
        UserError: It names no decoder, or one that may not be stored.
    """
    if (built_in := BUILT_IN.get(kind)) is not None:
        return built_in
    if ":" not in kind:
        raise UserError(
            f"`{field}` is {kind!r}: take one of {', '.join(BUILT_IN)}, or name your own as "
            "module:Class"
        )
    found = load_named(field, kind)
    if not (isinstance(found, type) and issubclass(found, Decoder) and is_dataclass(found)):
        raise UserError(
            f"`{field}` is {kind!r}: it is no decoder; make it a frozen dataclass that derives "
            "from distlab.decoding.decoder.Decoder"
        )
    if found in BUILT_IN.values():
        return found
    if found.kind in BUILT_IN:
        raise UserError(
            f"`{field}` is {kind!r}: it calls itself {found.kind}, as a decoder of distlab's does, "
            "whose samples it would mix with its own; give it another kind, or none"
        )
    if not (isinstance(found.version, str) and found.version):
        raise UserError(
            f"`{field}` is {kind!r}: its version is {found.version!r}; set the class's version to "
            'a text, such as "1", and change it with what the class draws'
        )
    return found
