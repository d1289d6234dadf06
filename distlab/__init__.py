"""distlab: are instruction-tuned models really better than their base models?"""

import signal
import sys
from pathlib import Path

__version__ = "0.1.0"


def _is_command() -> bool:
    """Whether this process is there for a command of ours, by ``-m`` or by the script's name."""
    if sys.argv[0] == "-m":
        return any(word.removeprefix("-m").split(".")[0] == "distlab" for word in sys.orig_argv)
    return Path(sys.argv[0]).name == "distlab"


# Python's handler of Ctrl-C raises wherever it comes, and what it raises in the middle of a
# callback is dropped. Until a command has its own handlers, Ctrl-C ends it as it ends any program.
if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
