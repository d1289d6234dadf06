from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from distlab.config.methods import decoding_spec
from distlab.config.schema import DecodingGroup
from distlab.decoding.decoder import Decoder
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError


@dataclass(frozen=True, slots=True)
class Disguised(Stochastic):
    """Its samples would lie in the cell of stochastic draws."""

    kind: ClassVar[str] = "stochastic"


@dataclass(frozen=True, slots=True)
class Throwing(Stochastic):
    """Its own check of its parameters trips."""

    kind: ClassVar[str] = f"{__name__}:Throwing"

    def __post_init__(self) -> None:
        raise KeyError("boom")


def made(method: Any) -> Decoder:  # noqa: ANN401
    return decoding_spec("m", DecodingGroup(max_tokens=8, methods={"m": method})).decoder


def test_values_become_what_the_decoder_declares() -> None:
    decoder = made({"kind": "stochastic", "temperature": 1})
    assert decoder == Stochastic(1.0)
    # An address that held the integer would be another one.
    assert repr(decoder) == repr(Stochastic(1.0))


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("cot", r"^`decoding\.methods\.m` is 'cot': write \{kind: KIND\}"),
        ({"temperature": 1}, r"^`decoding\.methods\.m` is .*: write \{kind: KIND\}"),
        (
            {"kind": "stochastic", "temprature": 1},
            r"^`decoding\.methods\.m\.temprature` is 1: kind stochastic has no such parameter; did "
            r"you mean temperature\?$",
        ),
        (
            {"kind": "stochastic", "top_p": 2},
            r"^`decoding\.methods\.m\.top_p` is 2\.0: set it above 0 and at most 1$",
        ),
        (
            {"kind": "stochastic", "temperature": 3},
            r"^`decoding\.methods\.m\.temperature` is 3\.0: set it to 0\.01 or more and at most 2",
        ),
        ({"kind": "stochastic", "top_p": "much"}, r"^`decoding\.methods\.m` is .*'much'"),
        ({"kind": "no.such:Thing"}, r"^`decoding\.methods\.m\.kind` is 'no\.such:Thing': there"),
        (
            {"kind": "distlab.decoding.interface:SampleRequest"},
            r"it is no decoder; make it a frozen dataclass that derives from distlab\.decoding",
        ),
        (
            {"kind": f"{__name__}:Disguised"},
            r"`decoding\.methods\.m\.kind` is .*: it calls itself stochastic, as a decoder of dist",
        ),
        (
            {"kind": f"{__name__}:Throwing"},
            r"^`decoding\.methods\.m` is .*Throwing'}: it cannot be made \(KeyError: 'boom'\)",
        ),
    ],
)
def test_what_names_no_decoder_is_refused(method: object, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        made(method)
