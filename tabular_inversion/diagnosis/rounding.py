"""Values that were rounded: to a float type, or to decimals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.trials import Trial

_ARITHMETIC = 16.0
"""How many units of its rounding values may be off that were computed, not only stored, in a float type."""
_DECIMALS = range(1, 9)


@dataclass(frozen=True, eq=False)
class Rounding:
    """To what the values of an agent are rounded.

    Attributes
    ----------
    name : str
        Of the float type, or the decimals in words.
    noise : numpy.ndarray, shape (G,)
        How far rounding moves a value of each goal at most.
    """

    name: str
    noise: FloatArray


def find_rounding(agent: AgentValues) -> Rounding | None:
    """Return the coarsest rounding that every value already has; None if they are just floats."""
    q = np.where(agent.available, agent.q, 0.0)
    if (np.round(q) == q).all():  # whole numbers are what many worlds have
        return None
    for digits in _DECIMALS:
        if (np.round(q, digits) == q).all():
            return Rounding(f"{digits} decimals", np.full(agent.n_goals, 0.5 * 10.0**-digits))
    largest = np.abs(q).max(axis=(1, 2))
    for name, kind in (("float16", np.float16), ("float32", np.float32)):
        with np.errstate(over="ignore"):
            if (q.astype(kind) == q).all():
                limits = np.finfo(kind)
                return Rounding(name, np.maximum(largest * float(limits.eps) / 2.0, float(limits.smallest_subnormal)))
    return None


def rounded_values(case: Case) -> list[Trial]:
    """Read the values as rounded ones."""
    found = find_rounding(case.agent)
    if found is None:
        return []
    trials = []
    for units, how in ((1.0, "rounded to"), (_ARITHMETIC, "computed in")):
        noise = units * found.noise
        text, change = f"the values were {how} {found.name}", f"noise={float(noise.max()):.2g}"
        trials.append(case.trial(text, f"identify(agent, kernel_class, {change})", noise=noise))
    return trials
