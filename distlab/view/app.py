"""The application: routes, and what keeps other sites and model text out."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from distlab.view.first_tokens import FirstTokenTexts
from distlab.view.index import RunIndex
from distlab.view.pages import Pages, guarded
from distlab.view.texts import Texts

HOST: Final = "127.0.0.1"
_STATIC: Final = Path(__file__).parent / "static"
_HEADERS: Final = {
    # Nothing but our own files; no script inside a page, whatever a text holds.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A run is scored again under the same address.
    "Cache-Control": "no-store",
}


class _Guards:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, guarded_send)


def make_app(run: Path) -> Starlette:
    """Read a run and make its application.

    Raises:
        UserError: It is no run folder, has no verdicts, its store is gone, or a file is damaged.
    """
    index = RunIndex.open(run)
    pages = Pages(index, Texts.open(index.manifest), FirstTokenTexts.open(index.manifest))
    routes: dict[str, Callable[[Request], Response]] = {
        "/": pages.overview,
        "/samples": pages.samples,
        "/problems": pages.problems,
        "/problem": pages.problem,
        "/sample": pages.sample,
        "/text": pages.text,
    }
    return Starlette(
        routes=[
            *(Route(path, guarded(page), methods=["GET"]) for path, page in routes.items()),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[
            Middleware(_Guards),
            # A name that an attacker's DNS points at this machine is not one of ours.
            Middleware(
                TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"], www_redirect=False
            ),
        ],
        exception_handlers={HTTPException: pages.complaint},
    )
