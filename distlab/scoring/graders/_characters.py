"""The characters of an answer: no escapes, none that cannot be seen, typographic ones as LaTeX."""

import re
import unicodedata

_SYMBOLS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "×": "\\times ",
        "⋅": "\\cdot ",
        "·": "\\cdot ",
        "÷": "/",
        "⁄": "/",
        "∕": "/",
        "π": "\\pi ",
        "∞": "\\infty ",
        "√": "\\sqrt ",
        "°": "^\\circ ",
        "≤": "\\le ",
        "≥": "\\ge ",
        "≠": "\\ne ",
        "±": "\\pm ",
        "∓": "\\mp ",
        "∪": "\\cup ",
        "∩": "\\cap ",
        "∈": "\\in ",
        "∅": "\\emptyset ",
        "θ": "\\theta ",
        "α": "\\alpha ",
        "β": "\\beta ",
        "≈": "\\approx ",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
    }
    | {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
    | dict.fromkeys("€£¥₹₽₩₺₪₫₦฿₱¢", "")
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# ½ and its kin, x¹⁰, x₁.
_VULGAR = re.compile(r"[¼½¾⅐-⅞]")
_RAISED = re.compile(r"[⁰¹²³⁴-⁹⁺⁻]+")
_LOWERED = re.compile(r"[₀-₉]+")
_SPACES = re.compile(r"\s{2,}")
_BACKSLASHES = re.compile(r"\\++")
_ESCAPED_MACRO = re.compile(r"\\\\(?:[A-Za-z]{2}|[%${},;!])")
# What "\frac" becomes where JSON's escapes are undone once too often.
_UNESCAPED = re.compile(
    "\x08(?=oxed|inom|egin|eta|ar)|\t(?=ext|imes|frac|heta|riangle)|\x0c(?=rac|box)|\r(?=ight|ho)"
)
_ESCAPES = {"\x08": "\\b", "\t": "\\t", "\x0c": "\\f", "\r": "\\r"}


def visible(text: str) -> str:
    """``text`` as a reader sees it.

    JSON's escapes are undone; control, format (bidi, zero-width), private and surrogate
    characters go; white space is one character wide, which keeps patterns linear.
    """
    text = _without_escapes(text)
    if not (text.isascii() and text.isprintable()):
        kept = (
            character
            for character in text
            if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE
        )
        text = _typed_out("".join(kept)).translate(_SYMBOLS)
    return one_space(text)


def one_space(text: str) -> str:
    """``text`` with one space, or one line break, for any run of white space."""
    return _SPACES.sub(lambda run: "\n" if "\n" in run[0] else " ", text)


def _without_escapes(text: str) -> str:
    r"""``\\frac`` as ``\frac``, where every backslash is doubled; no row of a matrix is touched."""
    text = _UNESCAPED.sub(lambda escape: _ESCAPES[escape[0]], text)
    while _ESCAPED_MACRO.search(text) and not any(
        len(run[0]) % 2 for run in _BACKSLASHES.finditer(text)
    ):
        text = text.replace("\\\\", "\\")
    return text


def _typed_out(text: str) -> str:
    """Fractions, powers and indices that are characters of their own, as LaTeX."""
    text = _VULGAR.sub(_vulgar, text)
    text = _RAISED.sub(lambda m: f"^{_braced(_compatible(m[0]))}", text)
    return _LOWERED.sub(lambda m: f"_{_braced(_compatible(m[0]))}", text)


def _vulgar(match: re.Match[str]) -> str:
    upper, _, lower = _compatible(match[0]).partition("⁄")
    return f"\\frac{{{upper}}}{{{lower}}}"


def _braced(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("−", "-")
