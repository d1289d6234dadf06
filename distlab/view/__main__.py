"""``distlab view RUN``: look at a run's samples in a browser."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Final

from distlab.console.exits import Exit
from distlab.console.main import Command, path
from distlab.errors import UserError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PORT: Final = 8642


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab view",
        description="Look at a run's samples in a browser. Listens on this machine alone.",
    )
    parser.add_argument("run", type=path, metavar="RUN", help="a run folder, as in runs/NAME")
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"port to listen on, 0 for any (default: {PORT})"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    return parser


def _view(arguments: argparse.Namespace) -> int:
    """Serve a run to this machine's browser until a signal comes."""
    # Imported late: --help and completion should not wait for a server.
    from distlab.view.app import HOST, make_app

    with _listen(arguments.port) as listener:
        app = make_app(arguments.run)
        address = f"http://{HOST}:{listener.getsockname()[1]}/"
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        if not arguments.no_open:
            _open(address)
        _serve(app, listener)
    return Exit.DONE


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UserError(f"--port is {port}: give a number from 0 to 65535")
    from distlab.view.app import HOST

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # From here on a browser that is early waits instead of being refused.
        listener.listen()
    except OSError as error:
        listener.close()
        raise UserError(
            f"port {port} cannot be had ({error.strerror}): give another --port, or 0 for any"
        ) from error
    return listener


def _open(address: str) -> None:
    """Open a browser that has a window; one of the terminal would take it over."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _serve(app: ASGIApp, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        # Addresses hold model text: none of it goes to the terminal.
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


main: Final = Command(_parser, _view)

if __name__ == "__main__":
    sys.exit(main())
