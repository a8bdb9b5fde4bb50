"""Worlds whose probabilities lie in intervals: what other tools take of a set of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from tabular_inversion._typing import BoolArray, FloatArray, Kernel
from tabular_inversion.errors import KernelError, ShapeError
from tabular_inversion.kernel_rows import dense_rows
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE, check_available, check_discount, finite_array, locate


@checked
@dataclass(frozen=True, eq=False, repr=False)
class IntervalMDP(Record):
    """All kernels whose entries lie between two ends; what `ValueEquivalence.to_interval_mdp` returns.

    Attributes
    ----------
    lower, upper : numpy.ndarray, shape (S, A, S)
        The ends, in [0, 1]; zero where an action is unavailable.
    discount : float
        In [0, 1].
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist; all when omitted.
    state_names, action_names : tuple of str, optional
        One name for each.

    Raises
    ------
    ShapeError, KernelError
        If the ends do not fit each other, or no distribution lies between them.

    Examples
    --------
    >>> world = IntervalMDP([[[0.2, 0.5]], [[0.0, 1.0]]], [[[0.5, 0.8]], [[0.0, 1.0]]], 0.9)
    >>> world
    IntervalMDP(n_states=2, n_actions=1, discount=0.9, widest 0.3)
    >>> bool(world.contains([[[0.4, 0.6]], [[0.0, 1.0]]]).all())
    True
    """

    lower: FloatArray
    upper: FloatArray
    discount: float
    available: BoolArray = None  # type: ignore[assignment]  # filled in by __post_init__
    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        lower = finite_array("lower", self.lower, (None, None, None), "(S, A, S)", KernelError)
        upper = finite_array("upper", self.upper, lower.shape, "(S, A, S)", KernelError)
        if lower.shape[0] != lower.shape[2]:
            raise ShapeError(f"lower has shape {lower.shape}; expected (S, A, S) with the same S at both ends.")
        available = check_available(self.available, lower.shape[:2], KernelError)
        wrong = (lower < 0) | (lower > upper) | (upper > 1) | ((upper > 0) & ~available[:, :, None])
        if wrong.any():
            raise KernelError(f"expected 0 <= lower <= upper <= 1, and 0 where unavailable; lower is "
                              f"{locate(wrong, lower, '(s, a, t)')}.")  # fmt: skip
        sums = np.where(available, lower.sum(axis=2) - 1.0, 0.0), np.where(available, 1.0 - upper.sum(axis=2), 0.0)
        empty = np.maximum(*sums) > MEMBERSHIP_TOLERANCE
        if empty.any():
            state, action = np.argwhere(empty)[0].tolist()
            raise KernelError(f"no distribution lies between the ends of state {state}, action {action}; widen them.")
        for name, value in (("lower", lower), ("upper", upper), ("available", available),
                            ("discount", check_discount(self.discount))):  # fmt: skip
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        sizes = f"n_states={self.lower.shape[0]}, n_actions={self.lower.shape[1]}, discount={self.discount:g}"
        return f"IntervalMDP({sizes}, widest {float((self.upper - self.lower).max()):.3g})"

    def contains(self, kernel: Kernel | ArrayLike | MDP, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows of a kernel lie between the ends, bool (S, A); True where the action is unavailable."""
        given: Any = kernel.toarray() if isinstance(kernel, MDP) else kernel
        stored = issparse(given)
        dense = dense_rows(given).reshape(self.lower.shape) if stored else given
        rows = finite_array("kernel", dense, self.lower.shape, "(S, A, S)", KernelError)
        inside = (rows >= self.lower - tolerance) & (rows <= self.upper + tolerance)
        return np.asarray(inside.all(axis=2) | ~self.available)
