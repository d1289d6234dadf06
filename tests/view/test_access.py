"""Who may look."""

import socket
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from distlab.view.access import Access
from distlab.view.app import make_app

PATHS = ("/", "/samples", "/text", "/download", "/static/style.css", "/nowhere")


@pytest.fixture(scope="module")
def access() -> Access:
    return Access.on("0.0.0.0")


@pytest.fixture
def client(scored_run: Path, access: Access) -> TestClient:
    return TestClient(
        make_app([scored_run], access), base_url="http://127.0.0.1:8642", follow_redirects=False
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=%ff%00"])
def test_nobody_looks_without_the_token(client: TestClient, path: str, query: str) -> None:
    answer = client.get(path + query)
    assert answer.status_code == 403
    assert "open the address that `distlab view` printed" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_token_is_taken_into_a_cookie_and_out_of_the_address(
    client: TestClient, access: Access
) -> None:
    answer = client.get(f"/samples?verdict=correct&token={access.token}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/samples?verdict=correct"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/samples?verdict=correct").status_code == 200


def test_the_token_leads_to_no_other_host(client: TestClient, access: Access) -> None:
    answer = client.get(f"http://127.0.0.1:8642//evil.example/?token={access.token}")
    assert answer.headers["location"] == "/evil.example/"


def test_names_are_checked_with_a_token_too(client: TestClient, access: Access) -> None:
    known = client.get(f"/?token={access.token}", headers={"Host": socket.gethostname()})
    assert known.status_code == 303
    stranger = client.get(f"/?token={access.token}", headers={"Host": "evil.example"})
    assert stranger.status_code == 400


def test_tokens_are_long_and_new_each_time() -> None:
    tokens = {Access.on("127.0.0.1").token for _ in range(3)}
    assert len(tokens) == 3
    assert min(len(token or "") for token in tokens) >= 32
    assert Access().token is None
