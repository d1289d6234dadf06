"""Sentences for command lines that Hydra cannot take, each with what to type instead."""

import shlex

import pytest

from distlab.config.complaints import explain
from distlab.config.compose import compose, conf_folder
from distlab.config.sweeps import sweep_jobs
from distlab.errors import UserError

ODD = ("café", "a=b", "a(1)", "a&b", "a#b", "a;b", "a!b", "a{b", "it's", 'a"b', "a`b", "b\\'")


def complaint(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        compose(overrides)
    return str(caught.value)


@pytest.mark.parametrize("value", ODD)
def test_a_value_that_hydra_reads_otherwise_comes_with_its_cure(value: str) -> None:
    said = complaint(f"store={value}")
    assert said.startswith(f"the override {f'store={value}'!r} cannot be read: ")
    # What it says to type, as a shell hands it on.
    (typed,) = shlex.split(said.partition("for the shell: ")[2])
    assert compose([typed]).store == value


def test_what_is_open_is_to_be_closed() -> None:
    assert "close what [ opens" in complaint("dataset=[gsm8k,math")
    assert "close what ' opens" in complaint("store='a")
    assert "quote the texts in it" in complaint("+grader.use.x={target: a=B}")


@pytest.mark.parametrize("name", ["x/y", "my name", "naïve"])
def test_a_name_that_hydra_cannot_read_is_said(name: str) -> None:
    assert complaint(f"+grader.use.{name}={{target: a:B}}").endswith(
        "a name in a key has letters, digits, - and _ alone: take another name"
    )


def test_an_experiment_is_added_with_a_plus() -> None:
    assert complaint("experiment=paper").endswith("write +experiment=paper")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("dataset=gsm8k,math", "write dataset=[gsm8k,math] for one run over all of them, or give "),
        ("seed=0,1", "write 'seed=\"0,1\"' for one text, or give -m for a job each"),
        ("decoding.n=range(1,3)", "or give -m for a job each"),
    ],
)
def test_several_values_are_a_list_or_a_sweep(override: str, said: str) -> None:
    assert said in complaint(override)
    assert len(sweep_jobs([override])) == 2


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "model.chat_template_kwargs={a: 1}",
            "`model.chat_template_kwargs.a` is not set yet: write +model.chat_template_kwargs=...",
        ),
        (
            "model.chat_template_kwargs.a=1",
            "`model.chat_template_kwargs.a` is not set yet: write +model.chat_template_kwargs.a=",
        ),
        ("grader.use.x={target: a:B}", "`grader.use.x` is not set yet: write +grader.use.x=..."),
        ("model.base={ids: 1}", "there is no key 'model.base.ids'; did you mean model.base.id"),
    ],
)
def test_a_key_that_a_mapping_lacks_is_added_with_a_plus_or_misspelt(
    override: str, said: str
) -> None:
    assert complaint(override).startswith(said)


def test_a_key_of_nothing_is_no_key() -> None:
    assert complaint("=x").startswith("there is no key ''")


def test_a_fault_of_ours_is_not_explained() -> None:
    assert explain(KeyError("x"), conf_folder()) is None


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "model.stages={a: {id: x}}",
            "`model.stages` is {a: {id: x}}, and has to be a list: write it as [..., ...]",
        ),
        ("cluster.nodes=5", "`cluster.nodes` is 5, and has to be a list: write it as [..., ...]"),
        (
            "model.facts=[1, 2]",
            "`model.facts` is [1, 2], and has to be a mapping: write it as {NAME: VALUE}",
        ),
        (
            "model.base=org/name",
            "`model.base` is org/name, and has to be a mapping: write it as {NAME: VALUE}",
        ),
    ],
)
def test_a_value_of_another_form_is_told_its_form(override: str, sentence: str) -> None:
    assert complaint("model=pair", override) == sentence
