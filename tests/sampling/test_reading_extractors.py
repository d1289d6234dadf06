"""What reads with a model is treated so for what it can do, not for its class."""

from pathlib import Path
from typing import Any, cast

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.schema import ComponentConfig
from distlab.config.values import Study
from distlab.errors import UserError
from distlab.placement.placement import Node
from distlab.plan.estimate import make_plan
from distlab.plan.survey import Survey
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.sampling.readings import model_readers
from distlab.scoring.reading import reading_extractor
from distlab.study.score_run import score_run
from tests.sampling.lookup import Lookup

TARGET = "tests.sampling.lookup:Lookup"
ONE_NODE = Node("here", cpus=2, gpus=0, memory_bytes=16 << 30)


def config(*overrides: str) -> DictConfig:
    composed = compose_config(overrides)
    with open_dict(composed):
        composed.extractor.use["lookup"] = ComponentConfig(target=TARGET)
    return composed


def study(*overrides: str) -> Study:
    return validate(config(*overrides))


def test_rules_read_without_a_model() -> None:
    rules, lookup = study().extractors
    assert reading_extractor(rules) is None
    assert isinstance(reading_extractor(lookup), Lookup)


def test_its_model_is_found_before_sampling() -> None:
    (reader,) = model_readers(study())
    assert reader.name == "lookup"
    assert "What does this say? So it is 12." in reader.tokenizer.decode(
        reader.prompt("So it is 12.")
    )


def test_stopping_early_is_refused() -> None:
    with pytest.raises(UserError, match="the extractor lookup reads with a model"):
        study("decoding.until=solved")


def test_a_plan_says_that_its_engine_is_left_out() -> None:
    plan = make_plan(study(), Survey((), {}, ()), [ONE_NODE])
    assert "extractor lookup takes an engine of its own, which is not planned here" in plan.notes


def test_a_run_without_readings_is_not_scored_with_it(tmp_path: Path) -> None:
    raw = cast(dict[str, Any], OmegaConf.to_container(config(), resolve=True))
    manifest = Manifest("run", "command", str(tmp_path), (), config=raw)
    with pytest.raises(UserError, match=r"extractor=\[rules,lookup\]"):
        score_run(RunFolder(tmp_path), manifest)
