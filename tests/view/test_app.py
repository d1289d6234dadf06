"""The answers to requests, good and bad."""

import json
import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from distlab.report.question import problems_of, samples_of
from distlab.report.questions.order import QUESTIONS
from distlab.runs.folder import RunFolder
from distlab.view.app import make_app

BASE = "fam/base/cot/d/zero-shot"


@pytest.fixture(scope="module")
def client(scored_run: Path) -> TestClient:
    return TestClient(make_app([scored_run]), base_url="http://127.0.0.1:8642")


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
    "stratum.level=5": "16",
    "stratum.level=5&arm=base%2Fcot&truncated=yes": "1",
    "order=longest": "24",
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


def ranks(page: str) -> list[str]:
    return re.findall(r'data-item href="[^"]*">#(\d+)</a>', page)


def test_lists_are_sorted_and_samples_lead_on_in_the_same_order(client: TestClient) -> None:
    query = "arm=base%2Fcot&text=plain&order="
    assert ranks(client.get(f"/samples?{query}").text) == ["0", "1", "2", "3"]
    surest = ranks(client.get(f"/samples?{query}surest").text)
    assert surest[-1] == "2"  # the one without an answer has no Delta
    page = client.get(f"/samples?{query}surest").text
    (first,) = re.findall(r'data-item href="([^"]*)">#' + surest[0], page)
    after = re.findall(r'rel="next" href="([^"]*)"', client.get(unescape(first)).text)
    assert f"rank={surest[1]}" in after[0]
    assert "order=surest" in after[0]


PROBLEM_ORDERS = {"apart": ["plain", "tricky"], "easiest": ["tricky", "plain"], "": ["tricky"]}


@pytest.mark.parametrize("order", PROBLEM_ORDERS)
def test_problems_are_sorted_by_what_arms_solve(client: TestClient, order: str) -> None:
    page = client.get(f"/problems?sorted={order}").text
    names = re.findall(r'data-item href="[^"]*">(tricky|plain)', page)
    assert names[: len(PROBLEM_ORDERS[order])] == PROBLEM_ORDERS[order]


def test_shares_are_told_apart(client: TestClient) -> None:
    page = client.get("/problems").text
    assert re.findall(r'class="number solved ([a-z-]*)">([^<]*)<', page)[2:] == [
        ("none-right", "0/4"),
        ("many", "3/4"),
    ]


def test_what_a_filter_found_is_downloaded(client: TestClient) -> None:
    answer = client.get("/download?verdict=correct&extractor=rules&grader=standard&text=plain")
    assert answer.headers["content-disposition"] == 'attachment; filename="samples.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [(row["arm"], row["rank"]) for row in rows] == [("instruct/t0.6", r) for r in (0, 1, 3)]
    assert rows[0]["text"] == r"So it is \boxed{12}."
    assert rows[0]["answers"]["rules"] == "12"
    assert rows[0]["verdicts"]["rules"]["standard"] == "correct"
    everything = client.get("/download").text.splitlines()
    assert len(everything) == 24
    assert "<script>" in json.loads(everything[0])["text"]


def test_several_runs_have_their_pages_beside_each_other(scored_run: Path) -> None:
    both = TestClient(make_app([scored_run, scored_run]), base_url="http://127.0.0.1")
    start = both.get("/").text
    assert 'href="/1/samples?arm=base%2Fcot' in start
    assert '<strong id="total">12</strong>' in both.get("/2/samples?arm=base%2Fcot").text
    problem = both.get("/1/problem?dataset=d&id=plain").text
    assert "<dt>in other runs</dt>" in problem
    assert 'href="/2/problem?dataset=d&amp;id=plain"' in problem
    assert '<a href="/">All runs</a>' in problem
    assert both.get("/samples").status_code == 404


def test_a_report_is_a_stranger_to_the_pages(client: TestClient) -> None:
    answer = client.get("/report")
    assert '<html lang="en" class="in-view">' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy
    assert '<a href="/report">Report</a>' in client.get("/samples").text


def test_the_reports_links_lead_to_samples(client: TestClient, scored_run: Path) -> None:
    (cell, _) = RunFolder(scored_run).read_manifest().cells
    addresses = [question.samples for question in QUESTIONS]
    addresses += [problems_of(cell, solved="some"), samples_of(cell, truncated="yes")]
    totals = {
        address: re.search(r'id="total">(\d+)', client.get(f"/{address}").text)
        for address in addresses
    }
    assert all(totals.values())
    last = totals[samples_of(cell, truncated="yes")]
    assert last is not None
    assert last[1] == "2"


BAD = {
    "/samples?arm=base%2Fgreedy": (
        400,
        "arm is &#39;base/greedy&#39;, which the run does not have",
    ),
    "/samples?verdict=%1b[31m": (400, r"verdict is &#39;\x1b[31m&#39;"),
    "/samples?order=tallest": (400, "order is &#39;tallest&#39;"),
    "/samples?stratum.level=9": (400, "stratum.level is &#39;9&#39;"),
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
    assert 'title="of the chat template">&lt;|system|&gt;</span>Be brief.' in prompt


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
    client = TestClient(make_app([run.path]), base_url="http://127.0.0.1")
    shutil.rmtree(store)
    answer = client.get("/problem?dataset=d&id=plain")
    assert answer.status_code == 500
    assert "cannot be read" in answer.text
    assert client.get("/samples").status_code == 200
