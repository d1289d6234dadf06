"""The command line."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from distlab.runs.folder import RunFolder
from distlab.scoring.verdict_schema import VERDICTS
from distlab.view.__main__ import _hints, main
from distlab.view.access import Access
from distlab.view.app import make_app
from distlab.view.index import RunIndex
from distlab.view.samples import Filter


@pytest.fixture
def run(scored_run: Path, tmp_path: Path) -> RunFolder:
    """A copy to break."""
    shutil.copytree(scored_run, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--no-open"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    return printed.err


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for name in ("a\x1b[31m", "file"):
        assert "is not a run folder" in complaint(capsys, str(tmp_path / name), "--port", "0")


def test_a_run_that_was_scored_in_part(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), run.judging():
        raise KeyboardInterrupt
    assert "has verdicts on some samples alone" in complaint(capsys, str(run.path), "--port", "0")


def test_a_run_without_verdicts(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run.verdicts)
    said = complaint(capsys, str(run.path), "--port", "0")
    assert f"has no verdicts: run `python -m distlab.score {run.path}` first" in said
    assert "; a run that was stopped goes on with `distlab`" in said


def test_a_store_that_is_gone(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads(run.manifest_file.read_text())
    run.manifest_file.write_text(json.dumps(manifest | {"store": "/nowhere"}))
    assert "the store /nowhere has no cell" in complaint(capsys, str(run.path), "--port", "0")


def test_a_damaged_verdict_file(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    next(run.verdicts.iterdir()).write_bytes(b"PAR1")
    assert "cannot be read" in complaint(capsys, str(run.path), "--port", "0")


def rewrite(run: RunFolder, **columns: str) -> None:
    """Put one value into whole columns of the run's first verdict file."""
    file = sorted(run.verdicts.iterdir())[0]
    rows = [row | columns for row in pq.read_table(file).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=VERDICTS), file)


def test_an_unknown_verdict(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(run, verdict="maybe")
    said = complaint(capsys, str(run.path), "--port", "0")
    assert "hold the unknown verdict 'maybe'" in said


def test_verdicts_of_something_else_are_counted(run: RunFolder) -> None:
    rewrite(run, problem_id="of another run")
    page = TestClient(make_app([run.path]), base_url="http://127.0.0.1").get("/").text
    assert "verdict rows are of no cell, problem or rank of this run" in page


def test_a_verdict_file_without_a_column(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(run.verdicts.iterdir())
    pq.write_table(pq.read_table(file).drop_columns("tokens"), file)
    assert "cannot be read" in complaint(capsys, str(run.path), "--port", "0")


def test_ports(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--port is 70000" in complaint(capsys, str(run.path), "--port", "70000")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} of 127.0.0.1 cannot be had" in complaint(
            capsys, str(run.path), "--port", port
        )


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine(
    run: RunFolder, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    said = complaint(capsys, str(run.path), "--port", "0", "--host", host)
    assert f"--host is '{host}', which is no IPv4 address or name of this machine" in said


def test_where_one_looks_from_afar_a_tunnel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_CONNECTION", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    assert _hints(Access(), 8642, is_asked=False) == []
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    tunnel, address = _hints(Access(), 8642, is_asked=False)
    assert f"ssh -N -L 8642:127.0.0.1:8642 {socket.gethostname()}" in tunnel
    assert "http://127.0.0.1:8642/ there" in address
    access = Access.on("0.0.0.0")
    assert f"?token={access.token}" in _hints(access, 8642, is_asked=True)[1]


def test_it_serves_on_loopback_alone_until_it_is_stopped(scored_run: Path) -> None:
    command = [sys.executable, "-m", "distlab.view", str(scored_run), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[0]
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert answer.status == 200
            port = int(address.rstrip("/").rpartition(":")[2])
            assert listening(port) == {"0100007F"}
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()


def listening(port: int) -> set[str]:
    """Addresses (hex, as the kernel prints them) that are listened on at a port."""
    sockets = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    states = [(*fields[1].split(":"), fields[3]) for fields in sockets]
    return {host for host, local, state in states if (int(local, 16), state) == (port, "0A")}


def test_a_verdict_file_of_version_1_is_shown_with_its_deltas_as_given(run: RunFolder) -> None:
    for file in run.verdicts.iterdir():
        pq.write_table(pq.read_table(file).drop_columns("delta_given"), file)
    index = RunIndex.open(run.path)
    readings = [r for row in index.page(Filter(arm="base/cot"), 1) for r in row.readings]
    assert {r.delta_given for r in readings if r.delta is not None} == {True}
