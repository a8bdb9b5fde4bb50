"""How much more training a verdict needs: the noise that it allows, and the steps at which learning gets there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability import identify
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, sealed
from tabular_inversion.validation import finite_array


@checked
@dataclass(frozen=True, eq=False, repr=False)
class TrainingNeeded(Record):
    """What training has to reach before rows are identified.

    Attributes
    ----------
    noise : numpy.ndarray, shape (S, A)
        For each row the noise up to which it is certified to be the only one, by the values at hand; 0 where no noise
        is small enough to say so, NaN where the action is unavailable.
    steps : numpy.ndarray, shape (S, A)
        The transitions at which the fitted rate reaches that noise; infinite where it never does, NaN where no
        learning curve was given.
    rate : float
        The fitted rate: the noise falls like ``steps ** -rate``; NaN where no learning curve was given.

    Examples
    --------
    >>> TrainingNeeded(np.array([[0.1]]), np.array([[1000.0]]), 0.5)
    <TrainingNeeded: noise 0.1 for all rows, 1e+03 steps at rate 0.50>
    """

    noise: FloatArray
    steps: FloatArray
    rate: float

    def __repr__(self) -> str:
        known = self.noise[~np.isnan(self.noise)]
        text = f"<TrainingNeeded: noise {float(known.min()) if known.size else np.nan:.3g} for all rows"
        if np.isnan(self.rate):
            return f"{text}>"
        return f"{text}, {float(np.nanmax(self.steps)):.3g} steps at rate {self.rate:.2f}>"


@checked
def training_needed(
    agent: AgentValues,
    kernel_class: KernelClass,
    *,
    steps: Sequence[float] | ArrayLike | None = None,
    errors: Sequence[float] | ArrayLike | None = None,
) -> TrainingNeeded:
    """Tell at which noise, and after how many transitions, each row becomes identified.

    Parameters
    ----------
    agent : AgentValues
        What has been learned so far; its values stand for the true ones, so the answer is a forecast.
    kernel_class : KernelClass
        What is known of the kernel.
    steps, errors : sequence of float, optional
        A learning curve: the noise (say, the largest of `Ensemble.noise`) after so many transitions, at two numbers of
        steps at least.

    Returns
    -------
    TrainingNeeded

    Raises
    ------
    InputError
        If only one of steps and errors is given, there are fewer than two, or one is not positive.

    Notes
    -----
    The noise is `Verdict.row_largest_noise`: sigma of M on vectors that sum to zero over the norm of discount * C
    (ST), of which no method tolerates more. The rate is a line through the logarithms, by least squares. A row whose
    level is 0 may lack goals rather than training.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, solve
    >>> from tabular_inversion.environments import river_swim
    >>> agent = solve(river_swim(4), Goals.indicator(4))
    >>> training_needed(agent, Stochastic(), steps=[100, 10_000], errors=[0.1, 0.01])
    <TrainingNeeded: noise 0.022 for all rows, 2.07e+03 steps at rate 0.50>
    """
    if (steps is None) != (errors is None):
        raise InputError("steps and errors are one learning curve; give both or neither.")
    level = np.array(identify(agent, kernel_class).row_largest_noise)
    if steps is None or errors is None:
        return TrainingNeeded(sealed(level), sealed(np.full(level.shape, np.nan)), float("nan"))
    taken = finite_array("steps", steps, (None,), "(points,)", InputError)
    missed = finite_array("errors", errors, (len(taken),), "(points,), one for each of steps", InputError)
    if len(taken) < 2 or (taken <= 0).any() or (missed <= 0).any() or np.ptp(taken) == 0:
        raise InputError("a learning curve needs positive errors after at least two positive numbers of steps.")
    slope, height = np.polyfit(np.log(taken), np.log(missed), 1)
    with np.errstate(divide="ignore", over="ignore"):
        needed = np.exp((np.log(level) - height) / slope) if slope < 0 else np.full(level.shape, np.inf)
    reached = missed[taken.argmax()] <= level
    needed = np.where(np.isnan(level), np.nan, np.where(reached, np.fmin(needed, taken.max()), needed))
    return TrainingNeeded(sealed(level), sealed(needed), float(-slope))
