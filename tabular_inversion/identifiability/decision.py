"""What every decision procedure returns, before it is dressed as a `Verdict`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular_inversion._typing import FloatArray


@dataclass(frozen=True, eq=False)
class Pair:
    """Two rows of the class with the same values, found for available row number `row`."""

    row: int
    first: FloatArray
    second: FloatArray


@dataclass(frozen=True, eq=False)
class Decision:
    """A status code for each available row, in ascending order of s*A + a, and why.

    Attributes
    ----------
    codes : numpy.ndarray of int8, shape (rows,)
        `Status` values.
    evidence : numpy.ndarray of int8, shape (rows,)
        `Evidence` values.
    pair : Pair or None
        For one row that is not identified.
    reason : str
        One sentence.
    """

    codes: NDArray[np.int8]
    evidence: NDArray[np.int8]
    pair: Pair | None
    reason: str


def joined_reasons(reasons: Sequence[str]) -> str:
    """Return different reasons one after the other, three at most, and how many more there are."""
    different = list(dict.fromkeys(reasons))
    more = f"; and {len(different) - 3} more reasons" if len(different) > 3 else ""
    return "; ".join(different[:3]) + more
