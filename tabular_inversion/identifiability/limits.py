"""Noise levels of each row of a verdict, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.identifiability.asked import VerdictQuestion


class NoiseLimits(NamedTuple):
    """Noise levels of each row, shape (S, A), NaN where there is none.

    Attributes
    ----------
    least, largest : numpy.ndarray
        Below the least no member of the class has the row's values; up to the largest the row is certified to be the
        only one.
    """

    least: FloatArray
    largest: FloatArray


@singledispatch
def limits_of(question: VerdictQuestion) -> NoiseLimits:
    """Return the noise levels of a question; one about no values has none, and each other kind registers its way."""
    nothing = np.full(question.available.shape, np.nan)
    return NoiseLimits(nothing, nothing)


def finite(level: float) -> float | None:
    """Return a finite number, else None, as JSON has it."""
    return level if np.isfinite(level) else None


def extreme(levels: FloatArray, choose: Callable[[FloatArray], Any]) -> float:
    """Return what is chosen of the levels that exist; NaN where none does."""
    known = levels[~np.isnan(levels)]
    return float(choose(known)) if known.size else float("nan")
