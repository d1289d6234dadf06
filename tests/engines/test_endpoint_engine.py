"""The client of a server: what it asks, what it makes of the answers, and of faults."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import StoppingCriteria
from distlab.decoding.interface import Completion, EngineRequest, SampleRequest
from distlab.engines import endpoint_engine
from distlab.engines.endpoint import Endpoint
from distlab.engines.endpoint_engine import EndpointEngine, ServerLost
from distlab.engines.messages import EngineSettings, Site
from distlab.prompts.messages import MessagesTokenizer
from tests.engines.openai_server import NAME, Script, Standin, serving

T = TypeVar("T")
ASK = EngineRequest((5, 6, 7), max_tokens=8, stop=("\nQ:",))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_engine, "_AGAIN", 2)
    monkeypatch.setattr(endpoint_engine, "_PAUSE_S", 0.05)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.02)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer and no weights."""
    folder = tmp_path_factory.mktemp("model")
    words = {"<end>": 0, **{f"w{number}": number for number in range(1, 40)}}
    rules = Tokenizer(WordLevel(words, unk_token="<end>"))
    rules.add_special_tokens(["<end>"])
    rules.save(str(folder / "tokenizer.json"))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 39]}))
    return folder


def settings(server: Standin, model: Path, **endpoint: object) -> EngineSettings:
    kept = {"chat": False, "extended": True, "engine": "vllm", "timeout_s": 5, "patience_s": 0.2}
    return EngineSettings(
        model=str(model),
        revision=None,
        dtype="float32",
        quantization=None,
        device="server",
        max_model_len=64,
        max_num_seqs=2,
        max_logprobs=24,
        engine="distlab.engines.endpoint_engine:EndpointEngine",
        endpoint=Endpoint(server.url, NAME, **{**kept, **endpoint}),
    )


def using(
    script: Script,
    model: Path,
    do: Callable[[EndpointEngine, Standin], Coroutine[Any, Any, T]],
    **endpoint: object,
) -> T:
    with serving(script) as server:

        async def session() -> T:
            return await do(EndpointEngine(settings(server, model, **endpoint), Site("r1")), server)

        return asyncio.run(session())


def complete(script: Script, model: Path, **endpoint: object) -> Completion:
    return using(script, model, lambda engine, _: engine.generate(ASK), **endpoint)


def test_token_ids_go_in_and_out_and_no_parameter_is_left_to_the_server(model: Path) -> None:
    script = Script()
    assert complete(script, model) == Completion((7, 6, 5), "7 6 5", truncated=False, tokens=3)
    (asked,) = script.requests
    assert (asked["prompt"], asked["stop"]) == ([5, 6, 7], ["\nQ:"])
    pinned = {"temperature": 0, "top_p": 1, "top_k": 0, "min_p": 0, "repetition_penalty": 1}
    assert pinned.items() <= asked.items()


def test_a_draw_has_its_seed_and_its_parameters(model: Path) -> None:
    script = Script()
    draw = EngineRequest((5,), 8, sampling={"temperature": 0.6, "top_k": 4}, seed=11)
    using(script, model, lambda engine, _: engine.generate(draw))
    (asked,) = script.requests
    assert (asked["temperature"], asked["top_k"], asked["seed"]) == (0.6, 4, 11)


def test_cot_decoding_branches_on_the_likeliest_first_tokens(model: Path) -> None:
    def branches(engine: EndpointEngine, _: Standin) -> Any:  # noqa: ANN401
        request = SampleRequest("p", (5, 6), (0, 2))
        return CoT().sample(engine, request, StoppingCriteria(4), lambda rank: rank)

    first, third = using(Script(), model, branches)
    assert (first.token_ids, third.token_ids) == ((1, 1, 6, 5), (3, 3, 6, 5))
    assert first.first_token_logprob == -1.0
    gap = pytest.approx(0.3678794 - 0.1353353, abs=1e-6)
    assert third.margins == (gap,) * 4


def test_eos_is_the_tokenizers_and_the_generation_configs(model: Path) -> None:
    async def facts(engine: EndpointEngine, _: Standin) -> Any:  # noqa: ANN401
        return engine.eos_token_ids, engine.special_tokens, engine.decode([5, 0, 6])

    assert using(Script(), model, facts) == ({0, 39}, {0: "<end>"}, "w5 w6")


