"""The command line that was typed."""

import shlex
import sys


def resume_command() -> str:
    """What to type to go on."""
    return shlex.join(["python", "-m", "distlab.run", *sys.argv[1:]])
