"""The exceptions that a user is meant to read, and parts of their sentences.

A message has one line of printable characters, whatever a library, a file or a model put into it.
"""

import difflib
import errno
import re
from collections.abc import Iterable
from typing import Final

from distlab.escape import plain

# Longest text of somebody else's in a sentence of ours, and what is kept of a sentence that is too
# long: its start, and its end with the remedy. In characters (ours).
_FIELD: Final = 300
_START: Final = 1500
_END: Final = 500
_BREAK: Final = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
# Longest list of names that is given whole.
_MOST_NAMES: Final = 20
# What a disk or its owner refuses; the first do so without naming a file.
DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_REFUSED: Final = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG),
)


class UserError(Exception):
    """Bad input: one sentence that names the field and the remedy.

    The command line prints the message without a traceback and exits with status 2. Everything
    else that escapes is a fault of ours and keeps its traceback.
    """

    def __init__(self, sentence: str) -> None:
        """Make a message of a sentence.

        Args:
            sentence: Line breaks in it become blanks, and what cannot be printed is written out.
        """
        line = plain(_BREAK.sub(" ", sentence.strip()), None)
        is_long = len(line) > _START + _END
        super().__init__(f"{line[:_START]} … {line[-_END:]}" if is_long else line)


class Unavailable(UserError):
    """Something is not to be had here and now: no network, no licence, custom code not allowed.

    A run ends with it; a plan says so and goes on from what is known.

    Attributes:
        subject: What the sentence begins with, where it reads as well of several.
    """

    def __init__(self, sentence: str, subject: str = "") -> None:
        """Make a message of a sentence, as ``UserError`` does."""
        super().__init__(f"{subject}{sentence}")
        self.subject = subject if str(self).startswith(subject) else ""


def brief(text: str) -> str:
    """Another's text as part of a sentence: one line, printable, cut to a length."""
    return plain(" ".join(text.split()), _FIELD)


def summary(error: BaseException) -> str:
    """Type and last line of what was raised, in an actor too: tracebacks come before that line."""
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines()
    return brief(f"{type(cause).__name__}: {lines[-1] if lines else ''}")


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The end of a sentence on a name that is unknown: those it may be meant for.

    Args:
        name: As given.
        known: The names that there are.
        otherwise: What to say where nothing is near and the known are too many to list.
    """
    names = sorted(known)
    lower = {known.lower(): known for known in names}
    if close := difflib.get_close_matches(name, names, n=3, cutoff=0.5) or [
        lower[found] for found in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    ]:
        return f"; did you mean {' or '.join(close)}?"
    return f"; take one of {', '.join(names)}" if 0 < len(names) <= _MOST_NAMES else otherwise


def joined(names: Iterable[str]) -> str:
    """Names as one phrase: "a", "a and b", "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def counted(count: int, noun: str) -> str:
    """A number of things: "1 shard", "2 shards", "1,000 shards"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def file_fault(error: OSError) -> str | None:
    """The sentence for a file that the machine refuses; None for any other fault."""
    if error.errno in DISK_FULL:
        where = f" of {error.filename}" if error.filename else ""
        return f"the disk{where} is full ({error.strerror}): make room, and give the command again"
    if error.errno in _REFUSED and error.filename:
        cure = "make it writable, or " if error.errno == errno.EROFS else ""
        return f"{error.filename} cannot be used ({error.strerror}): {cure}name another place"
    return None
