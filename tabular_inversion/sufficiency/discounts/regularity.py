"""Whether M is regular on a whole interval of discounts, certified by ball arithmetic: cheaper than its determinant."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, arb_mat, fmpq

from tabular_inversion.sufficiency.discounts.policy_pieces import Piece
from tabular_inversion.sufficiency.discounts.value_polynomials import ValueRow

_MOST_INTERVALS = 300
_NEAR = Fraction(1, 2**50)


def is_regular(piece: Piece) -> bool:
    """Tell whether a square M is proved to be regular on a whole piece; False leaves the question open.

    The piece is halved, and halved again, as long as that may help and no more than a few hundred times.
    """
    intervals = [(piece.lower.refine(_NEAR).lower, piece.upper.refine(_NEAR).upper)]
    for _ in range(_MOST_INTERVALS):
        if not intervals:
            return True
        lower, upper = intervals.pop()
        if not _is_regular_between(piece.rows, lower, upper):
            middle = (lower + upper) / 2
            intervals += [(lower, middle), (middle, upper)]
    return not intervals


def _is_regular_between(rows: tuple[ValueRow, ...], lower: Fraction, upper: Fraction) -> bool:
    """Tell whether an approximate inverse shows that every matrix in the balls is regular: |I - A M| < 1."""
    ends = [arb(fmpq(end.numerator, end.denominator)) for end in (lower, upper)]
    ball = ends[0].union(ends[1])
    n = len(rows)
    scales = [1 / row.denominator(ball.mid()).mid() for row in rows]
    matrix = arb_mat(n, n, [p(ball) * s for row, s in zip(rows, scales, strict=True) for p in row.numerators])
    try:
        inverse = matrix.mid().inv().mid()
    except ZeroDivisionError:
        return False
    gap = (inverse * matrix).tolist()
    for i in range(n):
        gap[i][i] -= 1
    return all(bool(sum((abs(entry) for entry in row), arb(0)) < 1) for row in gap)