def test_chat_messages_go_where_no_token_ids_do(model: Path) -> None:
    script = Script()
    ids = MessagesTokenizer("m").apply_chat_template(
        [{"role": "user", "content": "one two"}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
        date_string="26 Jul 2024",
    )
    request = EngineRequest(tuple(ids.encode()), 8)
    made = using(script, model, lambda engine, _: engine.generate(request), chat=True)
    assert (made.text, made.token_ids, made.tokens, made.prompt_tokens) == ("owt eno", (), 2, 7)
    (asked,) = script.requests
    assert asked["messages"] == [{"role": "user", "content": "one two"}]
    assert asked["chat_template_kwargs"] == {"enable_thinking": False}
    assert "prompt" not in asked


def test_reasoning_that_the_server_parts_stays_apart(model: Path) -> None:
    prompt = json.dumps({"turns": [{"role": "user", "content": "81"}], "kwargs": {}})
    request = EngineRequest(tuple(prompt.encode()), 8)
    script = Script(reasoning="Well.")
    made = using(script, model, lambda engine, _: engine.generate(request), chat=True)
    assert (made.text, made.thinking_end, made.thinking_tokens) == ("Well.18", 5, None)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_faults_that_pass_are_waited_out(model: Path, status: int) -> None:
    script = Script(faults=[(status, {}), (status, {"Retry-After": "0.01"})])
    assert complete(script, model).token_ids == (7, 6, 5)
    assert len(script.requests) == 3


def test_a_wait_longer_than_the_clients_own_patience_is_kept(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def slept(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(endpoint_engine.asyncio, "sleep", slept)
    script = Script(faults=[(429, {"Retry-After": "600"})])
    assert complete(script, model).token_ids == (7, 6, 5)
    assert 600 in waits


def lost(engine: EndpointEngine, _: Standin) -> Coroutine[Any, Any, str]:
    async def ask() -> str:
        with pytest.raises(ServerLost) as fault:
            await engine.generate(ASK)
        with pytest.raises(ServerLost):
            await engine.check()
        return str(fault.value)

    return ask()


def test_faults_that_stay_make_the_engine_a_dead_one(model: Path) -> None:
    assert "InternalServerError" in using(Script(faults=[(500, {})] * 3), model, lost)


def test_a_timeout_that_stays_does_too(model: Path) -> None:
    assert "APITimeoutError" in using(Script(delay_s=0.5), model, lost, timeout_s=0.05)


def test_a_refused_request_is_that_requests_own_fault(model: Path) -> None:
    async def ask(engine: EndpointEngine, _: Standin) -> None:
        with pytest.raises(ValueError, match="the server refuses the request"):
            await engine.generate(ASK)
        await engine.check()

    using(Script(faults=[(400, {})]), model, ask)


def test_missing_logprobs_are_that_requests_own_fault(model: Path) -> None:
    async def ask(engine: EndpointEngine, _: Standin) -> None:
        with pytest.raises(ValueError, match="no log probabilities"):
            await engine.first_tokens((5,), 2)
        await engine.check()

    using(Script(most_logprobs=0), model, ask)


def test_no_more_requests_are_under_way_than_allowed(model: Path) -> None:
    async def many(engine: EndpointEngine, _: Standin) -> int:
        asked = [asyncio.ensure_future(engine.generate(ASK)) for _ in range(5)]
        most = 0
        while not all(task.done() for task in asked):
            await asyncio.sleep(0.01)
            most = max(most, engine.vitals().running)
        assert engine.vitals().tokens == 15
        return most

    assert using(Script(delay_s=0.05), model, many) == 2


def test_loading_waits_for_a_server_and_not_for_ever(model: Path) -> None:
    server = Standin(Script())
    server.start()
    wanted = settings(server, model, patience_s=10)
    server.stop()
    back = Standin(Script(), server.port)
    late = threading.Timer(0.3, back.start)
    late.start()
    EndpointEngine(wanted, Site("r1"))
    late.join()
    back.stop()
    with pytest.raises(ServerLost, match="no server answers at"):
        EndpointEngine(settings(server, model), Site("r1"))
