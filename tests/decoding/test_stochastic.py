import asyncio
from dataclasses import replace

import pytest

from distlab.decoding.decoder import ParameterError, StoppingCriteria
from distlab.decoding.interface import SampleRequest
from distlab.decoding.stochastic import Stochastic
from distlab.store.fingerprint import decoder_fields
from tests.decoding.scripted import ScriptedEngine, ids
from tests.store.cells import FIELDS


def test_every_draw_is_a_request_with_its_own_seed() -> None:
    engine = ScriptedEngine(continuations={"Q": " 4"})
    work = SampleRequest("p", ids("Q"), (2, 5))
    hot = Stochastic(temperature=0.6, top_p=0.95)
    samples = asyncio.run(hot.sample(engine, work, StoppingCriteria(10), lambda rank: 100 + rank))
    assert [(s.rank, s.seed, s.text) for s in samples] == [(2, 102, " 4"), (5, 105, " 4")]
    assert [r.seed for r in engine.requests] == [102, 105]
    assert all(r.sampling["temperature"] == 0.6 for r in engine.requests)
    assert all(r.sampling["top_p"] == 0.95 for r in engine.requests)


def test_temperature_and_top_p_are_in_every_seed_and_address() -> None:
    # Written down: a change would make every stored sample unrepeatable.
    assert Stochastic().seed_name == "stochastic:1.0:1.0"
    assert Stochastic(0.05).seed_name == "stochastic:0.05:1.0"
    assert Stochastic().identity() == {"temperature": 1.0, "top_p": 1.0}


# Each parameter beside temperature and top_p, with a value that changes something.
@pytest.mark.parametrize(
    ("name", "value"), [("top_k", 20), ("min_p", 0.05), ("repetition_penalty", 1.1)]
)
def test_a_parameter_is_in_request_seed_and_address_once_it_changes_something(
    name: str, value: float
) -> None:
    changed = replace(Stochastic(), **{name: value})
    engine, work = ScriptedEngine(), SampleRequest("p", ids("Q"), (0,))
    asyncio.run(changed.sample(engine, work, StoppingCriteria(10), lambda rank: 0))
    assert engine.requests[0].sampling[name] == value
    assert changed.seed_name == f"stochastic:1.0:1.0:{name}={value}"
    assert changed.identity() == {**Stochastic().identity(), name: value}
    fields, plain = (replace(FIELDS, **decoder_fields(d)) for d in (changed, Stochastic()))
    assert fields.fingerprint() != plain.fingerprint()
    assert fields.as_json()["parameters"] == {name: value}
    assert "parameters" not in plain.as_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", 2.5),
        ("temperature", float("nan")),
        ("top_p", 0.0),
        ("top_k", -1),
        ("min_p", 1.5),
        ("repetition_penalty", 0.0),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_remedy(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"^{name} is .*: set it "):
        Stochastic(**{name: value})
