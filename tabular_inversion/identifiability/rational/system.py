"""The equations that each row satisfies, in fractions."""

from __future__ import annotations

from dataclasses import dataclass

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.exact.rationals import FractionArray


@dataclass(frozen=True, eq=False)
class ExactSystem:
    """``matrix @ p = values`` for every available row.

    Attributes
    ----------
    matrix : numpy.ndarray of Fraction, shape (equations, n)
        M, or [M;1] with the row of ones last.
    values : numpy.ndarray of Fraction, shape (equations, R)
        The right-hand sides.
    row_index : numpy.ndarray of int, shape (R,)
        Numbers s*A + a of the available rows.
    allowed : numpy.ndarray of bool, shape (R, n)
        Where each row may be positive.
    max_successors : int
        How many entries of a row may be positive.
    """

    matrix: FractionArray
    values: FractionArray
    row_index: IntArray
    allowed: BoolArray
    max_successors: int

    @property
    def n_rows(self) -> int:
        """R, the number of available rows."""
        return len(self.row_index)

    @property
    def n_states(self) -> int:
        """N."""
        return int(self.matrix.shape[1])
