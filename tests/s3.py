"""A real S3 server on loopback (moto's), behind a door that a test can shut."""

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON = Path(sys.executable).parent.parent / ".s3" / "bin" / "python"
BUCKET = "study"


class Door:
    """Passes connections on to a port; while it is shut, nothing answers and all are cut."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = _listener(0)
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self.refused = 0
        self._accept()

    def shut(self) -> None:
        """Refuse new connections and cut those there are."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        """Answer again, on the same port."""
        self._listener = _listener(self.port)
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self._to)) as server,
            selectors.DefaultSelector() as ready,
        ):
            self._open |= {client, server}
            other = {client: server, server: client}
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    if not (data := source.recv(1 << 16)):
                        return
                    other[source].sendall(data)


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


@contextlib.contextmanager
def s3_server(log: Path, *, signed: bool = False) -> Iterator[Door]:
    """The server with an empty bucket, and what a client needs in the environment.

    Args:
        log: What the server prints.
        signed: Refuse requests without known credentials, as Amazon does.
    """
    if not PYTHON.exists():
        pytest.skip("the S3 server of the tests is not installed: `make test` installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The bucket is made before signatures count.
    environment = {**os.environ, **({"INITIAL_NO_AUTH_ACTION_COUNT": "1"} if signed else {})}
    command = [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stdout=sink, stderr=sink, env=environment)
    try:
        _make_bucket(f"http://127.0.0.1:{port}/{BUCKET}")
        door = Door(port)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{door.port}")
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            yield door
        door.shut()
    finally:
        server.terminate()
        server.wait()


def _make_bucket(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"no S3 server answers at {url}"
            time.sleep(0.2)
