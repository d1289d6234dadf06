from dataclasses import replace

from tests.store.cells import FIELDS


def test_a_replicate_has_an_address_of_its_own_and_none_leaves_it_as_it_was() -> None:
    assert "replicate" not in FIELDS.as_json()
    again = [replace(FIELDS, replicate=name) for name in ("a", "b")]
    assert len({fields.fingerprint() for fields in (FIELDS, *again)}) == 3
