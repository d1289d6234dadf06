"""A study's end, as a user sees it, over scripted engines."""

import json
import re
from pathlib import Path

import pytest

from distlab.runs.keyed import KeyedRuns
from tests.sweep.place import SMALL, Place

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def key_of(cell: dict[str, str]) -> str:
    return "/".join(cell[name] for name in ("family", "variant", "decoding", "dataset", "prompt"))


def missing(place: Place, folder: str) -> str:
    """The total that `status` prints of what is missing."""
    output = place.status(place.path / folder)
    totals = re.search(r"^ *total +\d+ +\d+ +(\d+) +(\d+)", output, re.MULTILINE)
    assert totals is not None, output
    return " ".join(totals.groups())


def test_a_problem_that_engines_die_of_is_missing_until_it_is_drawn(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make_checkpoints("base", "instruct")
    deadly = place.path / "script" / "deadly"
    deadly.touch()
    output = place.run(*SMALL, status=1)
    sentence = "failed: engines died of 1 problem, and the samples are missing:"
    assert output.count(sentence) == 1
    manifest = json.loads((place.last_run() / "manifest.json").read_text())
    assert [failure["set_aside"] for failure in manifest["failures"]] == [True]
    assert manifest["counts"]["engine_deaths"] == 4
    prompts = KeyedRuns.of([place.last_run()]).prompts().to_table()
    assert {*place.keys()} <= {
        (cell["fingerprint"], row["problem_id"], rank)
        for cell in manifest["cells"]
        for row in prompts.to_pylist()
        if row["cell"] == key_of(cell)
        for rank in range(cell["n"])
    }
    held = sum(place.keys().values())
    assert missing(place, str(place.last_run())) == missing(place, "store") == "2 0"
    deadly.unlink()
    output = place.run(*SMALL)
    assert "2 samples to draw" in output
    assert sentence not in output
    assert sum(place.keys().values()) == held + 2
    assert missing(place, str(place.last_run())) == missing(place, "store") == "0 0"
