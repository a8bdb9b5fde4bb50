"""What every decision procedure returns, in floats and in fractions, before it is dressed as a `Verdict`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.identifiability.status import Evidence, Status


@dataclass(frozen=True, eq=False)
class Pair:
    """Two rows of the class with the same values, floats or fractions, found for available row number `row`."""

    row: int
    first: NDArray[Any]
    second: NDArray[Any]


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
    proofs : tuple
        Of fractions: what re-checks the rows that it covers. Floats have none.
    """

    codes: NDArray[np.int8]
    evidence: NDArray[np.int8]
    pair: Pair | None
    reason: str
    proofs: tuple[Any, ...] = ()

    @classmethod
    def proved(cls, codes: NDArray[np.int8], proofs: Sequence[Any], pair: Pair | None, reason: str) -> Decision:
        """Return a decision in fractions: whatever is decided is exact."""
        evidence = np.where(codes == Status.UNDECIDED, Evidence.NUMERIC, Evidence.EXACT).astype(np.int8)
        return cls(codes, evidence, pair, reason, tuple(proofs))


def joined_reasons(reasons: Sequence[str]) -> str:
    """Return different reasons one after the other, three at most, and how many more there are."""
    different = list(dict.fromkeys(reasons))
    more = f"; and {len(different) - 3} more reasons" if len(different) > 3 else ""
    return "; ".join(different[:3]) + more
