"""What an exact decision procedure returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.rational.proofs import Proof


@dataclass(frozen=True, eq=False)
class ExactPair:
    """Two rows of the class with exactly the same values, for the available row at position `row`."""

    row: int
    first: FractionArray
    second: FractionArray


@dataclass(frozen=True, eq=False)
class ExactDecision:
    """Codes of `Status` for each available row, the proofs that cover them, and one pair where a row is not unique."""

    codes: NDArray[np.int8]
    proofs: tuple[Proof, ...]
    pair: ExactPair | None
    reason: str


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
    """

    matrix: FractionArray
    values: FractionArray
    row_index: IntArray
    allowed: BoolArray

    @property
    def n_rows(self) -> int:
        """R, the number of available rows."""
        return len(self.row_index)

    @property
    def n_states(self) -> int:
        """N."""
        return int(self.matrix.shape[1])


def groups(masks: BoolArray) -> list[tuple[BoolArray, IntArray]]:
    """Return each different mask with the positions of the rows that have it.

    Examples
    --------
    >>> import numpy as np
    >>> [rows.tolist() for _, rows in groups(np.array([[True, False], [False, True], [True, False]]))]
    [[1], [0, 2]]
    """
    different, inverse = np.unique(masks, axis=0, return_inverse=True)
    return [(mask, np.flatnonzero(inverse.ravel() == i)) for i, mask in enumerate(different)]


def split_exactly(vector: FractionArray) -> tuple[FractionArray, FractionArray]:
    """Turn v != 0 whose entries sum to zero into two distributions whose difference is parallel to v."""
    zero = vector[0] * 0
    first = np.array([max(x, zero) for x in vector], dtype=object)
    second = np.array([max(-x, zero) for x in vector], dtype=object)
    return first / first.sum(), second / second.sum()
