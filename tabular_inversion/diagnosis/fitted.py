"""The parameter of a reading for which the values are explained best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from tabular_inversion._typing import FloatArray
from tabular_inversion.diagnosis.trials import Fit

_STEPS = 12
_SEARCH = 8
_PATIENCE = 5
"""Secant steps that may pass before the misfit is halved."""
_DIGITS = range(1, 8)


def best_parameter(look: Callable[[float], Fit], judge: Callable[[float], Fit], grid: FloatArray) -> float:
    """Return the parameter between the ends of a grid at which a few rows are explained best.

    Parameters
    ----------
    look : callable
        The nearest rows for a parameter, of a few rows only.
    judge : callable
        The nearest rows for a parameter, all of them.
    grid : numpy.ndarray, ascending
        Where to begin.

    Notes
    -----
    The best point of the grid, then secant steps on the misfit, which is nearly linear about the right value; a bounded
    search only where these lead nowhere. If a short decimal is as good, it is returned.
    """
    looks = [look(float(point)) for point in grid]
    order = np.argsort([found.size for found in looks])
    place = int(order[0])
    fitting = [int(i) for i in order if looks[i].fits]
    for i in fitting if len(fitting) > 1 else ():  # a few rows do not tell these apart
        if judge(float(grid[i])).fits:
            place = i
            break
    low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
    best = _secant(look, float(grid[place]), low, high)
    if not look(best).fits:
        found = minimize_scalar(
            lambda x: look(x).size, bounds=(low, high), method="bounded", options={"maxiter": _SEARCH}
        )
        again = _secant(look, float(found.x), low, high)
        best = min(best, again, key=lambda x: look(x).size)
    return _short(look, best, grid)


def _secant(look: Callable[[float], Fit], start: float, low: float, high: float) -> float:
    """Return where the misfit, taken to be linear in the parameter, is least."""
    here = look(start)
    beside = start + 1e-4 * ((high - start) if high - start >= start - low else (low - start))
    there = look(beside)
    best = min((here.size, start), (there.size, beside))
    begun = best[0]
    for step_number in range(_STEPS):
        change = there.misfit - here.misfit
        slope = float((change * change).sum())
        if slope == 0.0 or beside == start or (step_number >= _PATIENCE and best[0] > 0.5 * begun):
            break
        step = (beside - start) * float((there.misfit * change).sum()) / slope
        start, here = beside, there
        beside = float(np.clip(beside - step, low, high))
        there = look(beside)
        best = min(best, (there.size, beside))
    return best[1]


def _short(look: Callable[[float], Fit], parameter: float, grid: FloatArray) -> float:
    """Return a decimal with few digits near the parameter that explains the rows, or else the parameter."""
    if look(parameter).fits:
        for digits in _DIGITS:
            rounded = round(parameter, digits)
            near = abs(rounded - parameter) <= 1e-3 and grid[0] <= rounded <= grid[-1]
            if near and look(rounded).fits:
                return rounded
    return parameter
