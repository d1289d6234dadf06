"""The commands: their names, what each does, and the module that is it."""

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "run": "sample, score and report a study (Hydra overrides; --help shows them)",
    "plan": "say what a run would do, without an engine (the same overrides)",
    "doctor": "look at this machine or a cluster: what would break, hang or crawl",
    "score": "extract and grade a run's samples again",
    "report": "rebuild a run's report",
    "jobs": "run a study on a Ray cluster, SLURM or Kubernetes: jobs ray|slurm|kuberay",
    "view": "look at a run's samples in a browser",
    "watch": "evaluate checkpoints as a training writes them",
    "compare": "put runs side by side, paired by problem",
    "gate": "whether a run is no worse than another: pass, fail or cannot tell, for CI",
    "status": "what a store, run or sweep has, lacks and failed at",
    "store": "verify a store, repair it, find leftovers, export it (verify, repair, gc, export)",
    "export": "write a scored run for a hub, for lm-eval, as CSV and in other formats",
    "bundle": "write a run and its samples as one archive",
    "ingest": "make a run of samples that you already have",
    "list": "models, datasets, prompts and whatever else there is to choose from",
    "completion": "print what makes bash or zsh complete commands, options and overrides",
}
# What the commands with commands of their own take.
SUBCOMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "jobs": ("ray", "slurm", "kuberay"),
    "store": ("verify", "repair", "gc", "export"),
}


def module_of(command: str) -> str:
    """The module whose ``main`` is a command."""
    return f"distlab.{command}" if command in ("run", "score") else f"distlab.{command}.__main__"
