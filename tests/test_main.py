"""The ``distlab`` command beside ``python -m distlab.NAME``."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from distlab import __version__
from distlab.__main__ import main
from distlab.console.commands import COMMANDS

REPO = Path(__file__).parents[1]
SCRIPT = Path(sys.executable).with_name("distlab")
# A grader that is nowhere but in the folder in which a command is typed.
GRADER = """
from distlab.scoring.graders.standard import Standard

class Mine(Standard):
    name = "mine"
"""


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )


def distlab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return call(folder, str(SCRIPT), *words)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_both_names_of_a_command_say_the_same(command: str, tmp_path: Path) -> None:
    short = distlab(tmp_path, command, "--help")
    long = call(tmp_path, sys.executable, "-m", f"distlab.{command}", "--help")
    assert (short.returncode, long.returncode) == (0, 0), short.stderr + long.stderr
    assert short.stdout == long.stdout
    assert distlab(tmp_path, command, "--no-such-option").returncode == 2


def test_both_names_import_from_the_folder_they_are_typed_in(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GRADER)
    plan = ("grader.use.standard.target=mine:Mine", "--no-prompts")
    for words in (("distlab.plan",), ("distlab", "plan")):
        done = call(tmp_path, sys.executable, "-m", *words, *plan)
        assert done.returncode == 0, done.stderr
    done = distlab(tmp_path, "plan", *plan)
    assert done.returncode == 0, done.stderr
    absent = distlab(tmp_path, "plan", "grader.use.standard.target=thine:Mine")
    assert (absent.returncode, absent.stderr.count("\n")) == (2, 1)


def test_hydras_habits_hold(tmp_path: Path) -> None:
    shown = distlab(tmp_path, "run", "--cfg", "job", "seed=7")
    assert shown.returncode == 0
    assert "\nseed: 7\n" in shown.stdout
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "mine.yaml").write_text("defaults: [smollm2-135m]\nname: mine\n")
    own = distlab(tmp_path, "run", "--config-dir", "conf", "--cfg", "job", "model=mine")
    assert own.returncode == 0, own.stderr
    assert "  name: mine\n" in own.stdout
    sweep = distlab(tmp_path, "run", "-m", "seed=0,1", "decoding.n=0")
    assert sweep.returncode == 2
    assert sweep.stderr == "distlab: job 0 (seed=0): `decoding.n` is 0: set it to 1 or more\n"


def test_bad_input_leaves_no_folder_and_a_home_folder_is_meant(tmp_path: Path) -> None:
    done = distlab(tmp_path, "run", "runs='~/ru'", "decoding.n=0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "distlab: `decoding.n` is 0: set it to 1 or more\n"
    assert not list(tmp_path.iterdir())


def test_the_version_and_the_commands(tmp_path: Path) -> None:
    assert distlab(tmp_path, "--version").stdout.startswith(f"distlab {__version__}")
    helped = distlab(tmp_path, "--help")
    assert helped.returncode == 0
    assert helped.stdout == distlab(tmp_path).stdout
    assert all(f"  distlab {command}" in helped.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("scroe", "score or store or compare"),
        ("verify", "`distlab store verify`"),
        ("slurm", "`distlab jobs slurm`"),
    ],
)
def test_an_unknown_command_names_the_nearest(name: str, meant: str, tmp_path: Path) -> None:
    done = distlab(tmp_path, name, "runs/x")
    assert done.returncode == 2
    assert done.stderr == f"distlab: there is no command '{name}'; did you mean {meant}?\n"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("store verfy", "did you mean verify?"), ("jobs slrm", "did you mean slurm?")],
)
def test_an_unknown_subcommand_names_the_nearest(name: str, meant: str, tmp_path: Path) -> None:
    done = distlab(tmp_path, *name.split(), "x")
    assert done.returncode == 2
    assert done.stderr == f"distlab: there is no command 'distlab {name}'; {meant}\n"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_says_its_version(command: str, tmp_path: Path) -> None:
    done = distlab(tmp_path, command, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == distlab(tmp_path, "--version").stdout


def test_what_may_be_left_out_is_not_called_required(tmp_path: Path) -> None:
    assert distlab(tmp_path, "score").stderr.endswith("arguments are required: RUN\n")


def test_ctrl_c_while_a_command_loads_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["distlab", "plan"])
    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert main() == 128 + signal.SIGINT
    assert capsys.readouterr() == ("stopped\n", "")


@pytest.mark.parametrize("words", [(sys.executable, "-m", "distlab.status"), (str(SCRIPT),)])
def test_ctrl_c_while_python_loads_ends_it_without_a_word(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    # What every command imports first; exceptions are dropped while an object is finalised.
    (tmp_path / "argparse.py").write_text(
        "import os, sys, time\nclass Slow:\n    def __del__(self):\n"
        "        os.write(1, b'loading')\n        time.sleep(100)\nSlow()\nsys.exit(7)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(REPO)])
    with subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": path}, stdout=-1, stderr=-1
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(7) == b"loading"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == -signal.SIGINT


def test_run_and_view_load_what_is_slow_within_their_frame(tmp_path: Path) -> None:
    """Ctrl-C while it loads must end in a sentence under ``python -m`` too."""
    script = (
        "import sys, distlab.run, distlab.view.__main__;"
        "print(*{'hydra', 'uvicorn', 'starlette', 'duckdb', 'pyarrow'} & sys.modules.keys())"
    )
    done = call(tmp_path, sys.executable, "-c", script)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
