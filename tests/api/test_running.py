"""`dl.run`. A study that draws is in tests/test_run.py."""

import signal
import sys
from pathlib import Path

import pytest

import distlab as dl
from distlab.api import running


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_bad_input_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    for words, said in (
        (["model=nope"], "nope"),
        (["-m", "seed=1,2"], "'-m' is an option of `distlab run`"),
        (["store=s3://key:secret@bucket"], "store"),
    ):
        with pytest.raises(dl.UserError, match=said):
            dl.run(words)
    assert list(tmp_path.iterdir()) == []


def test_what_the_command_says_is_printed_and_what_it_complains_of_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    child = "import sys; print('loading'); sys.stdout.flush(); sys.exit(complain('no file'))"
    script = f"from distlab.console.main import complain; {child}"
    assert running._printed([sys.executable, "-c", script]) == (2, "no file")
    assert capsys.readouterr().out == "loading\ndistlab: no file\n"


def test_each_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [running._made_new(tmp_path / "a" / "now").name for _ in range(3)]
    assert names == ["now", "now-2", "now-3"]


def test_an_interrupt_is_passed_on_and_waited_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    child = (
        "import os, signal, sys, time\n"
        "def stop(*_): print('committed', flush=True); sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "time.sleep(60)\n"
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            running._printed([sys.executable, "-c", child])
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().out == "committed\n"
