"""The one door for text that a model, a dataset or a file wrote, before it is shown to people."""

import re
import unicodedata
from typing import Final

from rich.text import Text

# Longest text shown in a table, in characters (ours).
LIMIT: Final = 80

# Categories of what nobody sees: control, format (right-to-left overrides, zero-width), surrogate,
# private and unassigned characters, and the separators that some terminals take for line ends.
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What Markdown dialects give a meaning: characters inside a line (links need the brackets, so
# parentheses may stay; the @ of "Pass@20" is no mention), autolinks, and block marks at its start.
# Each is written as an entity, which stays text in every dialect; backslash escapes do not.
_MARKUP: Final = re.compile(
    r"[\\`*_\[\]#|~!$^<>&\"]|(?<!\w)@|@(?!\d)|:(?=//)|(?i:(?<=\bwww)\.)|^[-+=:]|(?<=^\d)[.)](?=\s|$)"
)
# What may have to be written out: all that is no printable ASCII.
_UNUSUAL: Final = re.compile(r"[^ -~]")
# Some spreadsheets take the full-width signs for the others.
_FORMULA: Final = re.compile(r"^\s*[=+\-@|%＝＋－＠]")
_SIGNED: Final = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)


def plain(text: str, limit: int | None = LIMIT) -> str:
    r"""One line of printable characters.

    Args:
        text: Anything, lone surrogates and escape sequences included.
        limit: Characters of ``text`` to keep, or None for all; a cut text ends in "…".

    Returns:
        ``text`` with every unprintable character written out ("\n", "\x1b", "\u202e").
    """
    kept = text if limit is None else text[:limit]
    shown = _UNUSUAL.sub(_written_out, kept)
    return shown if len(kept) == len(text) else f"{shown}…"


def markdown(text: str, limit: int | None = LIMIT) -> str:
    """``text`` as literal text in a Markdown line or table cell, and in the HTML made of it."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", plain(text, limit))


def terminal(text: str, limit: int | None = LIMIT) -> Text:
    """``text`` for rich: no markup and no terminal control sequence is obeyed."""
    return Text(plain(text, limit))


def spreadsheet(text: str) -> str:
    """``text`` for a CSV cell: an apostrophe keeps a spreadsheet from running it as a formula.

    A number with its sign is none.
    """
    shown = plain(text, None)
    is_safe = _SIGNED.fullmatch(shown) or not _FORMULA.match(shown)
    return shown if is_safe else f"'{shown}"


def _written_out(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) in UNSEEN:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return " " if character.isspace() else character


def ascii_label(text: str) -> str:
    r"""``text`` as the value of a label: Ray takes ASCII alone ("modèle" becomes "mod\xe8le")."""
    return text.encode("ascii", "backslashreplace").decode("ascii")
