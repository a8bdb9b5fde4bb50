"""The simplex method in fractions, with Bland's rule: slow, never wrong, and it always ends."""

from fractions import Fraction

import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.exact.rationals import FractionArray


def phase_one(matrix: FractionArray, right_hand_side: FractionArray) -> tuple[bool, FractionArray]:
    """Decide whether ``matrix @ x = right_hand_side`` has a solution x >= 0.

    Parameters
    ----------
    matrix : numpy.ndarray of object, shape (rows, columns)
        Fractions.
    right_hand_side : numpy.ndarray of object, shape (rows,)
        Fractions.

    Returns
    -------
    feasible : bool
        Whether there is one.
    vector : numpy.ndarray of object
        A vertex x of the solutions, shape (columns,); or a certificate y, shape (rows,), with ``y @ matrix >= 0`` and
        ``y @ right_hand_side < 0`` (Farkas).

    Notes
    -----
    An artificial variable for each row starts as the basis, and the sum of them is minimised. Bland's rule (the
    least index enters, the least index leaves among ties) excludes cycles: Bland, 1977.

    Examples
    --------
    >>> one = np.array([[Fraction(1)]])
    >>> phase_one(one, np.array([Fraction(2)]))
    (True, array([Fraction(2, 1)], dtype=object))
    >>> phase_one(one, np.array([Fraction(-2)]))
    (False, array([Fraction(1, 1)], dtype=object))
    """
    n_rows, n_columns = matrix.shape
    signs = np.where(right_hand_side < 0, -1, 1)
    artificial = np.full((n_rows, n_rows), Fraction(0), dtype=object)
    artificial[np.diag_indices(n_rows)] = Fraction(1)
    top = np.hstack([signs[:, None] * matrix, artificial, (signs * right_hand_side)[:, None]])
    # Costs of 1 for artificial variables, reduced by the rows of the basis that they form.
    costs = np.concatenate([np.zeros(n_columns, int), np.ones(n_rows, int), [0]]) - top.sum(axis=0)
    tableau = np.vstack([top, costs])
    basis = np.arange(n_columns, n_columns + n_rows)
    while (entering := np.flatnonzero(tableau[-1, :n_columns] < 0)).size:
        _pivot(tableau, basis, int(entering[0]))
    if tableau[-1, -1] == 0:
        solution = np.full(n_columns + n_rows, Fraction(0), dtype=object)
        solution[basis] = tableau[:-1, -1]
        return True, solution[:n_columns]
    return False, signs * (tableau[-1, n_columns:-1] - 1)


def _pivot(tableau: FractionArray, basis: IntArray, entering: int) -> None:
    """Bring a column into the basis, in place; the row with the least ratio leaves, by least index among ties."""
    candidates = np.flatnonzero(tableau[:-1, entering] > 0)
    ratios = tableau[candidates, -1] / tableau[candidates, entering]
    tied = candidates[ratios == ratios.min()]
    leaving = int(tied[basis[tied].argmin()])
    tableau[leaving] /= tableau[leaving, entering]
    others = np.arange(len(tableau)) != leaving
    tableau[others] -= tableau[others, entering][:, None] * tableau[leaving]
    basis[leaving] = entering
