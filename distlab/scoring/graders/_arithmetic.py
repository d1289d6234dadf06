"""Sums and products of numbers, worked out exactly and without eval."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_ARITHMETIC = re.compile(r"[-+*/(). 0-9]{1,200}")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def worked_out(text: str) -> Fraction | None:
    """The value of a sum or product of numbers, read off its syntax tree; None if it is none."""
    if not _ARITHMETIC.fullmatch(text) or "**" in text:
        return None
    try:
        return _node(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError):
        return None


def _node(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _node(node.operand)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_node(node.left), _node(node.right))
    raise SyntaxError("not arithmetic")
