"""What a command imports is what its user waits for: seconds each for these."""

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("ray", "vllm", "torch", "transformers", "scipy", "sympy", "matplotlib", "pandas")
SCRIPT = """
import runpy
import sys

module, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = module
try:
    runpy.run_module(module, run_name="__main__", alter_sys=False)
except SystemExit as done:
    assert not done.code, done
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported(*arguments: str) -> set[str]:
    """Packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
    said, _, names = done.stdout.rpartition("imported: ")
    assert said.strip(), "the command said nothing"
    return set(names.split())


@pytest.mark.parametrize("module", ["run", "plan", "score", "report"])
def test_help_imports_nothing_slow(module: str) -> None:
    """Ray Data is what `score` runs on, and scipy what `report` computes with."""
    allowed = {"score": {"ray", "scipy"}, "report": {"scipy"}}.get(module, set())
    assert imported(f"distlab.{module}", "--help") & set(SLOW) <= allowed


def test_a_plan_imports_nothing_slow(tmp_path: Path) -> None:
    plan = ("distlab.plan", f"store={tmp_path}")
    # The first plan of a checkpoint may read its tokenizer with transformers.
    imported(*plan)
    assert not imported(*plan) & set(SLOW)
