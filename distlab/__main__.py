"""The ``distlab`` command; ``distlab NAME`` is ``python -m distlab.NAME``."""

import importlib
import sys
from collections.abc import Mapping
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import as_process
from distlab.errors import UserError, nearest

COMMANDS: Final[Mapping[str, str]] = {
    "run": "sample, score and report a study (Hydra overrides; --help shows them)",
    "plan": "say what a run would do, without an engine (the same overrides)",
    "score": "extract and grade a run's samples again",
    "report": "rebuild a run's report",
    "jobs": "run a study on a Ray cluster, SLURM or Kubernetes: jobs ray|slurm|kuberay",
    "view": "look at a run's samples in a browser",
    "compare": "put runs side by side, paired by problem",
    "status": "what a store, run or sweep has, lacks and failed at",
    "store": "find leftovers in a store, verify it, export it (gc, verify, export)",
    "ingest": "make a run of samples that you already have",
    "list": "models, datasets, prompts and whatever else there is to choose from",
    "completion": "print what makes bash or zsh complete commands, options and overrides",
}


def main() -> int:
    """Hand over to the named command; returns its exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        return as_process(lambda: _without_command(name))
    # The command must see its own arguments: Hydra reads sys.argv.
    sys.argv = [f"distlab {name}", *sys.argv[2:]]
    return int(importlib.import_module(module_of(name)).main())


def module_of(command: str) -> str:
    """The module whose ``main`` is a command."""
    return f"distlab.{command}" if command in ("run", "score") else f"distlab.{command}.__main__"


def _without_command(name: str) -> int:
    if name == "--version":
        from distlab import __version__
        from distlab.versions import git_commit

        commit = git_commit()
        print(f"distlab {__version__}" + (f" (commit {commit})" if commit else ""))
    elif name in ("", "-h", "--help"):
        lines = [f"  distlab {command:11}{what}" for command, what in COMMANDS.items()]
        print("usage: distlab COMMAND ... | --version", *lines, sep="\n")
    else:
        raise UserError(f"there is no command '{name}'{nearest(name, COMMANDS)}")
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
