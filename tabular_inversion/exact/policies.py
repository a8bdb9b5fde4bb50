"""Policies in fractions."""

import numpy as np

from tabular_inversion._typing import BoolArray
from tabular_inversion.exact.rationals import FractionArray, fraction_array


def uniform_policy(available: BoolArray) -> FractionArray:
    """Return the policy (S, A) that takes each available action with the same probability, in fractions.

    Examples
    --------
    >>> [str(p) for p in uniform_policy(np.array([[True, True, False]]))[0]]
    ['1/2', '1/2', '0']
    """
    counts = np.maximum(available.sum(axis=1, keepdims=True), 1)
    weights: FractionArray = fraction_array(available.astype(int)) / fraction_array(counts)
    return weights
