"""Recovery of transition rows from values: one file for each kernel class, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.errors import InputError, KernelClassError, ShapeError
from tabular_inversion.kernel_classes import (
    Deterministic,
    KernelClass,
    Sparse,
    Supported,
    Unconstrained,
    check_known,
    check_options,
)
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.closed_form import closed_form
from tabular_inversion.recovery.column_matching import column_matching, column_separation
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.simplex import simplex_rows
from tabular_inversion.recovery.sparse_support import sparse_rows
from tabular_inversion.recovery.supported import supported_rows
from tabular_inversion.validation import check_distributions, finite_array, locate

__all__ = [
    "Recovery",
    "closed_form",
    "column_matching",
    "column_separation",
    "recover",
    "simplex_rows",
    "sparse_rows",
    "supported_rows",
]


@checked
def recover(
    matrix: FloatArray,
    values: FloatArray,
    kernel_class: KernelClass,
    *,
    row_index: IntArray,
    prior: ArrayLike | None = None,
    norm: float = np.inf,
    progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Find the rows of a class that explain the values best.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (k, n)
        M, `AgentValues.test_matrix`.
    values : numpy.ndarray, shape (k, R)
        `AgentValues.right_hand_sides`.
    kernel_class : KernelClass
        Where to look.
    row_index : numpy.ndarray of int, shape (R,)
        Numbers s*A + a of the rows, by which `Supported` knows their supports.
    prior : array_like, shape (n,) or (R, n), optional
        Which rows to prefer where the values leave freedom; uniform when omitted. `Deterministic` and `Sparse` have no
        use for it.
    norm : float
        For `Deterministic`: 1, 2 or infinity.
    progress : callable, optional
        For `Sparse`: ``progress(done, total)``.

    Returns
    -------
    Recovery

    Raises
    ------
    ShapeError
        If the arrays do not fit each other.
    InputError
        If a number is not finite, or the prior or the norm is out of range.
    KernelClassError
        If the class does not fit the number of states.
    ConvergenceError
        If floating point, or an integer program, does not settle a row.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import Stochastic
    >>> recover(np.eye(2), np.array([[0.25], [0.75]]), Stochastic(), row_index=np.array([0])).rows
    array([[0.25, 0.75]])
    """
    check_known(kernel_class, "recovery")
    check_options(kernel_class, prior=prior, norm=norm)
    _check_system(matrix, values, row_index)
    start = None if prior is None else _check_prior(prior, matrix.shape[1], values.shape[1], kernel_class)
    if isinstance(kernel_class, Unconstrained):
        return closed_form(matrix, values, prior=start)
    if isinstance(kernel_class, Deterministic):
        return column_matching(matrix, values, norm=norm)
    if isinstance(kernel_class, Sparse):
        return sparse_rows(matrix, values, kernel_class.max_successors, progress=progress)
    if isinstance(kernel_class, Supported):
        rows, n_states = kernel_class.support.shape
        if n_states != matrix.shape[1] or row_index.max() >= rows:
            raise KernelClassError(
                f"the support has shape {(rows, n_states)}; expected rows up to {int(row_index.max())} and "
                f"{matrix.shape[1]} states, like the agent."
            )
        return supported_rows(matrix, values, kernel_class.rows(row_index), prior=start)
    return simplex_rows(matrix, values, prior=start)


def _check_system(matrix: FloatArray, values: FloatArray, row_index: IntArray) -> None:
    """Raise unless the arrays fit each other and are finite. They are large, so they are not copied."""
    shapes = np.shape(matrix), np.shape(values), np.shape(row_index)
    fit = (
        [len(shape) for shape in shapes] == [2, 2, 1] and shapes[0][0] == shapes[1][0] and shapes[1][1] == shapes[2][0]
    )
    if not fit or 0 in (*shapes[0], *shapes[1]):
        raise ShapeError(
            f"matrix, values and row_index have shapes {shapes[0]}, {shapes[1]} and {shapes[2]}; expected (G, S), "
            "(G, rows) and (rows,), no axis empty."
        )
    for name, array, axes in (("matrix", matrix, "(g, s)"), ("values", values, "(g, row)")):
        bad = ~np.isfinite(array)
        if bad.any():
            raise InputError(f"{name} is not finite, {locate(bad, array, axes)}; replace it.")


def _check_prior(prior: ArrayLike, n_states: int, n_rows: int, kernel_class: KernelClass) -> FloatArray:
    shape: tuple[int, ...] = (n_states,) if np.ndim(prior) == 1 else (n_rows, n_states)
    array = finite_array("prior", prior, shape, "(S,) or (rows, S)", InputError)
    if kernel_class.sums_to_one:
        check_distributions("prior", np.atleast_2d(array), None, "(row, s)", InputError)
    return array
