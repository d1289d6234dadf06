"""Datasets, prompts, extractors, graders and splits that are added under a name."""

import pytest

from distlab.config.compose import compose, compose_config
from distlab.config.door import validate
from distlab.config.entries import ENTRIES
from distlab.errors import UserError
from distlab.placement.placement import Parallelism
from distlab.scoring.types import ComponentSpec

RULES = "distlab.scoring.extractors.rules:Rules"


def test_every_kind_of_entry_is_added_from_the_command_line() -> None:
    overrides = (
        "+dataset.sets.own={loader: distlab.problems.gsm8k:GSM8K, path: own.jsonl}",
        "+prompt.styles.three={shots: 3}",
        "+extractor.use.whole={target: " + RULES + ", options: {cut: false}}",
        "+grader.use.own.target=distlab.scoring.graders.standard:Standard",
        "+model.parallel.H300={tensor: 2}",
    )
    assert len(overrides) == len(ENTRIES)
    study = validate(compose_config(overrides))
    assert (study.datasets[-1].name, study.datasets[-1].path) == ("own", "own.jsonl")
    assert (study.prompts[-1].name, study.prompts[-1].shots) == ("three", 3)
    assert study.extractors[-1] == ComponentSpec("whole", RULES, {"cut": False})
    assert study.graders[-1].name == "own"
    assert study.family.parallel["H300"] == Parallelism(tensor=2)


def test_an_entry_has_the_defaults_of_the_schema() -> None:
    own = compose(["+dataset.sets.own.loader=own:Own"]).dataset.sets["own"]
    assert (own.path, own.revision, own.options) == (None, "main", {})


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("+grader.use.own=own:Own", "`grader.use.own` is 'own:Own': write it as {target: ...}"),
        (
            "+grader.use.own={targt: x}",
            "there is no key 'grader.use.own.targt'; did you mean target?",
        ),
        (
            "+prompt.styles.own={shots: some}",
            "`prompt.styles.own.shots` is some, and has to be a whole number",
        ),
        ("+grader.use.own={options: {}}", "`grader.use.own.target` has no value: set it"),
        (
            "dataset.sets.arithmetic.path=x",
            "`dataset.sets.arithmetic.path` is not set yet: write +dataset.sets.arithmetic.pa",
        ),
    ],
)
def test_an_entry_that_is_wrong_is_one_sentence(override: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        validate(compose_config([override]))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
