"""Algebraic numbers from texts such as sqrt(1/2): sums, products, quotients and roots of whole numbers."""

from __future__ import annotations

import ast
from typing import Any

from flint import fmpz_poly

from tabular_inversion.errors import DiscountError
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber, isolate

_LONGEST, _MOST_DIGITS, _HIGHEST = 80, 12, 12
"""Of a text, of a whole number in it, and of a power or root."""


def read_algebraic(text: str) -> AlgebraicNumber:
    """Return the number between 0 and 1 that a text stands for, exactly.

    Parameters
    ----------
    text : str
        Whole numbers with ``+ - * / ** ( )`` and ``sqrt(...)``; exponents are fractions of whole numbers.

    Raises
    ------
    DiscountError
        If the text is something else, or its number does not lie between 0 and 1.

    Examples
    --------
    >>> str(read_algebraic("sqrt(1/2)")), str(read_algebraic("(sqrt(5) - 1) / 2"))
    ('0.7071067812, root of 2x^2 - 1', '0.6180339887, root of x^2 + x - 1')
    >>> str(read_algebraic("sqrt(1/4)"))
    '1/2'
    """
    import sympy  # a second to load: only who writes such a number pays for it

    wrong = DiscountError(
        f"discount is {text[:40]!r}; expected a number in [0, 1] such as 0.99, 1/2 or, with roots, sqrt(1/2)."
    )
    if len(text) > _LONGEST:
        raise wrong
    try:
        number = _value(ast.parse(text.strip(), mode="eval").body, sympy)
        if not (number.is_real and 0 < number < 1):
            raise wrong
        symbol = sympy.Dummy()
        coefficients = sympy.Poly(sympy.minimal_polynomial(number, symbol), symbol).all_coeffs()
    except (ValueError, SyntaxError, TypeError, ZeroDivisionError, NotImplementedError, RecursionError) as problem:
        raise wrong from problem
    for root, _ in isolate(fmpz_poly([int(c) for c in coefficients[::-1]])):
        lower, upper = (sympy.Rational(end.numerator, end.denominator) for end in (root.lower, root.upper))
        if bool(lower <= number) and bool(number <= upper):
            return root
    raise wrong


def _value(node: ast.AST, sympy: Any) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) is int and len(str(node.value)) <= _MOST_DIGITS:
        return sympy.Integer(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, sympy)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "sqrt"
        and len(node.args) == 1
    ):
        return sympy.sqrt(_value(node.args[0], sympy))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, sympy), _value(node.right, sympy)
        if isinstance(node.op, ast.Pow) and right.is_Rational and max(abs(right.p), right.q) <= _HIGHEST:
            return left**right
        table: dict[type, Any] = {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}
        if isinstance(node.op, ast.Div) and right != 0:
            return left / right
        if type(node.op) in table:
            return table[type(node.op)]
    raise ValueError(ast.dump(node)[:40])
