"""Roots of integer polynomials in (0, 1): isolated without a rounding error, and compared exactly.

python-flint factors. Isolation is bisection with Descartes' rule of signs (Vincent, Collins and Akritas): the number of
sign changes after the substitution that carries (0, 1) to (0, infinity) bounds the number of roots there, and is exact
where it is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from itertools import pairwise
from typing import Any

from flint import fmpq, fmpq_poly, fmpz_poly

from tabular_inversion.kinds import checked

_FLOAT_WIDTH = Fraction(1, 2**70)
_SHIFT = fmpz_poly([1, 1])


@checked
@total_ordering
@dataclass(frozen=True, eq=False)
class AlgebraicNumber:
    """A real root of an integer polynomial, known exactly.

    Attributes
    ----------
    minimal_polynomial : tuple of int
        Coefficients, constant first, without common factor, of the irreducible polynomial whose root it is.
    lower, upper : Fraction
        The number is the only root of its polynomial in [lower, upper]. Both are equal exactly if it is rational.

    Examples
    --------
    >>> root, multiplicity = isolate(fmpz_poly([-1, 0, 2]))[0]
    >>> root.minimal_polynomial, root.value, round(float(root), 6)
    ((-1, 0, 2), None, 0.707107)
    >>> AlgebraicNumber.rational(Fraction(1, 2)) < root
    True
    """

    minimal_polynomial: tuple[int, ...]
    lower: Fraction
    upper: Fraction

    @classmethod
    def rational(cls, value: Fraction) -> AlgebraicNumber:
        """Return a rational number as an algebraic one."""
        return cls((-value.numerator, value.denominator), value, value)

    @property
    def value(self) -> Fraction | None:
        """The number where it is rational, else None."""
        return self.lower if self.lower == self.upper else None

    @property
    def degree(self) -> int:
        """The degree of its minimal polynomial."""
        return len(self.minimal_polynomial) - 1

    @property
    def polynomial(self) -> fmpz_poly:
        """The minimal polynomial, for python-flint."""
        return fmpz_poly(list(self.minimal_polynomial))

    def __str__(self) -> str:
        if self.value is not None:
            return str(self.value)
        return f"{float(self):.10g}, root of {show_polynomial(self.minimal_polynomial)}"

    def __float__(self) -> float:
        near = self.refine(_FLOAT_WIDTH)
        return float((near.lower + near.upper) / 2)

    def __eq__(self, other: object) -> bool:
        return self._compare(other) == 0 if isinstance(other, AlgebraicNumber) else NotImplemented

    def __lt__(self, other: AlgebraicNumber) -> bool:
        return self._compare(other) < 0

    def __hash__(self) -> int:
        return hash(self.minimal_polynomial)

    def refine(self, width: Fraction) -> AlgebraicNumber:
        """Return the same number in an interval of at most this width, which is positive unless it is rational.

        Examples
        --------
        >>> root = isolate(fmpz_poly([-1, 0, 2]))[0][0].refine(Fraction(1, 10))
        >>> str(root.lower), str(root.upper)
        ('11/16', '3/4')
        """
        lower, upper, polynomial = self.lower, self.upper, self.polynomial
        below = upper > lower and at(polynomial, lower) > 0
        while upper - lower > width:
            middle = (lower + upper) / 2
            if (at(polynomial, middle) > 0) == below:
                lower = middle
            else:
                upper = middle
        return AlgebraicNumber(self.minimal_polynomial, lower, upper)

    def to_sympy(self) -> Any:
        """Return the number for sympy: a rational, radicals where sympy finds short ones, or a `CRootOf`.

        Examples
        --------
        >>> isolate(fmpz_poly([-1, 0, 2]))[0][0].to_sympy()
        sqrt(2)/2
        """
        import sympy

        if self.value is not None:
            return sympy.Rational(self.value.numerator, self.value.denominator)
        polynomial = sympy.Poly(self.minimal_polynomial[::-1], sympy.Dummy())
        lower, upper = (sympy.Rational(end.numerator, end.denominator) for end in (self.lower, self.upper))
        return next(root for root in polynomial.real_roots() if lower < root < upper)

    def sign(self, polynomial: fmpz_poly) -> int:
        """Return the sign, -1, 0 or 1, of an integer polynomial at this number, which lies in [0, 1].

        Examples
        --------
        >>> root = isolate(fmpz_poly([-1, 0, 2]))[0][0]
        >>> root.sign(fmpz_poly([-7, 10])), root.sign(fmpz_poly([0, -1, 0, 2]))
        (1, 0)
        """
        if divides(self.polynomial, polynomial):
            return 0
        gains = fmpz_poly([max(int(c), 0) for c in polynomial.coeffs()])
        losses = gains - polynomial
        near = self
        while True:
            # Both parts grow on [0, 1]: their values at the ends bound the difference.
            if at(gains, near.lower) > at(losses, near.upper):
                return 1
            if at(gains, near.upper) < at(losses, near.lower):
                return -1
            near = near.refine((near.upper - near.lower) / 2)

    def _compare(self, other: AlgebraicNumber) -> int:
        first, second = self, other
        if first.value is not None and second.value is not None:
            return (first.value > second.value) - (first.value < second.value)
        if first.minimal_polynomial == second.minimal_polynomial and _same_root(first, second):
            return 0
        while first.upper >= second.lower and second.upper >= first.lower:
            first, second = (number.refine((number.upper - number.lower) / 2) for number in (first, second))
        return -1 if first.upper < second.lower else 1


def _same_root(first: AlgebraicNumber, second: AlgebraicNumber) -> bool:
    """Tell whether two intervals around irrational roots of one polynomial hold the same root."""
    lower, upper = max(first.lower, second.lower), min(first.upper, second.upper)
    return lower < upper and (at(first.polynomial, lower) > 0) != (at(first.polynomial, upper) > 0)


def at(polynomial: fmpz_poly, point: Fraction) -> fmpq:
    """Return the value of a polynomial at a rational point."""
    value: fmpq = polynomial(fmpq(point.numerator, point.denominator))
    return value


def divides(divisor: fmpz_poly, polynomial: fmpz_poly) -> bool:
    """Tell whether one polynomial divides the other over the rationals."""
    return not fmpq_poly(polynomial) % fmpq_poly(divisor)


def isolate(polynomial: fmpz_poly) -> list[tuple[AlgebraicNumber, int]]:
    """Return the roots of a nonzero polynomial in (0, 1), ascending, each with its multiplicity.

    Examples
    --------
    >>> [(str(root.value), multiplicity) for root, multiplicity in isolate(fmpz_poly([1, -5, 8, -4]))]
    [('1/2', 2)]
    """
    roots = [
        (root, multiplicity)
        for factor, multiplicity in polynomial.factor()[1]
        for root in _irreducible_roots(factor if factor.leading_coefficient() > 0 else -factor)
    ]
    return sorted(roots, key=lambda pair: pair[0])


def _irreducible_roots(factor: fmpz_poly) -> Iterator[AlgebraicNumber]:
    coefficients = tuple(int(c) for c in factor.coeffs())
    if len(coefficients) == 2:
        root = Fraction(-coefficients[0], coefficients[1])
        if 0 < root < 1:
            yield AlgebraicNumber.rational(root)
        return
    stack = [(factor, Fraction(0), Fraction(1))]
    while stack:
        scaled, lower, upper = stack.pop()  # scaled has its roots in (0, 1) where the factor has them in (lower, upper)
        variations = sign_variations(scaled)
        if variations == 1:
            yield AlgebraicNumber(coefficients, lower, upper)
        elif variations > 1:
            degree, middle = scaled.degree(), (lower + upper) / 2
            left = fmpz_poly([c << (degree - i) for i, c in enumerate(map(int, scaled.coeffs()))])
            stack += [(left, lower, middle), (left(_SHIFT), middle, upper)]


def sign_variations(polynomial: fmpz_poly) -> int:
    """Return Descartes' bound on the number of roots in (0, 1): at least that number, and of the same parity.

    Examples
    --------
    >>> sign_variations(fmpz_poly([-1, 0, 2])), sign_variations(fmpz_poly([1, 0, 2]))
    (1, 0)
    """
    moved = fmpz_poly(polynomial.coeffs()[::-1])(_SHIFT)
    positive = [c > 0 for c in moved.coeffs() if c != 0]
    return sum(first != second for first, second in pairwise(positive))


def show_polynomial(coefficients: Sequence[int], variable: str = "x") -> str:
    """Write a polynomial down, highest power first.

    Examples
    --------
    >>> show_polynomial([-1, 1, 2])
    '2x^2 + x - 1'
    """
    text = ""
    for power in range(len(coefficients) - 1, -1, -1):
        c = coefficients[power]
        if c == 0:
            continue
        number = "" if abs(c) == 1 and power else str(abs(c))
        symbol = "" if power == 0 else variable if power == 1 else f"{variable}^{power}"
        sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
        text += sign + number + symbol
    return text or "0"
