"""The search for discounts at which a rank falls, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpz_poly

from tabular_inversion.discounts.negative_type import blocks_of, metric_of, negative_type
from tabular_inversion.discounts.policy_pieces import Piece
from tabular_inversion.discounts.regularity import is_regular
from tabular_inversion.exact.polynomials.matrices import (
    PolynomialMatrix,
    determinant,
    generic_rank,
    is_long,
    rank_at,
    rank_drops,
)
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber, isolate, show_polynomial
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record

_SHOWN_WIDTH = Fraction(1, 2**40)


@checked
@dataclass(frozen=True, eq=False)
class ExceptionalDiscount(Record):
    """A discount at which the rank of M, or of M with a row of ones below it, is less than nearby.

    Attributes
    ----------
    discount : AlgebraicNumber
        Where, exactly: an isolating interval and a minimal polynomial, or a fraction.
    multiplicity : int
        How often it is a root of det M, or of the greatest common divisor of random combinations of largest minors
        where M is not square.
    rank, rank_with_ones : int
        The ranks of M and of [M;1] there. Both are proved where the discount is rational. Elsewhere they are ranks
        modulo a prime of 61 bits: never more than the true ones. That the columns are dependent, where they are, is
        proved by `ExceptionalDiscounts.verify`.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> from tabular_inversion.discounts import exceptional_discounts
    >>> found, = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 2))).discounts
    >>> found.discount.minimal_polynomial, found.rank, found.rank_with_ones
    ((-1, 0, 2), 4, 5)
    """

    discount: AlgebraicNumber
    multiplicity: int
    rank: int
    rank_with_ones: int

    def __float__(self) -> float:
        return float(self.discount)

    @property
    def label(self) -> str:
        """The discount in few digits, or as a fraction, for pictures."""
        return f"{float(self):.4f}" if self.discount.value is None else str(self.discount.value)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, with fractions as texts."""
        number = self.discount.refine(_SHOWN_WIDTH)
        return {
            "discount": None if number.value is None else str(number.value),
            "decimal": float(number),
            "interval": [str(number.lower), str(number.upper)],
            "minimal_polynomial": show_polynomial(number.minimal_polynomial),
            "degree": number.degree,
            "multiplicity": self.multiplicity,
            "rank": self.rank,
            "rank_with_ones": self.rank_with_ones,
        }


def with_ones(matrix: PolynomialMatrix) -> PolynomialMatrix:
    """Return a matrix with a row of ones below it."""
    return [*matrix, [fmpz_poly([1])] * len(matrix[0])]


def _roots_of_metric(distances: FractionArray) -> dict[AlgebraicNumber, int]:
    """Return the roots of det gamma^d with their multiplicities, from the parts between cut points.

    The determinant is the product of theirs, and a part of negative type has no root (X3).
    """
    powers = [fmpz_poly([0] * d + [1]) for d in range(int(distances.max()) + 1)]
    found: dict[AlgebraicNumber, int] = {}
    for block in blocks_of(distances):
        part = distances[np.ix_(block, block)]
        if not negative_type(part).holds:
            for number, multiplicity in isolate(determinant([[powers[int(d)] for d in row] for row in part])):
                found[number] = found.get(number, 0) + multiplicity
    return found


def search(
    pieces: tuple[Piece, ...], progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[tuple[int, int], ...], tuple[ExceptionalDiscount, ...]]:
    """Return the usual ranks of M and [M;1] on each piece, and every discount at which they are not the usual ones."""
    ranks, discounts = [], []
    for done, piece in enumerate(pieces):
        if progress is not None:
            progress(done, len(pieces))
        matrix = [row.numerators for row in piece.rows]
        extended = with_ones(matrix)
        usual = (generic_rank(matrix), generic_rank(extended))
        ranks.append(usual)
        regular = usual[0] == len(matrix) == len(matrix[0])
        distances = metric_of(piece.rows) if regular else None
        if distances is not None:
            candidates = _roots_of_metric(distances)
        elif regular and is_long(matrix) and is_regular(piece):
            continue
        else:
            candidates = dict(isolate(rank_drops(matrix, usual[0])))
        if usual[1] > usual[0]:  # otherwise [M;1] loses rank only where M does
            candidates = dict(isolate(rank_drops(extended, usual[1]))) | candidates
        for number in sorted(candidates):
            if piece.lower <= number < piece.upper:
                there = (rank_at(matrix, number), rank_at(extended, number))
                if there != usual:
                    discounts.append(ExceptionalDiscount(number, candidates[number], *there))
    return tuple(ranks), tuple(discounts)
