"""Many small linear programs at once, and what their multipliers prove.

HiGHS solves blocks of programs as one: a call costs about a millisecond before any arithmetic, and a small program a
tenth of that. What it returns is a claim. `least_values` turns any multipliers into a bound that holds whatever they
are, with the rounding of its own evaluation subtracted; the multipliers of a solved program make it sharp, and those
of a program without solution make it a contradiction (Farkas).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.highs import linear_program
from tabular_inversion.recovery.equations import TINY, rounding

LINEAR_PROGRAM_TOLERANCE = 1e-10
"""How far HiGHS lets a variable pass its bound, and a reduced cost zero; equations are in unit scale."""

BLOCK_VARIABLES = 6000
"""Variables in one program: longer ones make each pivot dearer, shorter ones waste the cost of a call."""

_CHUNK = 2**22
"""Numbers in one work array, 32 MB."""

_ITERATIONS = (1000, 50)
"""Iterations, and more for each variable and equation, after which a program counts as not solved: answers repeat."""

_SECONDS = (10.0, 1e-2)
"""Wall time, the same way, for what no iteration counts.

HiGHS can cycle for ever on a handful of variables, in a loop that its limit of iterations does not count. A program
that is given up makes bounds wider, never wrong. The limit is far above what any program takes that ends, so that a
busy machine does not change what is found.
"""

_TOLERANCES = {f"{side}_feasibility_tolerance": LINEAR_PROGRAM_TOLERANCE for side in ("primal", "dual")}
_METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("highs-ds", _TOLERANCES | {"presolve": False}),
    ("highs", {}),
    ("highs-ipm", {}),
)
"""Presolve finds little in dense blocks and costs more than it saves; it is the second try where simplex gets stuck."""


class Solutions(NamedTuple):
    """What a solver says of B programs; nothing of it is proved.

    Attributes
    ----------
    points : numpy.ndarray, shape (B, N)
        Optimal points, moved within their bounds.
    multipliers : numpy.ndarray, shape (B, E)
        Of the equations: ``costs - multipliers @ equations`` is at least 0 where a variable is at its lower bound.
    solved : numpy.ndarray of bool, shape (B,)
        Where False no method found an optimum: the point is the lower bound nearest to zero, the multipliers are 0.
    """

    points: FloatArray
    multipliers: FloatArray
    solved: BoolArray


def block_size(n_variables: int) -> int:
    """Return how many programs with this many variables to solve as one."""
    return max(1, BLOCK_VARIABLES // n_variables)


def solve_blocks(
    costs: FloatArray, equations: FloatArray, values: FloatArray, lower: FloatArray, upper: FloatArray
) -> Solutions:
    """Minimise B linear functions, each over its own ``equations @ x = values``, ``lower <= x <= upper``.

    Parameters
    ----------
    costs, lower, upper : numpy.ndarray, shape (B, N)
        Coefficients and bounds.
    equations : numpy.ndarray, shape (B, E, N)
        Rows of zeros are allowed.
    values : numpy.ndarray, shape (B, E)
        Right-hand sides.

    Returns
    -------
    Solutions
        A program that no method solves does not take the others of its block with it.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((2, 1, 2)), np.zeros((2, 2))
    >>> found = solve_blocks(np.array([[1.0, 2.0]] * 2), one, np.array([[1.0], [-1.0]]), none, none + 5.0)
    >>> found.points.tolist(), found.solved.tolist()
    ([[1.0, 0.0], [0.0, 0.0]], [True, False])
    """
    n_blocks, n_equations, n_variables = equations.shape
    places = np.broadcast_to(
        (np.arange(n_blocks) * n_variables)[:, None, None] + np.arange(n_variables), equations.shape
    )
    ends = np.arange(n_blocks * n_equations + 1) * n_variables
    size = (n_blocks * n_equations, n_blocks * n_variables)
    diagonal = csr_array((equations.flatten(), places.flatten(), ends), shape=size)
    diagonal.eliminate_zeros()
    bounds = np.stack([lower.ravel(), upper.ravel()], axis=1)
    limit = {
        name: least + more * sum(size) for name, (least, more) in (("maxiter", _ITERATIONS), ("time_limit", _SECONDS))
    }
    for method, options in _METHODS if n_blocks == 1 else _METHODS[:1]:
        found = linear_program(
            costs.ravel(), A_eq=diagonal, b_eq=values.ravel(), bounds=bounds, method=method, options=options | limit
        )
        if found.status == 0:
            points = np.clip(found.x.reshape(lower.shape), lower, upper)
            return Solutions(points, found.eqlin.marginals.reshape(values.shape), np.ones(n_blocks, bool))
    if n_blocks == 1:
        return Solutions(np.clip(np.zeros(lower.shape), lower, upper), np.zeros(values.shape), np.zeros(1, bool))
    middle = n_blocks // 2
    halves = [
        solve_blocks(costs[part], equations[part], values[part], lower[part], upper[part])
        for part in (slice(None, middle), slice(middle, None))
    ]
    return Solutions(*(np.concatenate(parts) for parts in zip(*halves, strict=True)))


class Constraints(NamedTuple):
    """What is known of U rows p: distributions on some states with ``|tests @ p - middle| <= half_width``.

    Attributes
    ----------
    tests : numpy.ndarray, shape (k, n)
        Test functions of unit size.
    middle, half_width : numpy.ndarray, shape (U, k)
        The values and how far they may be missed.
    columns : numpy.ndarray of int, shape (U, N)
        States that may be positive; n as a filler.
    """

    tests: FloatArray
    middle: FloatArray
    half_width: FloatArray
    columns: IntArray

    @property
    def shared(self) -> bool:
        """Whether all rows may reach the same states."""
        return bool((self.columns == self.columns[0]).all())

    def at_places(self, rows: IntArray) -> FloatArray:
        """Return the tests on the columns of B rows, 0 at fillers, shape (B, k, N)."""
        padded = np.concatenate([self.tests, np.zeros((len(self.tests), 1))], axis=1)
        return np.ascontiguousarray(np.moveaxis(padded[:, self.columns[rows]], 0, 1))

    def allowed(self, rows: IntArray) -> BoolArray:
        """Return which places of B rows are states, shape (B, N)."""
        return np.asarray(self.columns[rows] < self.tests.shape[1])


def least_values(
    constraints: Constraints, rows: IntArray, objectives: FloatArray, combinations: FloatArray
) -> FloatArray:
    """Bound ``c.p`` from below over all rows p that satisfy the constraints, whatever the multipliers.

    Parameters
    ----------
    constraints : Constraints
        Of U rows.
    rows : numpy.ndarray of int, shape (B,)
        Which of them; they may repeat.
    objectives : numpy.ndarray, shape (B, N)
        c on the columns of each.
    combinations : numpy.ndarray, shape (B, k)
        y, one multiplier for each test, from anywhere.

    Returns
    -------
    numpy.ndarray, shape (B,)
        ``y.middle - |y|.half_width + min_j (c - y.tests)_j``, less what its evaluation may round. For c = 0 a positive
        bound is a contradiction: no row satisfies the constraints.

    Examples
    --------
    >>> import numpy as np
    >>> known = Constraints(np.array([[0.0, 1.0]]), np.array([[0.25]]), np.array([[0.125]]), np.array([[0, 1]]))
    >>> least_values(known, np.zeros(2, int), np.array([[1.0, 0.0]] * 2), np.array([[-1.0], [0.0]])).round(12) + 0.0
    array([0.625, 0.   ])
    """
    if not len(rows):
        return np.zeros(0)
    block = len(rows) if constraints.shared else max(1, _CHUNK // (objectives.shape[1] * combinations.shape[1] + 1))
    parts = [slice(start, start + block) for start in range(0, len(rows), block)]
    return np.concatenate(
        [_least_values(constraints, rows[part], objectives[part], combinations[part]) for part in parts]
    )


def _least_values(
    constraints: Constraints, rows: IntArray, objectives: FloatArray, combinations: FloatArray
) -> FloatArray:
    # A multiplier that is no number proves nothing; zero instead of it does no harm.
    y = np.where(np.isfinite(combinations), combinations, 0.0)
    tests, size = constraints.at_places(rows[:1] if constraints.shared else rows), np.abs(y)
    slack = rounding(y.shape[1] + 6)
    if len(tests) == 1:
        seen, whole = y @ tests[0], size @ np.abs(tests[0])
    else:
        seen, whole = (np.einsum("bk,bkn->bn", *pair) for pair in ((y, tests), (size, np.abs(tests))))
    doubt = slack * (whole + np.abs(objectives)) + TINY
    least = np.where(constraints.allowed(rows), objectives - seen - doubt, np.inf).min(axis=1)
    middle = constraints.middle[rows]
    own = (y * middle).sum(axis=1)
    missed = (size * (constraints.half_width[rows] + slack * np.abs(middle))).sum(axis=1)
    missed = missed + rounding(4) * (missed + np.abs(own) + np.abs(least)) + TINY
    return np.asarray(own - (1.0 + slack) * missed + least)


def sharpen(constraints: Constraints, rows: IntArray, objectives: FloatArray) -> Solutions:
    """Minimise ``c.p`` over the rows p that satisfy the constraints: points, and multipliers for `least_values`.

    Parameters
    ----------
    constraints, rows, objectives
        As for `least_values`.

    Returns
    -------
    Solutions
        Points (B, N), multipliers of the tests (B, k).
    """
    k = len(constraints.tests)
    points, multipliers = np.zeros(objectives.shape), np.zeros((len(rows), k))
    solved = np.zeros(len(rows), bool)
    block = block_size(objectives.shape[1] + k)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        points[part], multipliers[part], solved[part] = _sharpen(constraints, rows[part], objectives[part])
    return Solutions(points, multipliers, solved)


def _sharpen(constraints: Constraints, rows: IntArray, objectives: FloatArray) -> Solutions:
    """Solve one block; the variables are p, and what each test misses its middle by."""
    tests, allowed, half = constraints.at_places(rows), constraints.allowed(rows), constraints.half_width[rows]
    n_blocks, k, n_places = tests.shape
    ones = np.concatenate([allowed, np.zeros((n_blocks, k))], axis=1)[:, None, :]
    missed = np.broadcast_to(np.eye(k), (n_blocks, k, k))
    equations = np.concatenate([np.concatenate([tests, missed], axis=2), ones], axis=1)
    values = np.concatenate([constraints.middle[rows], np.ones((n_blocks, 1))], axis=1)
    lower = np.concatenate([np.zeros(allowed.shape), -half], axis=1)
    upper = np.concatenate([np.where(allowed, np.inf, 0.0), half], axis=1)
    given = np.where(allowed, objectives, 0.0)
    size = np.abs(given).max(axis=1, keepdims=True)
    size = np.where(size > 0, size, 1.0)  # HiGHS's tolerances are absolute
    costs = np.concatenate([given / size, np.zeros((n_blocks, k))], axis=1)
    found = solve_blocks(costs, equations, values, lower, upper)
    return Solutions(found.points[:, :n_places], size * found.multipliers[:, :k], found.solved)
