"""Whether columns are independent, with three answers, and what two rows a null vector is the difference of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from tabular_inversion._typing import FloatArray


class RankStatus(Enum):
    """FULL: the columns are independent. DEFICIENT: they are not. UNKNOWN: floats do not settle it."""

    FULL = "full"
    DEFICIENT = "deficient"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RankDecision:
    """Whether the columns of a system are independent, for all numbers within its uncertainty.

    Attributes
    ----------
    status : RankStatus
        The answer.
    proved : bool
        Whether it rests on rigorous bounds alone: FULL by a left inverse that contracts, DEFICIENT because there are
        fewer equations than unknowns, or because the numbers are exact and dependent. Otherwise it rests on the
        assumption that numbers which coincide as given, where nothing near them differs, coincide in truth.

    Examples
    --------
    >>> RankDecision(RankStatus.FULL, proved=True).status.name
    'FULL'
    """

    status: RankStatus
    proved: bool


def exactly_dependent(matrix: FloatArray) -> bool:
    """Tell whether the columns of a matrix of floats, taken as the dyadic rationals that they are, are dependent.

    Examples
    --------
    >>> import numpy as np
    >>> exactly_dependent(np.array([[1.0, 2.0], [2.0, 4.0]])), exactly_dependent(np.array([[0.1, 0.3], [1.0, 3.0]]))
    (True, False)
    """
    from tabular_inversion.exact import fraction_array, rank  # python-flint is not needed by most calls

    return bool(rank(fraction_array(matrix, allow_float=True)).rank < matrix.shape[1])


def split_into_rows(vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn v != 0 whose entries sum to zero into two distributions p and p' with p - p' parallel to v.

    Examples
    --------
    >>> import numpy as np
    >>> split_into_rows(np.array([2.0, -1.0, -1.0]))
    (array([1., 0., 0.]), array([0. , 0.5, 0.5]))
    """
    first, second = np.maximum(vector, 0.0), np.maximum(-vector, 0.0)
    return first / first.sum(), second / second.sum()
