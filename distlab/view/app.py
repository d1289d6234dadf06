"""The application: routes, and what keeps other sites and model text out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from distlab.errors import UserError
from distlab.runs.folder import RunFolder
from distlab.view.access import Access, TokenGuard
from distlab.view.links import ServerLinks
from distlab.view.pages import OpenRun, Pages, environment
from distlab.view.reports import SERVED_POLICY, served_report

ASSETS: Final = Path(__file__).parent / "static"
# Nothing but our own files; no script inside a page, whatever a text holds. What is copied is asked
# for with a script of our own.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A run is scored again under the same address.
    "Cache-Control": "no-store",
}


class _Guards:
    """Adds the headers to every answer; one that has a policy of its own keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded_send)


def make_app(
    runs: Sequence[Path], access: Access | None = None, store: str | None = None
) -> Starlette:
    """Read runs and make their application.

    Args:
        runs: Run folders. One has its pages at the root; of several, each has them under its place,
            from 1.
        access: Who may look; None for this machine alone.
        store: Where the samples are; None for where the runs say, or beside them.

    Raises:
        UserError: One is no run folder, has no verdicts, its store is gone, or a file is damaged.
    """
    access = access or Access()
    roots = ["" if len(runs) == 1 else f"/{place}" for place in range(1, len(runs) + 1)]
    opened = [
        OpenRun.open(run, ServerLinks(root, RunFolder(run).html.is_file()), store)
        for run, root in zip(runs, roots, strict=True)
    ]
    routes = [
        route
        for run, one in zip(runs, opened, strict=True)
        for route in _routes(one, [other for other in opened if other is not one], run)
    ]
    if len(runs) > 1:
        routes.append(Route("/", _start(opened), methods=["GET"]))
    return Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=ASSETS))],
        middleware=[
            Middleware(_Guards),
            # A name that an attacker's DNS points at this machine is not one of ours.
            Middleware(TrustedHostMiddleware, allowed_hosts=list(access.names), www_redirect=False),
            Middleware(TokenGuard, token=access.token),
        ],
        exception_handlers={HTTPException: _complaint},
    )


def _routes(run: OpenRun, others: Sequence[OpenRun], folder: Path) -> list[BaseRoute]:
    pages = Pages(run, others)
    named: dict[str, Callable[[QueryParams], Response]] = {
        "overview": pages.overview,
        "samples": pages.samples,
        "problems": pages.problems,
        "problem": pages.problem,
        "sample": pages.sample,
        "text": pages.text,
        "download": pages.download,
    }
    if path := run.links.page("report"):
        return [Route(path, _report(folder), methods=["GET"]), *_pages(run, named)]
    return _pages(run, named)


def _pages(run: OpenRun, named: dict[str, Callable[[QueryParams], Response]]) -> list[BaseRoute]:
    return [
        Route(run.links.page(name), _guarded(page), methods=["GET"]) for name, page in named.items()
    ]


def _guarded(page: Callable[[QueryParams], Response]) -> Callable[[Request], Response]:
    """A page whose bad input is a sentence with a status, not a traceback."""

    def answer(request: Request) -> Response:
        try:
            return page(request.query_params)
        except UserError as error:
            raise HTTPException(500, f"{error}.") from error

    return answer


def _report(folder: Path) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            page = served_report(RunFolder(folder).html)
        except OSError as error:
            raise HTTPException(404, f"The report cannot be read: {error.strerror}.") from error
        return HTMLResponse(page, headers={"Content-Security-Policy": SERVED_POLICY})

    return answer


def _start(runs: Sequence[OpenRun]) -> Callable[[Request], Response]:
    """The page of several runs: what each has."""

    def answer(request: Request) -> Response:
        counted = [(run, run.index.cell_counts()) for run in runs]
        page = environment(ServerLinks()).get_template("runs.html")
        return HTMLResponse(page.render(run="distlab", counted=counted))

    return answer


def _complaint(request: Request, error: Exception) -> Response:
    """What is wrong with a request, in one sentence."""
    status, sentence = 500, str(error)
    if isinstance(error, HTTPException):
        status, sentence = error.status_code, error.detail
    page = environment(ServerLinks()).get_template("complaint.html")
    return HTMLResponse(page.render(run="distlab", status=status, sentence=sentence), status)
