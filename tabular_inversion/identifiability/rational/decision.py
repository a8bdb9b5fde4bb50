"""What an exact decision procedure returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.rational.proofs import ValueProof


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
    proofs: tuple[ValueProof, ...]
    pair: ExactPair | None
    reason: str


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
