"""Types see Arrow, Ray and our own records: mypy rejects their misuse."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MISUSES = Path(__file__).with_name("misuses.py")
MARK = re.compile(r"  # rejected: ([a-z-]+)$")
ERROR = re.compile(r"^[^:]+:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)


def marked() -> list[tuple[int, str]]:
    """Line and mypy's code of every misuse."""
    lines = MISUSES.read_text(encoding="utf-8").splitlines()
    found = ((number, MARK.search(line)) for number, line in enumerate(lines, start=1))
    return [(number, mark[1]) for number, mark in found if mark]


# With nothing in the cache of mypy, which `make check` fills, this takes 80 s of CPU time.
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_mypy_rejects_each_misuse_and_nothing_else() -> None:
    assert len(marked()) >= 10
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(MISUSES.relative_to(ROOT))],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    rejected = [(int(line), code) for line, code in ERROR.findall(done.stdout)]
    assert rejected == marked(), done.stdout + done.stderr
