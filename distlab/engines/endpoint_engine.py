"""The Engine that decoders talk to, around a server that runs already."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from distlab.checkpoints.checkpoint import Checkpoint
from distlab.checkpoints.tokenizer import load_tokenizer
from distlab.decoding.interface import Completion, EngineRequest, FirstTokens, Step, Vitals
from distlab.engines.endpoint import NEUTRAL, TOKENS, Endpoint
from distlab.engines.messages import EngineSettings, Site
from distlab.engines.token_reader import TokenReader
from distlab.engines.vllm_engine import LOGPROB_MARGIN
from distlab.errors import brief
from distlab.prompts.messages import messages_of

if TYPE_CHECKING:
    import openai

# Times that a request is put again after 429, 5xx, a lost connection or a timeout (ours): the
# client waits 0.5 to 8 s before each, or as long as Retry-After says. Nearly a minute in all.
_AGAIN: Final = 10
_CONNECT_S: Final = 10.0
# The longest Retry-After that is waited for here: the client gives up at those above two minutes.
_LONGEST_WAIT_S: Final = 3600.0
_TOKEN: Final = "token_id:"
_PAUSE_S: Final = 2.0


class ServerLost(RuntimeError):
    """The server answers no more, or only with faults of its own."""


class EndpointEngine(TokenReader):
    """Token ids or chat messages in, completions out; a client and no model.

    What is wrong with one request is raised for that one. What is wrong with the server makes the
    engine a dead one, so that the dispatcher takes its requests back and starts another, which
    waits for the server.
    """

    def __init__(self, settings: EngineSettings, site: Site) -> None:
        """Connect.

        Raises:
            ServerLost: No server answers for ``endpoint.patience_s`` seconds.
            UserError: The key is not set here, or the tokenizer does not load.
        """
        import openai

        assert settings.endpoint is not None, "cluster=endpoint comes with one"
        self._endpoint = settings.endpoint
        # ``load_tokenizer`` says what it is called: the model.
        tokenizer = None if self._endpoint.chat else _tokenizer(settings)
        super().__init__(tokenizer, _eos_token_ids(tokenizer, settings))
        self._slots = asyncio.Semaphore(settings.max_num_seqs)
        self._answers = self._tokens = self._running = self._waiting = 0
        self._lost: ServerLost | None = None
        _await_server(self._endpoint)
        self._client = openai.AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._endpoint.key,
            timeout=openai.Timeout(self._endpoint.timeout_s, connect=_CONNECT_S),
            max_retries=_AGAIN,
        )

    async def generate(self, request: EngineRequest) -> Completion:
        """Generate one completion.

        Raises:
            ServerLost: It is gone; another engine has to wait for it.
            ValueError: It refuses the request.
        """
        if self._endpoint.chat:
            return await self._answered(request)
        body = self._body(request)
        if request.margins:
            body["logprobs"] = 2
        choice, usage = await self._post("/completions", body)
        ids = tuple(choice.get("token_ids") or ())
        return Completion(
            token_ids=ids,
            text=str(choice.get("text") or ""),
            truncated=choice.get("finish_reason") == "length",
            stop_string=_stop_string(choice),
            margins=_margins(choice) if request.margins else (),
            tokens=len(ids) or _count(usage, "completion_tokens"),
        )

    async def _answered(self, request: EngineRequest) -> Completion:
        body = self._body(request)
        template = body.pop("prompt")
        body["messages"] = list(template.turns)
        if template.kwargs:
            body["chat_template_kwargs"] = dict(template.kwargs)
        choice, usage = await self._post("/chat/completions", body)
        message = choice.get("message") or {}
        # vLLM's name for it, and DeepSeek's.
        reasoning = message.get("reasoning") or message.get("reasoning_content")
        details = usage.get("completion_tokens_details") or {}
        return Completion(
            token_ids=tuple(choice.get("token_ids") or ()),
            text=f"{reasoning or ''}{message.get('content') or ''}",
            truncated=choice.get("finish_reason") == "length",
            stop_string=_stop_string(choice),
            tokens=_count(usage, "completion_tokens"),
            prompt_tokens=_count(usage, "prompt_tokens"),
            thinking_end=len(reasoning) if reasoning else None,
            thinking_tokens=_count(details, "reasoning_tokens") if reasoning else None,
        )

    async def first_tokens(self, prompt_ids: tuple[int, ...], k: int) -> FirstTokens:
        """The ``k`` likeliest first tokens by raw log probability, ties by ascending id.

        Raises:
            ServerLost: It is gone.
            ValueError: It refuses the request.
        """
        body = self._body(EngineRequest(prompt_ids, max_tokens=1))
        choice, _ = await self._post("/completions", {**body, "logprobs": k + LOGPROB_MARGIN})
        tops = _top_logprobs(choice)[0]
        likeliest = sorted((-logprob, token) for token, logprob in tops.items())[:k]
        if len(likeliest) < k:
            raise ValueError(f"the server gave {len(likeliest)} likeliest tokens of {k}")
        return FirstTokens(
            token_ids=tuple(token for _, token in likeliest),
            logprobs=tuple(-negated for negated, _ in likeliest),
        )

    def stream(self, request: EngineRequest, top: int) -> AsyncGenerator[Sequence[Step], None]:
        """Siblings of a server are independent requests (``sampling.prepare``)."""
        raise NotImplementedError("samples of a server are not drawn together")

    def _body(self, request: EngineRequest) -> dict[str, Any]:
        """A request in OpenAI's words, and in vLLM's where the server takes them."""
        chat = self._endpoint.chat
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "prompt": messages_of(request.prompt_ids) if chat else list(request.prompt_ids),
            "max_tokens": request.max_tokens,
            "temperature": 0.0,
            "top_p": 1.0,
            **(NEUTRAL if self._endpoint.extended else {}),
            **request.sampling,
        }
        if self._endpoint.extended:
            body |= TOKENS
        if request.stop:
            body["stop"] = list(request.stop)
        if request.seed is not None:
            body["seed"] = request.seed
        return body

    async def _post(
        self, path: str, body: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The first choice of a completion, and what it took."""
        import openai

        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        self._running += 1
        try:
            made = await self._patiently(
                lambda: self._client.post(path, body=body, cast_to=dict[str, Any])
            )
        except (openai.BadRequestError, openai.NotFoundError, openai.UnprocessableEntityError) as e:
            raise ValueError(f"the server refuses the request: {brief(e.message)}") from e
        except openai.OpenAIError as error:
            self._lose(error)
        finally:
            self._running -= 1
            self._slots.release()
        choices, usage = made.get("choices") or [{}], made.get("usage") or {}
        self._answers += 1
        self._tokens += _count(usage, "completion_tokens") or 0
        return choices[0], usage

    async def _patiently(self, post: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Wait as long as the server asks for, where that is longer than the client waits."""
        import openai

        while True:
            try:
                return await post()
            except openai.APIStatusError as error:
                wait = _retry_after(error)
                if wait is None:
                    raise
                await asyncio.sleep(wait)

    def _lose(self, error: "openai.OpenAIError") -> NoReturn:
        reason = brief(str(error.__cause__ or error))
        self._lost = self._lost or ServerLost(
            f"the server at {self._endpoint.url} does not answer ({type(error).__name__}: {reason})"
        )
        raise self._lost from error

    async def check(self) -> None:
        """Raise if the server was lost."""
        if self._lost is not None:
            raise self._lost

    def vitals(self) -> Vitals:
        """How far it is; a step is an answer, since no other is seen of a server."""
        return Vitals(self._answers, self._tokens, self._running, self._waiting)

    def shutdown(self) -> None:
        """Nothing is ours to stop: the server goes on."""


def _tokenizer(settings: EngineSettings) -> Any:  # noqa: ANN401
    named = Checkpoint(settings.model, settings.model, settings.revision, "")
    return load_tokenizer(named, trust_remote_code=settings.trust_remote_code)


def _eos_token_ids(tokenizer: Any, settings: EngineSettings) -> frozenset[int]:  # noqa: ANN401
    """EOS of the tokenizer, and those of generation_config.json, which servers stop at too."""
    if tokenizer is None:
        return frozenset()
    from transformers import GenerationConfig

    ids = {tokenizer.eos_token_id}
    try:
        revision = settings.revision or "main"
        config = GenerationConfig.from_pretrained(settings.model, revision=revision)
    except OSError:
        configured = None
    else:
        configured = config.eos_token_id
    ids.update(configured if isinstance(configured, list) else [configured])
    return frozenset(int(i) for i in ids if i is not None)


def _await_server(endpoint: Endpoint) -> None:
    """Wait until the server answers.

    Raises:
        ServerLost: It does not, for as long as the endpoint has patience.
    """
    import time

    import openai

    until = time.monotonic() + endpoint.patience_s
    timeout = openai.Timeout(_CONNECT_S)
    with openai.OpenAI(
        base_url=endpoint.url, api_key=endpoint.key, timeout=timeout, max_retries=0
    ) as client:
        while True:
            try:
                client.get("/models", cast_to=dict[str, Any])
                return
            except (openai.APIConnectionError, openai.InternalServerError) as error:
                if time.monotonic() >= until:
                    raise ServerLost(
                        f"no server answers at {endpoint.url} for {endpoint.patience_s:g} s "
                        "(cluster.wait_for_nodes_s)"
                    ) from error
                time.sleep(_PAUSE_S)
            except openai.APIStatusError:
                # It answers, whatever it has to say of its models.
                return


def _retry_after(error: "openai.APIStatusError") -> float | None:
    """Seconds that a server which is overloaded wants to be left alone for; None for no word."""
    if error.status_code not in (429, 503):
        return None
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds <= _LONGEST_WAIT_S else None


def _stop_string(choice: Mapping[str, Any]) -> str | None:
    reason = choice.get("stop_reason")
    return reason if isinstance(reason, str) else None


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int else None


def _top_logprobs(choice: Mapping[str, Any]) -> list[dict[int, float]]:
    """Token id to raw log probability, of the likeliest of every step and of what was emitted.

    Raises:
        ValueError: The server gave none.
    """
    steps = (choice.get("logprobs") or {}).get("top_logprobs")
    if not steps:
        raise ValueError("the server gave no log probabilities")
    return [
        {int(token.removeprefix(_TOKEN)): float(logprob) for token, logprob in step.items()}
        for step in steps
    ]


def _margins(choice: Mapping[str, Any]) -> tuple[float, ...]:
    """p(top1) - p(top2) of every step."""
    margins = []
    for step in _top_logprobs(choice):
        first, second, *_ = (*sorted(step.values(), reverse=True), -math.inf)
        margins.append(math.exp(first) - math.exp(second))
    return tuple(margins)
