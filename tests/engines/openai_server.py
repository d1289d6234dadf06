"""A server on loopback that speaks OpenAI's protocol by a script: no model, and faults on demand.

It continues token ids with themselves reversed, and chat messages with the last one reversed. The
likeliest tokens of every step are 1, 2, 3, ...
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

NAME = "org/served"
EXTENSIONS = {"return_token_ids", "return_tokens_as_token_ids", "top_k", "min_p"}
EXTENSIONS |= {"repetition_penalty", "chat_template_kwargs"}


@dataclass
class Script:
    """What the server does; may be changed while it runs.

    Attributes:
        takes_ids: Token ids at /completions; else there are only chat messages.
        extended: vLLM's words are taken; else they are refused.
        most_logprobs: More are refused; 0 ignores that any are asked for.
        key: That must be sent, None for none.
        version: What /version says, None for no such path.
        faults: Statuses with headers that the next completions get, first to last.
        delay_s: That a completion takes.
        reasoning: What a chat reply has beside its content.
        requests: Bodies of completions, oldest first.
    """

    takes_ids: bool = True
    extended: bool = True
    most_logprobs: int = 24
    key: str | None = None
    version: str | None = "0.32.0"
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    delay_s: float = 0.0
    reasoning: str | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)


class Standin:
    """The server, in a thread of its own.

    Args:
        script: What it does.
        port: Where; 0 for any that is free.
    """

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script = script
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(30)

    def stop(self) -> None:
        """Gone at once, as if it were killed: open connections break."""
        if self._loop.is_closed():
            return
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/version", self._version)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, shutdown_timeout=0.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]

    async def _models(self, request: web.Request) -> web.Response:
        self._check_key(request)
        return web.json_response({"data": [{"id": NAME, "owned_by": "vllm", "root": "/models/x"}]})

    async def _version(self, request: web.Request) -> web.Response:
        if self.script.version is None:
            raise web.HTTPNotFound
        return web.json_response({"version": self.script.version})

    async def _complete(self, request: web.Request) -> web.Response:
        body = await self._asked(request)
        if not self.script.takes_ids:
            raise web.HTTPNotFound
        ids = list(reversed(body["prompt"]))[: body["max_tokens"]]
        choice: dict[str, Any] = {"text": " ".join(map(str, ids))}
        if self.script.extended:
            choice["token_ids"] = ids
        if (count := body.get("logprobs")) is not None and self.script.most_logprobs:
            step = {f"token_id:{token}": -float(token) for token in range(1, count + 1)}
            choice["logprobs"] = {"top_logprobs": [step for _ in ids]}
        return self._reply(choice, len(ids), len(body["prompt"]))

    async def _chat(self, request: web.Request) -> web.Response:
        body = await self._asked(request)
        text = body["messages"][-1]["content"][::-1]
        message = {"content": text, "reasoning": self.script.reasoning}
        return self._reply({"message": message}, len(text.split()), 7)

    async def _asked(self, request: web.Request) -> dict[str, Any]:
        self._check_key(request)
        body: dict[str, Any] = await request.json()
        if body["max_tokens"] > 1:
            self.script.requests.append(body)
        if not self.script.extended and EXTENSIONS & body.keys():
            raise web.HTTPBadRequest(text='{"error": {"message": "unknown field"}}')
        if (body.get("logprobs") or 0) > self.script.most_logprobs > 0:
            raise web.HTTPBadRequest(text='{"error": {"message": "too many logprobs"}}')
        await asyncio.sleep(self.script.delay_s)
        if body["max_tokens"] > 1 and self.script.faults:
            status, headers = self.script.faults.pop(0)
            fault = type("Fault", (web.HTTPException,), {"status_code": status})
            raise fault(text=f"status {status}", headers=headers)
        return body

    def _check_key(self, request: web.Request) -> None:
        sent = request.headers.get("Authorization")
        if self.script.key is not None and sent != f"Bearer {self.script.key}":
            raise web.HTTPUnauthorized

    def _reply(self, choice: dict[str, Any], tokens: int, prompt: int) -> web.Response:
        choice = {"index": 0, "finish_reason": "stop", **choice}
        usage = {"completion_tokens": tokens, "prompt_tokens": prompt}
        return web.json_response({"id": "1", "choices": [choice], "usage": usage})


@contextmanager
def serving(script: Script, port: int = 0) -> Iterator[Standin]:
    """A server for the block."""
    server = Standin(script, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
