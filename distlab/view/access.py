"""Who may look: names that the server answers to, and a token where others could reach it."""

import hashlib
import hmac
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import psutil
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = "127.0.0.1"
_LOCAL: Final = (LOOPBACK, "localhost")
_ANY: Final = "0.0.0.0"
_PARAMETER: Final = "token"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may look.

    Attributes:
        host: The address that is listened on.
        names: Hosts that a request may name: a name that an attacker's DNS points at this machine
            is none of them.
        token: What a request has to know; None asks for nothing.
    """

    host: str = LOOPBACK
    names: tuple[str, ...] = _LOCAL
    token: str | None = None

    @classmethod
    def on(cls, host: str) -> "Access":
        """Access over an address that others may reach, with a fresh token."""
        names = (*_LOCAL, *(_own_names() if host == _ANY else [host]))
        return cls(host, tuple(dict.fromkeys(names)), secrets.token_urlsafe(24))

    @property
    def reached(self) -> str:
        """A host that this machine reaches it by."""
        return LOOPBACK if self.host == _ANY else self.host

    def address(self, host: str, port: int) -> str:
        """What to open in a browser; it holds the token."""
        query = f"?{urlencode({_PARAMETER: self.token})}" if self.token else ""
        return f"http://{host}:{port}/{query}"


class TokenGuard:
    """Answers nobody who does not know the token.

    The first address that is opened holds it. The answer takes it into a cookie and leads to the
    same address without it, so that no address that people pass on holds it.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token
        # Cookies are for all ports of a host: two views side by side have one each.
        self._cookie = f"distlab-{hashlib.sha256((token or '').encode()).hexdigest()[:12]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, let it in, or refuse it."""
        request = Request(scope)
        if self._token is None or self._is_same(request.cookies.get(self._cookie, "")):
            await self._app(scope, receive, send)
            return
        given = self._is_same(request.query_params.get(_PARAMETER, ""))
        answer = self._let_in(request) if given else _REFUSED
        await answer(scope, receive, send)

    def _is_same(self, given: str) -> bool:
        wanted = (self._token or "").encode()
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted)

    def _let_in(self, request: Request) -> Response:
        rest = [(k, v) for k, v in request.query_params.multi_items() if k != _PARAMETER]
        query = f"?{QueryParams(rest)}" if rest else ""
        # Never to another host, whatever the path begins with.
        answer = RedirectResponse(f"/{request.url.path.lstrip('/')}{query}", status_code=303)
        answer.set_cookie(self._cookie, self._token or "", httponly=True, samesite="lax")
        return answer


_REFUSED: Final = PlainTextResponse(
    "This view asks for a token: open the address that `distlab view` printed.", status_code=403
)


def _own_names() -> Iterable[str]:
    """Names and addresses of this machine."""
    yield socket.gethostname()
    yield socket.getfqdn()
    for addresses in psutil.net_if_addrs().values():
        yield from (one.address for one in addresses if one.family == socket.AF_INET)
