"""distlab: are instruction-tuned models really better than their base models?

import distlab as dl

run = dl.open("runs/NAME")          # see distlab.api.opened.Run
run = dl.run(["model=pair", ...])   # see distlab.api.running.run_study
"""

import importlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distlab.api.opened import Run
    from distlab.api.opened import Run as open
    from distlab.api.running import run_study as run
    from distlab.errors import UserError

__all__ = ["Run", "UserError", "__version__", "open", "run"]
__version__ = "0.1.0"

# Name to the module and attribute that it stands for: commands import this package, and most of
# them need none of these. ``run`` is the module of that name, which can be called.
_LAZY = {
    "Run": ("distlab.api.opened", "Run"),
    "UserError": ("distlab.errors", "UserError"),
    "open": ("distlab.api.opened", "Run"),
}


def __getattr__(name: str) -> object:
    if name == "run":
        return importlib.import_module("distlab.run")
    if name not in _LAZY:
        raise AttributeError(f"module 'distlab' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def _is_command() -> bool:
    """Whether this process is there for a command of ours, by ``-m`` or by the script's name."""
    if sys.argv[0] == "-m":
        return any(word.removeprefix("-m").split(".")[0] == "distlab" for word in sys.orig_argv)
    return Path(sys.argv[0]).name == "distlab"


# Python's handler of Ctrl-C raises wherever it comes, and what it raises in the middle of a
# callback is dropped. Until a command has its own handlers, Ctrl-C ends it as it ends any program.
if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
