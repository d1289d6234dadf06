"""What a server that runs already says of itself, asked before anything is drawn.

It speaks OpenAI's protocol. Prompts go to ``/completions`` as token ids where it takes them, and
as chat messages where it does not. Everything else that it says, it says without proof.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from distlab.config.values import Server
from distlab.errors import Unavailable, UserError, brief

if TYPE_CHECKING:
    from openai import OpenAI

# vLLM's own words in a request, which other servers may refuse: what to reply with, and the
# parameters whose defaults it would take from the checkpoint's generation_config.json.
TOKENS: Final[Mapping[str, Any]] = {"return_token_ids": True, "return_tokens_as_token_ids": True}
NEUTRAL: Final[Mapping[str, Any]] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
# Where a key is sent that nobody checks.
_NO_KEY: Final = "none"
# Seconds to connect, and for the questions here; times that each is put again (ours).
_CONNECT_S: Final = 10.0
_ANSWER_S: Final = 60.0
_AGAIN: Final = 1
_MANY_LOGPROBS: Final = "start it with --max-logprobs {} or more (vLLM), or lower decoding.n"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model on a server that runs already, and how to ask it.

    Attributes:
        url: Of the API; paths such as /completions are below it.
        model: What the server calls the model.
        chat: Prompts are chat messages; else token ids.
        extended: It takes vLLM's words beside OpenAI's (``TOKENS``, ``NEUTRAL``), so that no
            parameter of sampling is left to it.
        engine: What it says that it is: "vllm 0.32.0".
        api_key_env: Environment variable that holds the key, None for no key.
        timeout_s: Seconds for one completion.
        patience_s: Seconds to wait for it where it went away.
    """

    url: str
    model: str
    chat: bool
    extended: bool
    engine: str
    api_key_env: str | None = None
    timeout_s: float = 600
    patience_s: float = 600

    def declared(self) -> Mapping[str, str]:
        """What of it can change a sample, for the fingerprint; nothing of it is proven."""
        return {
            "api": "chat" if self.chat else "completions",
            "sampling": "all parameters sent" if self.extended else "others as the server's own",
        }

    @property
    def key(self) -> str:
        """The key that is sent.

        Raises:
            UserError: Its variable is not set here.
        """
        return api_key(self.api_key_env)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a study asks of a server.

    Attributes:
        names: What the model may be called there: its id, its folder.
        is_chat: Only chat messages will do: there is no tokenizer.
        needs: What each of its arms takes: the arm, and the log probabilities or parameters.
        template: Keyword arguments of the chat template.
        opened: Prompt styles that begin the answer, which chat messages do not.
    """

    names: tuple[str, ...]
    is_chat: bool
    needs: tuple["Need", ...]
    template: Mapping[str, object]
    opened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What an arm takes of a server beside plain completions.

    Attributes:
        arm: For people: "base/cot".
        plain: Prompts are plain text, which are no chat messages.
        logprobs: Of so many first tokens; 0 for none.
        parameters: Of sampling, that are not OpenAI's.
    """

    arm: str
    plain: bool
    logprobs: int
    parameters: tuple[str, ...]


def api_key(variable: str | None) -> str:
    """The key that an environment variable holds.

    Raises:
        UserError: It is not set.
    """
    if variable is None:
        return _NO_KEY
    if not (key := os.environ.get(variable, "").strip()):
        raise UserError(
            f"the environment variable {variable} (cluster.api_key_env) is not set here: put the "
            "server's key into it"
        )
    return key


def find_endpoint(server: Server, asked: Asked, patience_s: float) -> Endpoint:
    """Ask a server what it is and see that it can draw all that a study asks of it.

    Args:
        server: Where it is.
        asked: What is asked of it.
        patience_s: Seconds to wait for it where it goes away later.

    Raises:
        Unavailable: No server answers there.
        UserError: It does not have the model, refuses the key, or cannot draw an arm.
    """
    import openai

    client = openai.OpenAI(
        base_url=server.url,
        api_key=api_key(server.api_key_env),
        timeout=openai.Timeout(_ANSWER_S, connect=_CONNECT_S),
        max_retries=_AGAIN,
    )
    with client:
        return _Inquiry(client, server, asked).endpoint(patience_s)


