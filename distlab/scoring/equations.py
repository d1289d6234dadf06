"""Equations in answers: which side names what was asked for, and which states a condition on it."""

import re

# Sines and their like are not among them: they are named as what was asked for.
_FIGURE = re.compile(
    r"\\(?:(?:log|ln|lg|exp|sqrt|[dt]?frac|cdot|times|circ|degree)(?![A-Za-z])|[%$])"
)
_GREEK = re.compile(
    r"\\(?:theta|alpha|beta|gamma|delta|phi|varphi|lambda|mu|omega|rho|sigma)(?![A-Za-z])"
)
# x, x_1, x', f(3), f^{-1}(3), |z|, |A|: a modulus, a length, the size of a set.
_LONE = re.compile(
    r"[A-Za-z](?:_(?:\{[^{}]{1,20}\}|\w))?'{0,3}"
    r"(?:(?:\^\{?-1\}?)?(?:_(?:\{[^{}]{1,20}\}|\w))?\([^()A-Za-z]{1,40}\))?"
    r"|\|[^\W\d_xyknmt]\|"
)
_EQUALS = re.compile(r"(?<![<>!=:])=(?![=<>])")
_OTHER_RELATION = re.compile(r"[<>!:]=|==|[<>]|\\(?:n?eq|[lg]eq?|approx|equiv|in)(?![A-Za-z])")
_BAR = re.compile(r"\\(?:[lr]?vert|mid)(?![A-Za-z])")
_SPACING = re.compile(r"\s|\\[,;:! ]|\\(?:left|right)(?![A-Za-z])|~")
_LETTER = re.compile(r"[A-Za-z]")
_LONGEST = 160


def is_condition(text: str) -> bool:
    r"""Whether ``text`` is an equation that its one unknown is to fulfil: 3x = 9, ``x^2 = 9``.

    It is no answer, though one side of it is a number. x = 9, f(3) = 9, a+b = 9,
    ``\cos A = 1/4`` and ``\pi r^2 = 9\pi`` name what was asked for.
    """
    sides = _EQUALS.split(text)
    if len(sides) != 2 or len(text) > _LONGEST or _OTHER_RELATION.search(text):
        return False
    # A function is a figure from here on: \log x is not x alone.
    plain = (_FIGURE.sub("0", _GREEK.sub("t", _BAR.sub("|", side))) for side in sides)
    left, right = (_SPACING.sub("", side) for side in plain)
    return (_is_in_one_unknown(left) and not _unknowns(right)) or (
        _is_in_one_unknown(right) and not _unknowns(left)
    )


def _is_in_one_unknown(side: str) -> bool:
    unknowns = _unknowns(side)
    return len(unknowns) == 1 and "\\" not in unknowns and not _LONE.fullmatch(side)


def _unknowns(side: str) -> set[str]:
    """The letters that stand for numbers; a backslash where another macro stands."""
    return set(_LETTER.findall(side)) | ({"\\"} & set(side))
