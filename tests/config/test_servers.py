"""The keys that name servers which run already."""

import pytest

from distlab.checkpoints.checkpoint import BASE, INSTRUCT
from distlab.config.values import Server
from distlab.errors import UserError
from tests.config.test_door import study

URL = "http://localhost:8000/v1"
NAMED = ("id=mine", "source=server")
SERVED = ("cluster=endpoint", f"cluster.base_url={URL}")


def test_one_server_draws_both_variants() -> None:
    cluster = study(*SERVED, "cluster.api_key_env=SERVER_KEY").cluster
    assert (cluster.device, cluster.replicas, cluster.max_num_seqs) == ("server", 1, 64)
    assert cluster.server("base") == cluster.server("instruct")
    assert cluster.server("base") == Server(URL, None, "SERVER_KEY", 600)


def test_each_variant_may_have_a_server_and_a_name_of_its_own() -> None:
    cluster = study(
        "cluster=endpoint",
        "cluster.base_url={base: http://a:1/v1/, instruct: https://b/v1}",
        "cluster.served_model={instruct: mine}",
    ).cluster
    assert cluster.server("base") == Server("http://a:1/v1", None, None, 600)
    assert cluster.server("instruct") == Server("https://b/v1", "mine", None, 600)


def test_names_of_their_own_may_share_an_address() -> None:
    cluster = study(*SERVED, "cluster.served_model={base: b, instruct: i}").cluster
    assert [cluster.server(v) for v in ("base", "instruct")] == [
        Server(URL, "b", None, 600),
        Server(URL, "i", None, 600),
    ]


def test_without_a_server_there_is_none() -> None:
    assert study().cluster.server("base") is None


def test_a_model_that_only_a_server_has_needs_no_checkpoint() -> None:
    made = study(
        *SERVED,
        "model=pair",
        "model.base.id=gpt-base",
        "model.base.source=server",
        "model.instruct.id=gpt",
        "model.instruct.source=server",
        "model.parameters=7e9",
        "model.max_model_len=8192",
    )
    assert (made.family.name, made.family.facts) == ("gpt-base+gpt", None)
    assert made.family.checkpoints["instruct"].source == "server"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["cluster=endpoint"], "`cluster.base_url` is None: give the server's address"),
        ([f"cluster.base_url={URL}"], "a server needs cluster=endpoint"),
        (["cluster=endpoint", "cluster.base_url=localhost:8000"], "give http://HOST:PORT/v1"),
        (["cluster=endpoint", "cluster.base_url=8000"], "`cluster.base_url` is 8000: give a text"),
        (
            ["cluster=endpoint", f"cluster.base_url={{base: '{URL}'}}"],
            "names no server for instruct: add `instruct: URL`",
        ),
        ([*SERVED, "cluster.request_timeout_s=0"], "request_timeout_s` is 0.0: set it to a finite"),
        ([*SERVED, "cluster.max_num_seqs=null"], "give the completions to ask for at once"),
        ([*SERVED, "cluster.hang_s=600"], "`cluster.hang_s` is 600.0: a completion may take"),
        ([*SERVED, "cluster.engine_args={swap_space: 1}"], "the server has its own; leave it out"),
        ([*SERVED, "extractor=llm"], "it reads with a model that no server"),
        (
            ["model.base.source=server"],
            "`model.base.source` is 'server': take cluster=endpoint",
        ),
        (
            [
                *SERVED,
                "model=pair",
                *(f"model.{v}.{key}" for v in (BASE, INSTRUCT) for key in NAMED),
            ],
            "says nothing of its size; or give by hand model.parameters, model.max_model_len",
        ),
    ],
)
def test_what_fits_nothing_is_refused_with_one_sentence(
    overrides: list[str], sentence: str
) -> None:
    with pytest.raises(UserError) as refusal:
        study(*overrides)
    assert sentence in str(refusal.value)


def test_a_key_in_the_place_of_its_variable_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="no name of an environment variable") as refusal:
        study(*SERVED, "cluster.api_key_env=sk-s3cret")
    assert "s3cret" not in str(refusal.value)
