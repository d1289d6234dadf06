"""The answers to requests, good and bad."""

import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from distlab.runs.folder import RunFolder
from distlab.view.app import make_app

BASE = "fam/base/cot/d/zero-shot"


@pytest.fixture(scope="module")
def client(scored_run: Path) -> TestClient:
    return TestClient(make_app(scored_run), base_url="http://127.0.0.1:8642")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", ""]
)
def test_names_that_are_not_this_machine_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/samples", headers={"Host": host})
    assert answer.status_code == 400
    assert "sample" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "localhost:8642"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/samples", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/samples?page=9", "/nowhere", "/static/style.css", "/text"])
def test_every_answer_forbids_all_but_our_own_files(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_nothing_can_be_written(client: TestClient) -> None:
    assert {client.request(verb, "/samples").status_code for verb in ("POST", "PUT")} == {405}


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"]
)
def test_only_our_own_files_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


TOTALS = {
    "": "24",
    "arm=base%2Fcot": "12",
    "family=fam": "24",
    "dataset=d&prompt=zero-shot": "24",
    "text=TIMES": "8",
    "verdict=correct&arm=base%2Fcot&text=plain": "0",
    "verdict=no_answer&text=plain": "1",
    "truncated=yes": "4",
    "truncated=no": "20",
    "disagree=extractors": "2",
    "disagree=graders": "0",
    "verdict=correct&extractor=uncut&text=tricky": "4",
    "verdict=correct&extractor=rules&grader=prm800k&text=tricky": "6",
}


@pytest.mark.parametrize("query", TOTALS)
def test_filters(client: TestClient, query: str) -> None:
    page = client.get(f"/samples?{query}").text
    assert f'<strong id="total">{TOTALS[query]}</strong>' in page


SOLVED = {"": 2, "some": 1, "all": 1, "none": 0}


@pytest.mark.parametrize("how", SOLVED)
def test_problems_by_what_arms_solve(client: TestClient, how: str) -> None:
    page = client.get(f"/problems?solved={how}").text
    assert f'<strong id="total">{SOLVED[how]}</strong>' in page


BAD = {
    "/samples?arm=base%2Fgreedy": (
        400,
        "arm is &#39;base/greedy&#39;, which the run does not have",
    ),
    "/samples?verdict=%1b[31m": (400, r"verdict is &#39;\x1b[31m&#39;"),
    "/samples?page=2": (404, "There is no page &#39;2&#39;: there are 1."),
    "/samples?page=-1": (404, "There is no page"),
    "/samples?page=1e9": (404, "There is no page"),
    "/samples?page=%F0%9D%9F%99": (404, "There is no page"),
    "/problem?dataset=d&id=<script>": (404, "has no problem &#39;&lt;script&gt;&#39; in dataset"),
    "/problem?dataset=d&id=plain&left=x": (400, "left is &#39;x&#39;"),
    f"/sample?cell={BASE}&problem=plain": (400, "rank is &#39;&#39;: give a whole number from 0."),
    f"/sample?cell={BASE}&problem=plain&rank=99": (404, "The run has no sample of rank 99"),
    "/sample?cell=x&problem=plain&rank=0": (404, "The run has no sample of rank 0"),
    f"/sample?cell={BASE}&problem=plain&rank=0&part=2": (404, "There is no part &#39;2&#39;"),
    "/nowhere": (404, "Not Found"),
}


@pytest.mark.parametrize("path", BAD)
def test_bad_requests_are_one_sentence(client: TestClient, path: str) -> None:
    status, sentence = BAD[path]
    answer = client.get(path)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "<script>" not in answer.text.partition("<main")[2].partition("</main")[0]


def test_a_text_is_had_as_it_is_and_as_a_file(client: TestClient) -> None:
    query = urlencode({"cell": BASE, "problem": "tricky/1&<b>", "rank": 1})
    answer = client.get(f"/text?{query}")
    assert answer.text.startswith("\x1b[31mred")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_sample_shows_its_prompt_turn_by_turn_and_obeys_none(client: TestClient) -> None:
    query = urlencode(
        {"cell": "fam/instruct/t0.6/d/zero-shot", "problem": "tricky/1&<b>", "rank": 0}
    )
    shown = client.get(f"/sample?{query}").text.partition("<summary>Prompt")[2]
    prompt = shown.partition("</details>")[0]
    assert "<h3>system</h3>" in prompt
    assert "<h3>user</h3>" in prompt
    assert prompt.count("&lt;script&gt;") == 4
    assert "<script" not in prompt
    assert "\u202e" not in prompt
    assert "&lt;|system|&gt;Be brief." in prompt


def test_a_sample_without_a_kept_prompt_says_so(client: TestClient) -> None:
    query = urlencode({"cell": BASE, "problem": "plain", "rank": 0})
    assert "The store keeps no prompt of this sample" in client.get(f"/sample?{query}").text


def test_a_problem_can_show_two_cells_of_ones_own_choice(client: TestClient) -> None:
    answer = client.get(f"/problem?dataset=d&id=plain&left={BASE}&right={BASE}")
    assert answer.text.count("<section") == 1
    assert "instruct/t0.6 <small>" not in answer.text


def test_a_store_that_goes_while_it_is_looked_at_is_one_sentence(
    scored_run: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    shutil.copytree(scored_run, run.path)
    manifest = run.read_manifest()
    store = tmp_path / "store"
    shutil.copytree(manifest.store, store)
    run.manifest_file.write_text(run.manifest_file.read_text().replace(manifest.store, str(store)))
    client = TestClient(make_app(run.path), base_url="http://127.0.0.1")
    shutil.rmtree(store)
    answer = client.get("/problem?dataset=d&id=plain")
    assert answer.status_code == 500
    assert "cannot be read" in answer.text
    assert client.get("/samples").status_code == 200
