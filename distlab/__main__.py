"""The ``distlab`` command; ``distlab NAME`` is ``python -m distlab.NAME``."""

import importlib
import sys

_COMMANDS = {
    "run": "sample, score and report a study (Hydra overrides; --help shows them)",
    "plan": "say what a run would do, without an engine (the same overrides)",
    "score": "extract and grade a run's samples again",
    "report": "rebuild a run's report",
    "jobs": "run a study on a Ray cluster or Kubernetes: jobs ray|kuberay",
    "view": "look at a run's samples in a browser",
    "compare": "put runs side by side, paired by problem",
    "status": "what a store, run or sweep has, lacks and failed at",
    "store": "find leftovers in a store, verify it, export it (gc, verify, export)",
    "ingest": "make a run of samples that you already have",
}


def main() -> None:
    """Hand over to the named command."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in _COMMANDS:
        lines = [f"  distlab {command:9}{what}" for command, what in _COMMANDS.items()]
        print("usage: distlab COMMAND ...", *lines, sep="\n")
        sys.exit(0 if name in ("", "-h", "--help") else 2)
    # The command must see its own arguments: Hydra reads sys.argv.
    sys.argv = [f"distlab {name}", *sys.argv[2:]]
    if name == "run":
        from distlab.run import main as run

        run()
    else:
        module = "distlab.score" if name == "score" else f"distlab.{name}.__main__"
        sys.exit(importlib.import_module(module).main())


if __name__ == "__main__":
    main()
