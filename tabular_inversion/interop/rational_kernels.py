"""Exact rational kernels, recovered from the floats in which a table stores them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tabular_inversion._typing import IntArray
from tabular_inversion.errors import InputError, KernelError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
def exact_kernel(mdp: MDP, *, max_denominator: int = 10_000, tolerance: float = 1e-15) -> NDArray[np.object_]:
    """Return the kernel in fractions whose rows sum to exactly one, or raise.

    A table stores 1/3 as a float that is not 1/3, and often not even the float nearest to it: FrozenLake computes
    (1 - 1/3) / 2 = 0.33333333333333337.

    Parameters
    ----------
    mdp : MDP
        The world, dense or sparse; the result is dense.
    max_denominator : int
        The largest denominator allowed, at least 1.
    tolerance : float
        How far a fraction may be from the stored float (absolute), at least 0 and below 1 / (2 max_denominator^2).
        The default is a few roundings of a number near 1; 0 asks that each fraction equal its float exactly.

    Returns
    -------
    numpy.ndarray of fractions.Fraction, shape (S, A, S)
        Zero exactly where the kernel is.

    Raises
    ------
    KernelError
        If a positive entry has no such positive fraction, or a row of fractions does not sum to exactly one.
    InputError
        If `max_denominator` or `tolerance` is out of range.

    Notes
    -----
    Two fractions with denominators up to D differ by at least 1/D^2, so that at most one lies within a tolerance
    below 1/(2 D^2): the result is the only kernel of such fractions that the floats can mean.

    Examples
    --------
    >>> mdp = MDP([[[1 / 3, 2 / 3]], [[0.9, 0.09999999999999998]]], discount=0.5)
    >>> [str(fraction) for fraction in exact_kernel(mdp).ravel()]
    ['1/3', '2/3', '9/10', '1/10']
    """
    if isinstance(max_denominator, bool) or not isinstance(max_denominator, int) or max_denominator < 1:
        raise InputError(f"max_denominator is {max_denominator!r}; expected an integer of at least 1.")
    limit = Fraction(1, 2 * max_denominator**2)
    if not (np.isfinite(tolerance) and 0 <= tolerance < limit):
        raise InputError(
            f"tolerance is {tolerance}; expected at least 0 and below {float(limit):g}, so that at most one fraction "
            f"with denominator up to {max_denominator} is near."
        )
    rows = csr_array(mdp.rows, copy=True)
    rows.eliminate_zeros()
    values, where = np.unique(rows.data, return_inverse=True)
    fractions = [Fraction(value).limit_denominator(max_denominator) for value in values.tolist()]
    near = [f > 0 and abs(f - Fraction(v)) <= tolerance for f, v in zip(fractions, values.tolist(), strict=True)]
    if not all(near):
        entry = int(np.flatnonzero(~np.array(near)[where])[0])
        row = int(np.searchsorted(rows.indptr, entry, side="right")) - 1
        raise KernelError(
            f"kernel entry {_place(mdp, row)}, next state {rows.indices[entry]} is {values[where[entry]].item()!r}, "
            f"not within {tolerance:g} of a positive fraction with denominator up to {max_denominator}; "
            "raise one of the two limits."
        )
    data = np.array(fractions, dtype=object)[where]
    _check_sums(mdp, rows.indptr, data)
    kernel = np.full(rows.shape, Fraction(0), dtype=object)
    kernel[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices] = data
    return kernel.reshape(mdp.shape)


def _check_sums(mdp: MDP, indptr: IntArray, data: NDArray[np.object_]) -> None:
    # Without zeros, exactly the rows of available actions hold entries, so that no segment is empty.
    sums = np.add.reduceat(data, indptr[mdp.row_index])
    off = np.flatnonzero(sums != 1)
    if off.size:
        row = int(mdp.row_index[off[0]])
        raise KernelError(
            f"the fractions {_place(mdp, row)} sum to {sums[off[0]]}, not to 1; another max_denominator may fit."
        )


def _place(mdp: MDP, row: int) -> str:
    state, action = divmod(row, mdp.n_actions)
    return f"of state {state}, action {action}"
