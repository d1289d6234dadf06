"""Standard output and error that never end a command: what is shown decides nothing."""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

# What an encoding without the character gets in its place; anything else is written out (\u0394).
_SPELLED: Final = {
    "−": "-",
    "–": "-",
    "—": "-",
    "·": "|",
    "×": "x",
    "…": "...",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "±": "+-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
}
_ERRORS: Final = "distlab.spelled"
# The reader went away (a pipe's, a terminal's), which is no failure of ours.
_NOBODY_READS: Final = (errno.EPIPE, errno.EIO)


class _Descriptor(io.FileIO):
    """A descriptor whose writes never fail: once one has, nothing more is written."""

    lost: OSError | None = None

    def write(self, data: "bytes | bytearray | memoryview[int]", /) -> int:  # type: ignore[override]
        if self.lost is None:
            try:
                return super().write(data)
            except OSError as error:
                self.lost = error
        return len(data)


class ShownStream(io.TextIOWrapper):
    """A text stream onto a descriptor that takes every character and drops what nobody can read."""

    def __init__(self, descriptor: int, encoding: str, *, closes: bool, by_line: bool) -> None:
        """Wrap a descriptor.

        Args:
            descriptor: Of the terminal, pipe or file.
            encoding: What its reader expects.
            closes: Whether closing the stream closes the descriptor.
            by_line: Whether every line is shown at once.
        """
        self._descriptor = _Descriptor(descriptor, "w", closefd=closes)
        buffered = io.BufferedWriter(cast(io.RawIOBase, self._descriptor))
        super().__init__(buffered, encoding, _ERRORS, line_buffering=by_line)

    @property
    def lost(self) -> OSError | None:
        """Why a part could not be written; None where all was, or where the reader went away."""
        error = self._descriptor.lost
        return None if error is None or error.errno in _NOBODY_READS else error

    @contextmanager
    def diverted(self) -> Iterator[None]:
        """For a block in which the descriptor leads elsewhere: what is lost there stops nothing."""
        before = self._descriptor.lost
        try:
            yield
        finally:
            self._descriptor.lost = before


def show_all() -> ShownStream:
    """Put such streams in the place of ``sys.stdout`` and ``sys.stderr``; returns the first."""
    _open_closed()
    made = []
    for number, old in ((1, sys.stdout), (2, sys.stderr)):
        encoding = "utf-8" if old is None else old.encoding
        by_line = number == 2 or os.isatty(number)
        if old is not None:
            old.flush()
        made.append(ShownStream(number, encoding, closes=False, by_line=by_line))
    sys.stdout, sys.stderr = made
    return made[0]


def _open_closed() -> None:
    """Open the null device where a standard descriptor is closed.

    Else the next file that is opened would take its number, and what is printed would go there.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    shown = (_SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(shown), error.end


codecs.register_error(_ERRORS, _spelled)
