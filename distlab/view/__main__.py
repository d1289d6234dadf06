"""``distlab view RUN``: look at a run's samples in a browser."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Final

from distlab.console.exits import Exit
from distlab.console.main import Command, add_store, path
from distlab.errors import UserError
from distlab.escape import plain

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from distlab.view.access import Access

PORT: Final = 8642
# Megabytes of a site of files (ours): what a space of the Hub takes without a thought.
_MEGABYTES: Final = 100
_DESCRIPTION: Final = """\
Look at the samples of runs in a browser. Listens on this machine alone, unless --host says
otherwise: then every request needs the token that is printed. What travels is not encrypted; on a
network that others share, ssh -L is the better way. --static writes pages as files instead."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="distlab view", description=_DESCRIPTION)
    parser.add_argument(
        "runs", type=path, nargs="+", metavar="RUN", help="run folders, as in runs/NAME"
    )
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"port to listen on, 0 for any (default: {PORT})"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--host",
        help="address to listen on, as in 0.0.0.0 for all of this machine's; asks for a token, "
        "also on 127.0.0.1, which other users of a machine reach",
    )
    parser.add_argument(
        "--static",
        type=path,
        metavar="DIR",
        help="write the pages of one run into a new folder, for any web server or the Hub",
    )
    parser.add_argument(
        "--megabytes",
        type=int,
        default=_MEGABYTES,
        metavar="MB",
        help="size of what --static writes: as many problems as fit, drawn by a hash of their "
        f"names (default: {_MEGABYTES})",
    )
    add_store(parser)
    return parser


def _view(arguments: argparse.Namespace) -> int:
    """Write pages, or serve them until a signal comes."""
    if arguments.static is not None:
        return _write(arguments)
    # Imported late: --help and completion should not wait for a server.
    from distlab.view.access import Access
    from distlab.view.app import make_app

    access = Access() if arguments.host is None else Access.on(arguments.host)
    with _listen(arguments.port, access.host) as listener:
        app = make_app(arguments.runs, access, arguments.store)
        port = listener.getsockname()[1]
        address = access.address(access.reached, port)
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        for line in _hints(access, port, arguments.host is not None):
            print(line, flush=True)
        if not arguments.no_open:
            _open(address)
        _serve(app, listener)
    return Exit.DONE


def _write(arguments: argparse.Namespace) -> int:
    from distlab.view.site import write_site

    runs, megabytes = arguments.runs, arguments.megabytes
    if len(runs) > 1:
        raise UserError(f"--static writes the pages of one run: {len(runs)} are named")
    if megabytes < 1:
        raise UserError(f"--megabytes is {megabytes}: give a whole number from 1")
    site = write_site(runs[0], arguments.static, megabytes * 10**6, arguments.store)
    print(
        f"{plain(str(site.folder), None)}: {site.problems:,} of {site.of:,} problems, drawn by a "
        f"hash of their names, each with all of its samples; {site.size / 10**6:.1f} MB. Begin at "
        "index.html."
    )
    return Exit.DONE


def _hints(access: Access, port: int, is_asked: bool) -> list[str]:
    """How to look from another machine, where this one is likely far away."""
    if not (is_asked or os.environ.get("SSH_CONNECTION") or os.environ.get("SLURM_JOB_ID")):
        return []
    host = socket.gethostname()
    return [
        f"From another machine: ssh -N -L {port}:{access.reached}:{port} {host}",
        f"and open {access.address('127.0.0.1', port)} there.",
    ]


def _listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    if not 0 <= port <= 65535:
        raise UserError(f"--port is {port}: give a number from 0 to 65535")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on a browser that is early waits instead of being refused.
        listener.listen()
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UserError(
                f"--host is {host!r}, which is no IPv4 address or name of this machine: give one, "
                "or 0.0.0.0 for all of them"
            ) from error
        raise UserError(
            f"port {port} of {host} cannot be had ({error.strerror}): give another --port, or 0 "
            "for any"
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
