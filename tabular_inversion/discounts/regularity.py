"""Whether M has independent columns on a whole interval of discounts, or loses them once: proved in ball arithmetic.

On an interval, a matrix of polynomials is a short Taylor polynomial in t from [-1, 1] and a bound on the rest, both
from exact coefficients. Cheaper than a determinant, by far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Literal

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpz, fmpz_poly

from tabular_inversion import exact
from tabular_inversion._typing import FloatArray
from tabular_inversion.discounts.policy_pieces import ONE, ZERO, Piece
from tabular_inversion.discounts.value_polynomials import ValueRow
from tabular_inversion.exact.polynomials.matrices import dot, values_at

Status = Literal["regular", "root", "undecided"]

_TERMS = 8
_BITS = 128
_NEAR = Fraction(1, 2**60)
_NARROWEST = Fraction(1, 2**32)
_DIVISIONS = 8
_KEEP = 2
_GRID = 1024  # cells for a piece: the fewer digits its ends have, the faster is each expansion
_SPLIT = Fraction(15, 32)  # not a half: discounts that people ask about should not become ends of intervals
_UNIT = arb(0, 1)


@dataclass(frozen=True)
class Part:
    """An interval of discounts and what is proved of M there.

    Attributes
    ----------
    lower, upper : Fraction
        Its ends.
    status : {"regular", "root", "undecided"}
        The columns of M are independent everywhere in it; everywhere but at one discount, a simple root of det M; or
        neither is proved.
    """

    lower: Fraction
    upper: Fraction
    status: Status


@dataclass(frozen=True, eq=False)
class Expansion:
    """Rows of a matrix of functions, scaled, on an interval: ``sum_k terms[k] t^k`` and a rest, for t in [-1, 1].

    Attributes
    ----------
    terms : list of flint.arb_mat
        Coefficients.
    rest, rest_slope : flint.arb_mat
        Bounds, entry by entry, on the absolute value of the rest and on that of its derivative.
    """

    terms: list[arb_mat]
    rest: arb_mat
    rest_slope: arb_mat

    def middle(self) -> FloatArray:
        """Return the matrix at the middle of the interval, in floats."""
        first = self.terms[0]
        return np.array([float(x.mid()) for x in first.entries()]).reshape(first.nrows(), first.ncols())

    def ball(self) -> arb_mat:
        """Return a matrix of balls that holds every matrix on the interval."""
        return self._with_bounds(self.terms[0], self.rest, self.terms[1:])

    def slope(self) -> arb_mat:
        """Return a matrix of balls that holds every derivative with respect to t."""
        return self._with_bounds(self.terms[1], self.rest_slope, [k * self.terms[k] for k in range(2, _TERMS)])

    def _with_bounds(self, middle: arb_mat, rest: arb_mat, others: list[arb_mat]) -> arb_mat:
        return sum((term * _UNIT for term in others), middle + rest * _UNIT)


def expand(rows: Sequence[ValueRow], lower: Fraction, upper: Fraction) -> Expansion:
    """Return the expansion of rows of quotients on an interval, each row multiplied by a positive polynomial in t.

    That polynomial is close to the reciprocal of the denominator: the quotients change more slowly than its numerators.
    """
    # In integers: with x = (a + b t) / c, the polynomial c^degree p(x) has integer coefficients in t.
    middle, half = (lower + upper) / 2, (upper - lower) / 2
    below = lcm(middle.denominator, half.denominator)
    place = fmpz_poly([int(middle * below), int(half * below)])
    degree = max(p.degree() for row in rows for p in [*row.numerators, row.denominator])
    powers = [fmpz(below) ** (degree - k) for k in range(degree + 1)]

    def moved(p: fmpz_poly) -> list[fmpz]:
        coefficients = p.coeffs()
        return fmpz_poly([c * power for c, power in zip(coefficients, powers[: len(coefficients)], strict=True)])(
            place
        ).coeffs()

    heads: list[list[arb]] = [[] for _ in range(_TERMS)]
    rests, slopes = [], []
    for row in rows:
        factor = _reciprocal(moved(row.denominator))
        sizes = [abs(q) for q in factor]
        for p in row.numerators:
            coefficients = moved(p)
            first = coefficients[:_TERMS] + [fmpz()] * (_TERMS - len(coefficients))
            for k, head in enumerate(heads):
                head.append(sum((first[i] * factor[k - i] for i in range(k + 1)), arb(0)))
            rest, slope = _bounds(coefficients, sizes)
            rests.append(rest)
            slopes.append(slope)
    shape = (len(rows), len(rows[0].numerators))
    return Expansion([arb_mat(*shape, head) for head in heads], arb_mat(*shape, rests), arb_mat(*shape, slopes))


def _reciprocal(coefficients: list[fmpz]) -> list[arb]:
    """Return exact coefficients of a polynomial, positive on [-1, 1], that is about the reciprocal of another one."""
    leading = (1 / arb(coefficients[0])).mid()
    result = [leading]
    for k in range(1, _TERMS):
        known = sum((coefficients[i] * result[k - i] for i in range(1, min(k, len(coefficients) - 1) + 1)), arb(0))
        result.append((-leading * known).mid())
    if leading > sum((abs(q) for q in result[1:]), arb(0)):
        return result
    return [leading] + [arb(0)] * (_TERMS - 1)


def _bounds(coefficients: list[fmpz], factor: list[arb]) -> tuple[arb, arb]:
    """Bound a product of polynomials on [-1, 1] from its terms of degree `_TERMS` on, and their derivative."""
    sizes = [abs(c) for c in coefficients]
    rest = slope = arb(0)
    tail, weighted = sum(sizes[_TERMS:], fmpz()), sum((k * c for k, c in enumerate(sizes[_TERMS:], _TERMS)), fmpz())
    for j, q in enumerate(factor):
        if 0 < j <= _TERMS and _TERMS - j < len(sizes):
            tail, weighted = tail + sizes[_TERMS - j], weighted + (_TERMS - j) * sizes[_TERMS - j]
        rest += q * tail
        slope += q * (weighted + j * tail)
    return rest, slope


def has_independent_columns(expansion: Expansion) -> bool:
    """Tell whether Y and V with ``|I - Y M(t) V| < 1`` for all t in [-1, 1] were found; False leaves the question open.

    V holds the right singular vectors of M(0): close to a root of det M, all columns of Y M V but one change slowly.
    """
    found = _preconditioned(expansion, -1)
    if found is None:
        return False
    near = found[0]
    n = near.rest.ncols()
    unit = arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
    first, *others = near.terms
    bounds = sum((_absolute(term) for term in others), _absolute(first - unit) + near.rest)
    return all(bool(sum(row, arb(0)) < 1) for row in bounds.tolist())


def null_vector_of_only_root(expansion: Expansion) -> list[arb] | None:
    """Return balls that hold a null vector wherever a square M is singular, if that is at most once; else None.

    Y M V, regular wherever M is, is bordered by a column and a row. Where the bordered matrix is regular, the last
    entry g of its inverse is zero exactly where M is singular, the rank there is n - 1, and ``g' = -y (Y M V)' x`` with
    its last row y and column x. So M is singular at most once, at a simple root of det M, if that ball has no zero;
    Y and V are regular then, because otherwise g would be zero everywhere.
    """
    found = _preconditioned(expansion, -2)
    if found is None:
        return None
    near, basis = found
    n = basis.nrows()
    border = [*[arb(0)] * (n - 1), arb(1)]
    rows = [[*row, x] for row, x in zip(near.ball().tolist(), border, strict=True)]
    bordered = arb_mat([*rows, [*border, arb(0)]])
    last = arb_mat(n + 1, 1, [0] * n + [1])
    try:
        x, y = (arb_mat(n, 1, b.solve(last).entries()[:n]) for b in (bordered, bordered.transpose()))
    except ZeroDivisionError:
        return None
    change = (y.transpose() * near.slope() * x)[0, 0]
    return None if change.contains(0) else (basis * x).entries()


def _preconditioned(expansion: Expansion, least: int) -> tuple[Expansion, arb_mat] | None:
    """Return the expansion of Y M V, and V, with singular vectors of M(0) in V and, over singular values, in Y.

    The `least` of these values stands for smaller ones too; there is no such expansion if it is zero.
    """
    left, sizes, right = np.linalg.svd(expansion.middle(), full_matrices=False)
    if len(sizes) < -least or sizes[least] < np.finfo(float).tiny:
        return None
    inverse, basis = _matrix(left.T / np.maximum(sizes, sizes[least])[:, None]), _matrix(right.T)
    terms = [inverse * term * basis for term in expansion.terms]
    outer, inner = _absolute(inverse), _absolute(basis)
    return Expansion(terms, outer * expansion.rest * inner, outer * expansion.rest_slope * inner), basis


def determinant_sign(rows: Sequence[ValueRow], point: Fraction) -> int:
    """Return the proved sign of the determinant of numerators at a rational point; 0 leaves it open."""
    n = len(rows)
    with ctx.workprec(2 * _BITS):
        det = arb_mat(n, n, [arb(p(_rational(point))) for row in rows for p in row.numerators]).det()
        return int(bool(det > 0)) - int(bool(det < 0))


def one_root(rows: Sequence[ValueRow], lower: Fraction, upper: Fraction) -> list[arb] | None:
    """Return balls that hold the null vector of a square M at the only discount in an interval that has one, or None.

    None leaves it open whether there is such a discount, or more than one.
    """
    if determinant_sign(rows, lower) * determinant_sign(rows, upper) >= 0:
        return None
    return null_vector_of_only_root(expand(rows, lower, upper))


def cover(rows: Sequence[ValueRow], lower: Fraction, upper: Fraction, most: int) -> Iterator[Part]:
    """Yield intervals, ascending, that cover [lower, upper], with what is proved of rows on each.

    Parameters
    ----------
    rows : sequence of ValueRow
        At least as many as columns.
    lower, upper : Fraction
        The interval; it is split, and split again, where nothing is proved.
    most : int
        How many intervals may be looked at; what is left then is undecided.
    """
    square = len(rows) == len(rows[0].numerators)
    gaps = [(lower, upper)]
    while gaps:
        low, high = gaps.pop()
        if most <= 0 or high - low < _NARROWEST:
            yield Part(low, high, "undecided")
            continue
        most -= 1
        with ctx.workprec(_BITS):
            if has_independent_columns(expand(rows, low, high)):
                yield Part(low, high, "regular")
            elif square and one_root(rows, low, high) is not None:
                yield Part(low, high, "root")
            else:
                middle = low + (high - low) * _SPLIT
                gaps += [(middle, high), (low, middle)]


def prove(rows: Sequence[ValueRow], part: Part) -> bool:
    """Tell whether what is said of a part is proved again, with twice as many digits."""
    with ctx.workprec(2 * _BITS):
        if part.status == "regular":
            return has_independent_columns(expand(rows, part.lower, part.upper))
        return part.status == "undecided" or one_root(rows, part.lower, part.upper) is not None


def is_regular(piece: Piece, most: int = 300) -> bool:
    """Tell whether a square M is proved to be regular on a whole piece; False leaves the question open."""
    parts = cover(deflated(piece), *ends(piece), most)
    return all(part.status == "regular" for part in parts)


def ends(piece: Piece) -> tuple[Fraction, Fraction]:
    """Return rational numbers of few digits close to the ends of a piece, in [0, 1] and not inside of it."""
    lower, upper = piece.lower.refine(_NEAR).lower, piece.upper.refine(_NEAR).upper
    grid = 1
    while grid * (upper - lower) < _GRID:
        grid *= 2
    return Fraction(floor(lower * grid), grid), Fraction(ceil(upper * grid), grid)


def deflated(piece: Piece) -> list[ValueRow]:
    """Return rows whose columns satisfy the same equations as those of M inside the piece.

    Where M is singular at 0 or 1, as it is at 1 if all goals are always reached, combinations of its rows vanish there,
    and are divided by ``x`` or ``x - 1``. No such division changes a null vector in (0, 1).
    """
    rows = list(piece.rows)
    if piece.lower == ZERO:
        rows = _divided(rows, 0)
    return _divided(rows, 1) if piece.upper == ONE else rows


def _divided(rows: list[ValueRow], end: int) -> list[ValueRow]:
    factor, one = fmpz_poly([-end, 1]), fmpz_poly([1])
    for _ in range(_DIVISIONS):
        rows = [row if row.denominator(end) else ValueRow.of(row.numerators, one) for row in rows]
        below = values_at([[row.denominator] for row in rows], Fraction(end))
        values = values_at([row.numerators for row in rows], Fraction(end)) / below
        relations = exact.null_space(values.T).T.tolist()
        if len(rows) - len(relations) == len(rows[0].numerators):
            break
        # No other relation has an entry where one ends: to replace that row keeps the rows equivalent.
        changed = {
            max(i for i, x in enumerate(relation) if x): _vanishing(rows, relation, end) for relation in relations
        }
        for i, row in changed.items():
            rows[i] = ValueRow.of([p // factor for p in row.numerators], row.denominator)
    return rows


def _vanishing(rows: list[ValueRow], relation: list[Fraction], end: int) -> ValueRow:
    """Return the combination of rows that a relation says is zero at 0 or 1."""
    used = [(row, x) for row, x in zip(rows, relation, strict=True) if x]
    below = fmpz_poly([1])
    if len(used) <= _KEEP:
        for denominator in {str(row.denominator): row.denominator for row, _ in used}.values():
            below *= denominator
        weights = [(x, below // row.denominator) for row, x in used]
    else:  # the product would be long: keep the values at the end only
        weights = [(x / int(row.denominator(end)), below) for row, x in used]
    scale = lcm(*(x.denominator for x, _ in weights))
    factors = [int(x * scale) * p for x, p in weights]
    columns = zip(*(row.numerators for row, _ in used), strict=True)
    return ValueRow.of([dot(factors, column) for column in columns], below * scale)


def _rational(point: Fraction) -> fmpq:
    return fmpq(point.numerator, point.denominator)


def _matrix(values: FloatArray) -> arb_mat:
    return arb_mat(values.tolist())


def _absolute(matrix: arb_mat) -> arb_mat:
    return arb_mat(matrix.nrows(), matrix.ncols(), [abs(x) for x in matrix.entries()])
