"""What exact decision procedures do with arrays: rows by their masks, a direction as two distributions."""

from __future__ import annotations

import numpy as np

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.exact.rationals import FractionArray


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
