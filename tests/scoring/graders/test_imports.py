import os
import subprocess
import sys

import pytest

ALGEBRA = ("sympy", "math_verify", "latex2sympy2_extended")

SCRIPT = """
import sys
from distlab.scoring.judging import GraderFacts
from distlab.scoring.types import ComponentSpec
from distlab.scoring.types import load_grader
from distlab.scoring.worker import _warm

algebra = sys.argv[2].split()
spec = ComponentSpec("it", "distlab.scoring.graders." + sys.argv[1])
assert GraderFacts.of(spec).cached
assert not [name for name in algebra if name in sys.modules], "asking a grader imports algebra"
list(_warm(load_grader(spec)))
print(*(name for name in algebra if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("target", "needs"),
    [("math_verify:MathVerify", ALGEBRA), ("prm800k:PRM800K", ALGEBRA[::2])],
)
def test_algebra_is_imported_by_warming_and_not_before(target: str, needs: tuple[str, ...]) -> None:
    """The driver asks graders without seconds of imports; no answer's deadline pays for them."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, target, " ".join(ALGEBRA)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(needs) <= set(done.stdout.split())