@dataclass(frozen=True, slots=True)
class _Inquiry:
    """Questions to one server, for one study."""

    client: "OpenAI"
    server: Server
    asked: Asked

    def endpoint(self, patience_s: float) -> Endpoint:
        listed = self._listed()
        model = self._model(listed)
        chat, extended = self._api(model)
        found = Endpoint(
            url=self.server.url,
            model=model,
            chat=chat,
            extended=extended,
            engine=self._engine(listed, model),
            api_key_env=self.server.api_key_env,
            timeout_s=self.server.timeout_s,
            patience_s=patience_s,
        )
        self._check(found)
        return found

    def _put(self, question: Callable[[], Any]) -> Any:  # noqa: ANN401 (whatever is asked)
        """The answer; None where the server does not understand the question.

        Raises:
            Unavailable: It does not answer, or only with faults of its own.
            UserError: It refuses the key.
        """
        import openai

        url, variable = self.server.url, self.server.api_key_env
        try:
            return question()
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            remedy = f"put a right one into {variable}" if variable else "set cluster.api_key_env"
            raise UserError(f"the server at {url} refuses the key: {remedy}") from error
        except (openai.RateLimitError, openai.InternalServerError) as error:
            raise Unavailable(
                f"the server at {url} answers with status {error.status_code}: try again once it "
                "is well"
            ) from error
        except openai.APIStatusError:
            return None
        except (openai.APIConnectionError, openai.APIResponseValidationError, ValueError) as error:
            reason = brief(str(error.__cause__ or error))
            raise Unavailable(
                f"no OpenAI-compatible server answers at `cluster.base_url`={url} ({reason}): "
                "start it, or correct the address"
            ) from error

    def _listed(self) -> tuple[Mapping[str, Any], ...]:
        """What the server says of its models; nothing where it keeps no list."""
        page = self._put(lambda: self.client.get("/models", cast_to=dict[str, Any]))
        if page is None:
            return ()
        entries = page.get("data") if isinstance(page, Mapping) else None
        if not isinstance(entries, list):
            raise UserError(
                f"what answers at `cluster.base_url`={self.server.url} is no OpenAI-compatible "
                "server: its address mostly ends in /v1"
            )
        return tuple(entry for entry in entries if isinstance(entry, dict) and entry.get("id"))

    def _model(self, listed: Iterable[Mapping[str, Any]]) -> str:
        wanted = (self.server.model,) if self.server.model is not None else self.asked.names
        known = {str(entry["id"]): entry for entry in listed}
        for name, entry in known.items():
            if name in wanted or (self.server.model is None and entry.get("root") in wanted):
                return name
        if not known:
            return wanted[0]
        raise UserError(
            f"the server at {self.server.url} has no model '{wanted[0]}' but "
            f"{brief(', '.join(known))}: set cluster.served_model"
        )

    def _engine(self, listed: Iterable[Mapping[str, Any]], model: str) -> str:
        """What it says that it is; vLLM has its version beside the API."""
        owners = (entry.get("owned_by") for entry in listed if entry["id"] == model)
        root = self.server.url.removesuffix("/v1")
        said = self._put(lambda: self.client.get(f"{root}/version", cast_to=dict[str, Any]))
        version = said.get("version") if isinstance(said, Mapping) else None
        parts = (next(owners, None), version)
        return brief(" ".join(str(part) for part in parts if part)) or "unknown"

    def _api(self, model: str) -> tuple[bool, bool]:
        """Whether prompts are to be chat messages, and whether vLLM's words are taken.

        Raises:
            UserError: It takes neither token ids nor chat messages.
        """
        for chat in (False, True):
            if self.asked.is_chat and not chat:
                continue
            for extended in (True, False):
                if self._completes(model, chat=chat, extended=extended):
                    return chat, extended
        raise UserError(
            f"the server at {self.server.url} completes neither token ids nor chat messages with "
            f"{model}: name another server or model"
        )

    def _completes(self, model: str, *, chat: bool, extended: bool) -> bool:
        common = {"model": model, "max_tokens": 1, "temperature": 0.0}
        more = {**TOKENS, **NEUTRAL} if extended else {}
        if chat:
            body = {**common, **more, "messages": [{"role": "user", "content": "1 + 1 = ?"}]}
            return self._choice("/chat/completions", body) is not None
        choice = self._choice("/completions", {**common, **more, "prompt": [1]})
        return choice is not None and (not extended or choice.get("token_ids") is not None)

    def _choice(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The first choice of a completion; None where the request is not understood."""
        made = self._put(lambda: self.client.post(path, body=body, cast_to=dict[str, Any]))
        choices = made.get("choices") if isinstance(made, Mapping) else None
        first = choices[0] if isinstance(choices, list) and choices else None
        return first if isinstance(first, dict) else None

    def _check(self, found: Endpoint) -> None:
        """Refuse arms that the server cannot draw."""
        for need in self.asked.needs:
            if found.chat and need.plain:
                raise self._refusal(
                    need,
                    "it takes chat messages alone, and the prompt is plain text",
                    "name a server that takes token ids, or a prompt style with format: chat",
                )
            if need.logprobs:
                self._check_logprobs(found, need)
            if need.parameters and not found.extended:
                raise self._refusal(
                    need, f"it does not take {', '.join(need.parameters)}", "leave the arm out"
                )
        if found.chat and self.asked.opened:
            raise UserError(
                f"the server at {found.url} takes chat messages alone, in which prompt style "
                f"{self.asked.opened[0]} cannot begin the answer: leave its `cue` out"
            )
        if found.chat and self.asked.template and not found.extended:
            raise UserError(
                f"the server at {found.url} takes no arguments of a chat template: leave "
                "model.chat_template_kwargs out"
            )

    def _check_logprobs(self, found: Endpoint, need: Need) -> None:
        if found.chat or not found.extended:
            what = "chat messages alone" if found.chat else "no token ids back"
            raise self._refusal(
                need,
                f"it gives {what}, and CoT-decoding branches on token ids",
                "leave the arm out",
            )
        body = {"model": found.model, "prompt": [1], "max_tokens": 1, "temperature": 0.0}
        body |= {**TOKENS, **NEUTRAL, "logprobs": need.logprobs}
        choice = self._choice("/completions", body)
        tops = (choice or {}).get("logprobs") or {}
        if not tops.get("top_logprobs") or len(tops["top_logprobs"][0] or ()) < need.logprobs:
            raise self._refusal(
                need,
                f"it does not give the {need.logprobs} likeliest tokens of a step",
                _MANY_LOGPROBS.format(need.logprobs),
            )

    def _refusal(self, need: Need, reason: str, remedy: str) -> UserError:
        return UserError(
            f"the server at {self.server.url} cannot draw {need.arm}: {reason}; {remedy}"
        )
