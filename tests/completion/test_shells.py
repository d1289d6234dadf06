"""The printed scripts, in real shells on a terminal."""

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
WAIT_S = 120.0
# Ctrl-X writes the line under the cursor to a file.
SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        """bind -x '"\\C-x": printf %s "$READLINE_LINE" > line'""",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; "
        "write() { print -rn -- $BUFFER > line }; zle -N write; bindkey '^X' write",
    ),
}
Complete = Callable[[str], str]


@pytest.fixture(params=SHELLS, scope="module")
def complete(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Complete]:
    """Types a line and Tab into a shell, and reads what became of it."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"no {name} on PATH: install Debian's package {name}")
    folder = tmp_path_factory.mktemp(name)
    (folder / "runs" / "20260101-one").mkdir(parents=True)
    (folder / "runs" / "20260101-one" / "manifest.json").touch()
    command, setting = SHELLS[name]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    terminal, end = pty.openpty()
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(REPO), "TERM": "dumb"},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    ) as shell:
        os.close(end)
        os.write(terminal, f'{setting}; eval "$(distlab completion {name})"; touch up\n'.encode())
        awaited(folder / "up")

        def typed(line: str) -> str:
            (folder / "line").unlink(missing_ok=True)
            # Ctrl-U clears what was there.
            os.write(terminal, f"\x15{line}\t\x18".encode())
            return awaited(folder / "line")

        yield typed
        shell.kill()
        os.close(terminal)


def awaited(file: Path) -> str:
    deadline = time.monotonic() + WAIT_S
    while not file.exists():
        assert time.monotonic() < deadline, f"no {file.name}"
        time.sleep(0.05)
    time.sleep(0.1)  # from opened to written
    return file.read_text()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("distlab sco", "distlab score "),
        ("distlab store ver", "distlab store verify "),
        ("distlab plan --pro", "distlab plan --pro"),
        ("distlab plan --probl", "distlab plan --problem "),
        ("distlab view ru", "distlab view runs/20260101-one "),
        ("distlab run dataset.lim", "distlab run dataset.limit="),
        ("distlab run model=kim", "distlab run model=kimi-k2 "),
        ("distlab run seed=1 cluster=h20", "distlab run seed=1 cluster=h200-1x8 "),
        ("distlab run model=qwen3", "distlab run model=qwen3-"),
    ],
)
def test_a_tab_completes(complete: Complete, line: str, completed: str) -> None:
    assert complete(line) == completed
