"""The LaTeX parser that graders share, rid of its slowest step."""

from functools import cache, wraps


@cache
def quicken_parser() -> None:
    """Let latex2sympy read digits as the integer that they write; call before parsing.

    It hands every number to sympy's expression parser, which imports all of sympy's names anew
    each time: more than half of what a short answer costs. The Integer that comes out is the
    same, and whatever is not all digits still goes the old way (ours).
    """
    # Here, since it brings sympy: seconds that only the grader's worker should spend.
    from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy
    from sympy import Integer

    plain = _Latex2Sympy.parse_number

    @wraps(plain)
    def parse_number(self: object, text: str) -> object:
        digits = text.replace(",", "")
        if digits.isascii() and digits.isdigit():
            return Integer(int(digits))
        return plain(self, text)

    _Latex2Sympy.parse_number = parse_number
