"""A cell that was begun on one machine and is gone on with on another; no engine, no Ray."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.console.display import Display
from distlab.console.progress import State
from distlab.engines import origins
from distlab.engines.events import EventLog
from distlab.engines.fleet import Fleet
from distlab.engines.messages import Finished
from distlab.errors import UserError
from distlab.runs.manifest import Manifest
from distlab.sampling.planned import PlannedCell
from distlab.sampling.prepare import prepare
from distlab.sampling.sampler import Engines, _Sampler
from distlab.store.batches import to_batch
from distlab.store.committer import Committer
from distlab.store.origin import Origin
from distlab.store.store import Store
from distlab.study.provenance import with_origins
from tests.engines.driving import OVERRIDES
from tests.sampling.said import Said
from tests.store.cells import sample

LAPTOP = Origin("x86_64 avx2", "TP 1", "CPU_ATTN")
SERVER = Origin("x86_64 amx_bf16", "TP 1", "CPU_ATTN")


@cache
def _study() -> Study:
    few = "dataset.sets.gsm-symbolic.options.pairs=1"
    return validate(compose_config([*OVERRIDES, few]))


def cells_of(folder: Path, *, mix: bool = False) -> tuple[Study, Sequence[PlannedCell]]:
    """What is missing in ``folder``, where ``cpu_class`` says that we are."""
    study = replace(_study(), store=str(folder), mix=mix)
    cells = prepare(study, Store.open(study.store)).cells
    for planned in cells:
        planned.stored.create(planned.fields)
    return study, cells


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which a laptop has drawn a sample of every cell."""
    monkeypatch.setattr(origins, "cpu_class", lambda: LAPTOP.device)
    for planned in cells_of(tmp_path)[1]:
        _commit(planned, LAPTOP)
    return tmp_path


def _commit(planned: PlannedCell, origin: Origin | None, requests: int = 1) -> None:
    rows = [
        replace(sample(request.problem_id, rank), prompt_ids=request.prompt_ids)
        for request in planned.requests[:requests]
        for rank in request.ranks
    ]
    planned.stored.commit([to_batch(rows, "run")], origin=origin)


def _addresses(cells: Sequence[PlannedCell]) -> list[str]:
    return [planned.cell.path for planned in cells]


def test_the_same_machine_goes_on_with_its_cells(begun: Path) -> None:
    again = cells_of(begun)[1]
    assert [planned.held for planned in again] == [4, 4]
    assert not any(planned.note for planned in again)


def test_other_hardware_gets_a_cell_of_its_own_and_goes_on_with_that(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptops = cells_of(begun)[1]
    monkeypatch.setattr(origins, "cpu_class", lambda: SERVER.device)
    elsewhere = cells_of(begun)[1]
    assert not {*_addresses(laptops)} & {*_addresses(elsewhere)}
    for planned in elsewhere:
        assert planned.held == 0
        assert planned.fields.hardware == {"device": SERVER.device, "split": "TP 1"}
        assert planned.note.startswith(f"its 4 stored samples were drawn on {LAPTOP}, and engines")
        assert "mix=true" in planned.note
        _commit(planned, SERVER, requests=2)
    again = cells_of(begun)[1]
    assert (_addresses(again), [p.held for p in again]) == (_addresses(elsewhere), [8, 8])
    monkeypatch.setattr(origins, "cpu_class", lambda: LAPTOP.device)
    assert _addresses(cells_of(begun)[1]) == _addresses(laptops)


def test_what_is_complete_is_the_same_cell_everywhere(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptops = cells_of(begun)[1]
    for planned in laptops:
        _commit(planned, LAPTOP, requests=len(planned.requests))
    monkeypatch.setattr(origins, "cpu_class", lambda: SERVER.device)
    assert _addresses(cells_of(begun)[1]) == _addresses(laptops)


def test_cells_of_earlier_versions_are_gone_on_with_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = cells_of(tmp_path)[1]
    for planned in old:
        _commit(planned, None)
    monkeypatch.setattr(origins, "cpu_class", lambda: SERVER.device)
    assert _addresses(cells_of(tmp_path)[1]) == _addresses(old)


def test_mix_goes_on_and_says_so(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "cpu_class", lambda: SERVER.device)
    mixed = cells_of(begun, mix=True)[1]
    for planned in mixed:
        assert planned.held == 4
        assert "mixed, as `mix=true` says" in planned.note
        _commit(planned, SERVER)
    held = {planned.cell.key: planned.stored.origins() for planned in mixed}
    manifest = with_origins(Manifest("run", "", "", ()), held)
    assert len(manifest.notes) == 2
    assert f"4 on {SERVER}, 4 on {LAPTOP}" in manifest.notes[0]
    (one, other) = manifest.origins[mixed[0].cell.key]
    assert {one["device"], other["device"]} == {LAPTOP.device, SERVER.device}


def test_an_engine_that_turns_out_otherwise_is_refused_before_a_sample_is_kept(
    begun: Path, tmp_path: Path
) -> None:
    study, cells = cells_of(begun)
    engines = Engines(study.cluster, Fleet(), EventLog(tmp_path / "events"))
    sampler = _Sampler(cells, engines, "run", Display(State(), Said()), None)
    path, batch = cells[0].cell.path, to_batch([sample("a", 0)], "run")
    committer = Committer({planned.cell.path: planned.stored for planned in cells})
    other = replace(LAPTOP, attention="TRITON_ATTN")
    with pytest.raises(UserError, match=r"this engine runs on .*TRITON_ATTN.* give mix=true"):
        sampler._take(Finished({path: batch}, origin=other), committer)
