"""A stand-in of the hub's HTTP interface: it takes commits and keeps their files."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Hub:
    """What was asked of it.

    Attributes:
        url: Its address.
        created: Bodies of the requests that make repositories.
        files: Path to content of what was committed.
        tokens: What requests were authorised with.
        refuses: Answer with 403.
    """

    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str | None] = field(default_factory=set)
    refuses: bool = False


@contextmanager
def standing_in() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, body: object, status: int = 200) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self._answer({"id": "org/name", "sha": "0" * 40, "siblings": [], "private": True})

        def do_POST(self) -> None:
            hub.tokens.add(self.headers["Authorization"])
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if hub.refuses:
                self._answer({"error": "You are not allowed"}, 403)
            elif self.path == "/api/repos/create":
                hub.created.append(json.loads(data))
                self._answer({"url": f"{hub.url}/datasets/org/name", "id": "org/name"})
            elif self.path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                asked = json.loads(data)["files"]
                plain = [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in asked
                ]
                self._answer({"files": plain})
            else:
                for line in map(json.loads, data.splitlines()):
                    if line["key"] == "file":
                        value = line["value"]
                        hub.files[value["path"]] = base64.b64decode(value["content"])
                url = f"{hub.url}/datasets/org/name/commit/1"
                self._answer({"commitUrl": url, "commitOid": "1" * 40, "success": True})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
