"""The ``distlab`` command; ``distlab NAME`` is ``python -m distlab.NAME``."""

import importlib
import sys

from distlab.console.commands import COMMANDS, SUBCOMMANDS, module_of
from distlab.console.exits import Exit
from distlab.console.main import as_process, guarded
from distlab.errors import UserError, nearest


def main() -> int:
    """Hand over to the named command; returns its exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        return as_process(lambda: _without_command(name))
    # The command must see its own arguments: Hydra reads sys.argv.
    sys.argv = [f"distlab {name}", *sys.argv[2:]]
    # The frame holds the import too: Ctrl-C may come while it loads.
    return guarded(lambda: int(importlib.import_module(module_of(name)).main()))


def _without_command(name: str) -> int:
    if name == "--version":
        from distlab.versions import version_line

        print(version_line())
    elif name in ("", "-h", "--help"):
        lines = [f"  distlab {command:11}{what}" for command, what in COMMANDS.items()]
        print("usage: distlab COMMAND ... | --version", *lines, sep="\n")
    else:
        raise UserError(f"there is no command '{name}'{_meant(name)}")
    return Exit.DONE


def _meant(name: str) -> str:
    homes = [command for command, names in SUBCOMMANDS.items() if name in names]
    whole = [f"`distlab {command} {name}`" for command in homes]
    return f"; did you mean {' or '.join(whole)}?" if whole else nearest(name, COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
