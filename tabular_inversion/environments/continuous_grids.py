"""From a deterministic system x' = f(x, a) to a finite world, by interpolation on a grid.

An arrival between grid points goes to the corners of the simplex or of the box around it, with the weights that
express it by them as probabilities. So the expected value, given a row, of any function on the grid is its
interpolation at the arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.environments._checks import check_count
from tabular_inversion.environments.interpolation import Grid, Interpolation, check_method, weight_matrix
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.validation import check_discount, check_names, real_array

Step: TypeAlias = Callable[[FloatArray, int], ArrayLike]
"""``step(points, action)``: where the points, shape (B, d), go by an action; shape (B, d)."""

_MOST_ENTRIES = 2**29
"""Some 6 GiB as CSR, and two to three times as much while it is built."""

_CHUNK = 2**15
"""Points that are interpolated at a time."""


@checked
def interpolated_mdp(
    step: Step,
    grid: Grid,
    n_actions: int,
    *,
    discount: float,
    method: Interpolation = "kuhn",
    action_names: Sequence[str] | None = None,
) -> MDP:
    """Turn a deterministic system into a finite world by interpolation.

    Parameters
    ----------
    step : callable
        ``step(points, action)``, with points of shape (B, d) and an action in ``range(n_actions)``, returns where the
        points go, shape (B, d). It is called for many points at a time.
    grid : Grid
        The states.
    n_actions : int
        m.
    discount : float
        In [0, 1].
    method : {"kuhn", "multilinear"}
        As for `Grid.interpolation`: rows have at most d + 1 successors, or at most 2^d.
    action_names : sequence of str, optional
        A name for each action.

    Returns
    -------
    MDP
        Sparse, with the coordinates of the grid.

    Raises
    ------
    InputError
        If `step` returns a number that is not finite, or leaves the grid by an axis that refuses it; if the method is
        unknown, or the kernel would be larger than about 6 GiB.
    ShapeError
        If `step` returns another shape than it was given.
    DiscountError
        If the discount lies outside [0, 1].

    Notes
    -----
    With known supports, d generic goals identify every row of ``"kuhn"``, and 2^d - 1 goals every row of
    ``"multilinear"``. Source: T5(a).

    Examples
    --------
    >>> from tabular_inversion.environments import Axis
    >>> turn = interpolated_mdp(lambda x, a: x + 0.3 * a, Grid([Axis(0.0, 1.0, 5, beyond="wrap")]), 2, discount=0.9)
    >>> turn.toarray()[4].round(3)
    array([[0. , 0. , 0. , 0. , 1. ],
           [0.5, 0.5, 0. , 0. , 0. ]])
    """
    m = check_count("n_actions", n_actions, least=1)
    check_method(method)
    check_discount(discount)
    check_names("action_names", action_names, m, InputError)
    n, size = grid.n_states, len(grid.axes) + 1 if method == "kuhn" else 2 ** len(grid.axes)
    if n * m * size > _MOST_ENTRIES:
        raise InputError(
            f"{n} states with {m} actions and {size} successors each are {n * m * size} entries; at most "
            f"{_MOST_ENTRIES} are built: give the axes fewer points."
        )
    states, weights = np.empty((n, m, size), np.int32), np.empty((n, m, size))
    for start in range(0, n, _CHUNK):
        part = slice(start, min(start + _CHUNK, n))
        for action in range(m):
            arrivals = _arrivals(step, grid, part, action)
            states[part, action], weights[part, action] = grid.corners(arrivals, method)
    kernel = weight_matrix(states.reshape(-1, size), weights.reshape(-1, size), n)
    del states, weights  # the largest arrays of all: gone before the world copies its kernel
    names = None if action_names is None else tuple(action_names)
    return MDP(kernel, discount, action_names=names, coordinates=grid.coordinates)


def _arrivals(step: Step, grid: Grid, part: slice, action: int) -> FloatArray:
    """Return where a step leads from some states, or raise and say from which it leads nowhere."""
    points = grid.coordinates[part]
    given = step(points.copy(), action)  # a copy, so that a step that works in place does no harm
    arrivals = real_array("step", given, "(B, d)", InputError)
    if arrivals.shape != points.shape:
        raise ShapeError(f"step returns shape {arrivals.shape} for points of shape {points.shape}; make them equal.")
    wrong = grid.refused(arrivals)
    if wrong is not None:
        state, problem = wrong
        place = points[state].tolist()
        raise InputError(f"step from state {part.start + state} at {place} by action {action}: {problem}.")
    return arrivals
