"""What is found out of a server, and what is refused, before anything is drawn."""

import socket
from collections.abc import Callable

import pytest

from distlab.config.values import Server
from distlab.engines.endpoint import Asked, Endpoint, Need, find_endpoint
from distlab.errors import Unavailable, UserError
from tests.engines.openai_server import NAME, Script, serving

GREEDY = Need("base/greedy", plain=True, logprobs=0, parameters=())
COT = Need("base/cot", plain=True, logprobs=24, parameters=())
PENALISED = Need("instruct/pen", plain=False, logprobs=0, parameters=("repetition_penalty",))
CHAT = Need("instruct/t0.6", plain=False, logprobs=0, parameters=())


def ask(
    script: Script,
    *needs: Need,
    names: tuple[str, ...] = (NAME,),
    path: str = "/v1",
    template: dict[str, object] | None = None,
    **server: object,
) -> Endpoint:
    with serving(script) as running:
        url = running.url.removesuffix("/v1") + path
        place = Server(**{"url": url, "model": None, "api_key_env": None, "timeout_s": 5, **server})
        return find_endpoint(place, Asked(names, False, needs, template or {}), 1)


def test_a_server_that_takes_token_ids_is_given_them() -> None:
    found = ask(Script(), GREEDY, COT, PENALISED)
    assert (found.model, found.chat, found.extended) == (NAME, False, True)
    assert found.engine == "vllm 0.32.0"
    assert found.declared() == {"api": "completions", "sampling": "all parameters sent"}


def test_the_model_is_found_by_the_folder_that_it_was_loaded_from() -> None:
    assert ask(Script(), names=("org/other", "/models/x")).model == NAME


def test_a_server_without_openais_completions_is_given_chat_messages() -> None:
    found = ask(Script(takes_ids=False, extended=False, version=None), CHAT)
    assert (found.chat, found.extended, found.engine) == (True, False, "vllm")
    assert found.declared()["sampling"] == "others as the server's own"


def test_the_key_comes_from_the_variable_and_is_in_nothing_that_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SERVER_KEY", "s3cret")
    found = ask(Script(key="s3cret"), GREEDY, api_key_env="SERVER_KEY")
    assert "s3cret" not in repr(found)
    assert found.key == "s3cret"


def refused(script: Script, *needs: Need, **options: object) -> Callable[[], Endpoint]:
    return lambda: ask(script, *needs, **options)


CHAT_ONLY = Script(takes_ids=False)
REFUSALS = {
    "has no model 'org/mine' but org/served: set cluster.served_model": refused(
        Script(), GREEDY, names=("org/mine",)
    ),
    "has no model 'mine'": refused(Script(), GREEDY, model="mine"),
    "cannot draw base/greedy: it takes chat messages alone": refused(CHAT_ONLY, GREEDY),
    "cannot draw instruct/cot: it gives chat messages alone, and CoT-decoding": refused(
        CHAT_ONLY, Need("instruct/cot", plain=False, logprobs=24, parameters=())
    ),
    "cannot draw base/cot: it gives no token ids back": refused(Script(extended=False), COT),
    "24 likeliest tokens of a step; start it with --max-logprobs 24": refused(
        Script(most_logprobs=20), COT
    ),
    "cannot draw base/cot: it does not give the 24 likeliest": refused(
        Script(most_logprobs=0), COT
    ),
    "cannot draw instruct/pen: it does not take repetition_penalty": refused(
        Script(extended=False), PENALISED
    ),
    "takes no arguments of a chat template": refused(
        Script(takes_ids=False, extended=False), CHAT, template={"enable_thinking": False}
    ),
    "refuses the key: set cluster.api_key_env": refused(Script(key="s3cret"), GREEDY),
    "variable NO_SUCH_KEY (cluster.api_key_env) is not set": refused(
        Script(), GREEDY, api_key_env="NO_SUCH_KEY"
    ),
    "completes neither token ids nor chat messages": refused(Script(), GREEDY, path=""),
}


@pytest.mark.parametrize("sentence", REFUSALS)
def test_what_a_server_cannot_do_is_refused_with_one_sentence(sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        REFUSALS[sentence]()
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_address_where_nobody_answers_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(Unavailable, match="no OpenAI-compatible server answers at"):
            find_endpoint(Server(url, None, None, 5), Asked((NAME,), False, (), {}), 1)
