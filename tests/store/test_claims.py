import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from distlab.store import claims
from distlab.store.claims import Driver, Witness, claiming, claims_on, driver_file
from distlab.store.store import Store, StoredCell
from tests.store.cells import make_cell


@pytest.fixture
def cell(tmp_path: Path) -> StoredCell:
    return make_cell(Store.open(str(tmp_path)))


def sign_on(cell: StoredCell, driver: Driver) -> None:
    """A driver as its own process would write it, with a claim on the cell."""
    file = Path(driver_file(cell.store, driver.id))
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(asdict(driver)))
    (Path(cell.path) / f".claim-{driver.id}.json").write_text("{}")


def elsewhere(**changed: object) -> Driver:
    made = replace(Driver.here("theirs"), machine="another", host="far", at=time.time(), beat=1)
    return replace(made, **changed)  # type: ignore[arg-type]


def test_a_free_cell_is_taken_and_given_back(cell: StoredCell) -> None:
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None
        assert [driver for driver, _ in claims_on(cell)] == [ours.driver.id]
        ours.release(cell)
        assert claims_on(cell) == []
        ours.release(cell)
    assert list((Path(cell.store.root) / ".drivers").iterdir()) == []


def test_the_second_driver_is_told_who_holds_a_cell_and_gets_it_afterwards(
    cell: StoredCell,
) -> None:
    with claiming(cell.store, "second") as second:
        with claiming(cell.store, "first") as first:
            assert first.take(cell) is None
            holder = second.take(cell)
            assert holder is not None
            assert str(holder).startswith("run first (")
            assert [driver for driver, _ in claims_on(cell)] == [first.driver.id]
        assert second.take(cell) is None


def test_of_many_that_claim_at_once_one_has_it(cell: StoredCell) -> None:
    won: list[str] = []
    barrier = threading.Barrier(6)

    def claim(name: str) -> None:
        with claiming(cell.store, name) as mine:
            barrier.wait()
            if mine.take(cell) is None:
                won.append(name)
            barrier.wait()

    threads = [threading.Thread(target=claim, args=(f"run-{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Never two. That all step back is possible, and they would ask again.
    assert len(won) <= 1


def test_a_driver_of_this_machine_whose_process_is_gone_holds_nothing(cell: StoredCell) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    sign_on(cell, replace(Driver.here("dead"), pid=done.pid))
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None
        assert [driver for driver, _ in claims_on(cell)] == [ours.driver.id]


def test_a_process_id_that_another_process_has_by_now_is_not_the_driver(cell: StoredCell) -> None:
    sign_on(cell, replace(Driver.here("dead"), started=1))
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None


def test_a_claim_whose_driver_never_signed_on_counts_for_nothing(cell: StoredCell) -> None:
    (Path(cell.path) / ".claim-0123.json").write_text("{}")
    with claiming(cell.store, "ours") as ours:
        assert ours.take(cell) is None


def test_a_driver_elsewhere_lives_as_long_as_it_is_seen_to_write(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = elsewhere()
    witness = Witness(cell.store)
    now = 1000.0
    monkeypatch.setattr(claims.time, "monotonic", lambda: now)
    for beat in (1, 2):
        sign_on(cell, replace(driver, beat=beat))
        assert witness.living(driver.id) is not None
        now += claims.EXPIRY_S - 1
        assert witness.living(driver.id) is not None
    now += 2
    assert witness.living(driver.id) is None


def test_a_sign_of_life_of_long_ago_needs_no_watching(cell: StoredCell) -> None:
    driver = elsewhere(at=time.time() - 3600)
    sign_on(cell, driver)
    assert Witness(cell.store).living(driver.id) is None


def test_signs_of_life_go_on_while_cells_are_held(
    cell: StoredCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.01)
    with claiming(cell.store, "ours") as ours:
        witness = Witness(cell.store)
        deadline = time.monotonic() + 60
        while (seen := witness.living(ours.driver.id)) is None or seen.beat < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
