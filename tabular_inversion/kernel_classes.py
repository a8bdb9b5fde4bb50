"""Kernel classes: what is known about the world before anyone looks at the values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from tabular_inversion._typing import BoolArray, Kernel, SparseMask
from tabular_inversion.errors import KernelClassError, SpecificationError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.observed.counts import read_counts
from tabular_inversion.records import ReadOnly
from tabular_inversion.validation import (
    MEMBERSHIP_TOLERANCE,
    check_indices,
    check_positive,
    real_array,
    refuse_masked,
    shape_of,
    shortened,
)


@checked
class KernelClass(ABC):
    """A set K of transition rows, from which each row of the kernel comes.

    Examples
    --------
    >>> isinstance(Stochastic(), KernelClass), Stochastic().sums_to_one, Unconstrained().sums_to_one
    (True, True, False)
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The word used on the command line and in reports."""

    @property
    def sums_to_one(self) -> bool:
        """Whether every member sums to one, so that [M;1] is the system to invert."""
        return True

    @abstractmethod
    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows, of a matrix (rows, S), belong to the class within `tolerance` for each entry."""

    def most(self, n_states: int) -> int:
        """Return how many entries of a row on so many states can be positive: all, unless the class knows better."""
        return n_states

    def known_supports(self, row_index: ArrayLike) -> SparseMask | None:  # noqa: ARG002
        """Return where the rows with these numbers s*A + a may be positive, bool CSR; None where nothing is known."""
        return None

    def check_fits(self, n_rows: int, n_states: int) -> None:  # noqa: ARG002
        """Raise `KernelClassError` if the class cannot hold rows of a world with so many rows s*A + a and states."""
        return


def are_distributions(rows: Kernel, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
    """Tell which rows, of a matrix (rows, S), are distributions within `tolerance` for each entry.

    Raises
    ------
    KernelClassError
        If this is no matrix of numbers.

    Examples
    --------
    >>> are_distributions(np.array([[0.5, 0.5], [0.5, 0.6]]))
    array([ True, False])
    """
    check_positive("tolerance", tolerance, KernelClassError)
    if not issparse(rows):
        rows = real_array("rows", rows, "(rows, S)", KernelClassError)
    if rows.ndim != 2 or 0 in rows.shape:
        raise KernelClassError(f"rows has shape {rows.shape}; expected (rows, S), no axis empty.")
    sums = np.asarray(rows.sum(axis=1)).ravel()
    least = np.minimum(rows.min(axis=1).toarray().ravel(), 0) if issparse(rows) else rows.min(axis=1)
    inside: BoolArray = (np.abs(sums - 1.0) <= tolerance * rows.shape[1]) & (least >= -tolerance)
    return inside


@checked
@dataclass(frozen=True)
class Unconstrained(KernelClass):
    """Any real vector: the setting of the pseudo-inverse (T1).

    Examples
    --------
    >>> Unconstrained().contains(np.array([[0.5, 2.0], [-1.0, 1.0]]))
    array([ True,  True])
    """

    @property
    def name(self) -> str:
        """``"unconstrained"``."""
        return "unconstrained"

    @property
    def sums_to_one(self) -> bool:
        """False: nothing is known of the row."""
        return False

    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:  # noqa: ARG002
        """Tell which rows belong to the class: all."""
        return np.ones(rows.shape[0], bool)


@checked
@dataclass(frozen=True)
class Stochastic(KernelClass):
    """The simplex: entries at least 0, sum 1.

    Examples
    --------
    >>> Stochastic().contains(np.array([[0.5, 0.5], [-1.0, 2.0]]))
    array([ True, False])
    """

    @property
    def name(self) -> str:
        """``"stochastic"``."""
        return "stochastic"

    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows are distributions within `tolerance`."""
        return are_distributions(rows, tolerance)


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Supported(ReadOnly, KernelClass):
    """Stochastic rows with a known support.

    Parameters
    ----------
    support : array_like of bool (S, A, S), or scipy sparse matrix (S*A, S)
        Where row (s, a) may be positive. Rows of unavailable actions may be empty.

    Raises
    ------
    KernelClassError
        If the shape does not fit, or an entry is neither bool nor a number of at least 0.

    Notes
    -----
    Two are equal if they allow the same transitions, whatever form they were given in.

    Examples
    --------
    >>> from tabular_inversion import MDP
    >>> Supported.of(MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)).sizes
    array([2, 1])
    """

    support: SparseMask

    if TYPE_CHECKING:  # what the constructor takes is more than what the field holds

        def __init__(self, support: ArrayLike | Kernel | SparseMask) -> None: ...

    def __post_init__(self) -> None:
        given: Any = self.support
        is_sparse = issparse(given)
        refuse_masked("support", given.data if is_sparse else given, KernelClassError)
        if not is_sparse:
            shape = shape_of("support", given, KernelClassError)
            if len(shape) != 3 or shape[0] != shape[2] or 0 in shape:
                raise KernelClassError(f"support has shape {shape}; expected bool (S, A, S).")
            given = np.asarray(given)
            if given.shape != shape:
                raise KernelClassError(f"support is {shortened(self.support)}; expected bool (S, A, S).")
            given = given.reshape(-1, shape[2])
        entries = given.data if is_sparse else given
        if not (np.issubdtype(given.dtype, np.number) or given.dtype == bool) or np.iscomplexobj(entries):
            raise KernelClassError(f"support holds {given.dtype}; expected bool (S, A, S), or a kernel.")
        if given.ndim != 2 or 0 in given.shape or given.shape[0] % given.shape[1]:
            raise KernelClassError(f"support has shape {given.shape}; expected (S*A, S).")
        wrong = ~(entries >= 0)  # NaN too
        if wrong.any():
            raise KernelClassError(
                f"support holds {entries[wrong][0]}; expected True where a transition is possible and False elsewhere, "
                "or probabilities."
            )
        matrix = csr_array(given).astype(bool)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.flags.writeable = False
        object.__setattr__(self, "support", matrix)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Supported):
            return NotImplemented
        first, second = self.support, other.support
        return (
            first.shape == second.shape
            and np.array_equal(first.indptr, second.indptr)
            and np.array_equal(first.indices, second.indices)
        )

    def __hash__(self) -> int:
        pattern: Any = self.support
        return hash(
            (pattern.shape, pattern.indptr.astype(np.int64).tobytes(), pattern.indices.astype(np.int64).tobytes())
        )

    def __repr__(self) -> str:
        return f"Supported(rows={self.support.shape[0]}, n_states={self.support.shape[1]}, nnz={self.support.nnz})"

    @classmethod
    def of(cls, mdp: MDP) -> Supported:
        """Return the class of kernels on the support of `mdp`."""
        if not isinstance(mdp, MDP):
            raise KernelClassError(f"Supported.of takes an MDP; found {type(mdp).__name__}: write Supported(support).")
        support = mdp.support
        return cls(support)

    @classmethod
    def from_counts(cls, counts: ArrayLike) -> Supported:
        """Return the class of kernels on the transitions that were seen.

        Parameters
        ----------
        counts : array_like, shape (S, A, S), or scipy sparse, shape (S*A, S)
            How often (s, a) led to t. A rare successor that was never seen is ruled out by this class: values that
            need it are INCONSISTENT.

        Raises
        ------
        InputError, ShapeError
            As `MDP.from_counts`.

        Examples
        --------
        >>> Supported.from_counts([[[3, 1]], [[0, 5]]]).sizes
        array([2, 1])
        """
        return cls(read_counts(counts) > 0)

    @property
    def name(self) -> str:
        """``"supported"``."""
        return "supported"

    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows are distributions within `tolerance`; where each may be positive `known_supports` says."""
        return are_distributions(rows, tolerance)

    def check_fits(self, n_rows: int, n_states: int) -> None:
        """Raise `KernelClassError` unless the support is one of so many rows and states."""
        if self.support.shape != (n_rows, n_states):
            raise KernelClassError(
                f"the support has shape {self.support.shape}; expected {(n_rows, n_states)}, as the world."
            )

    @property
    def sizes(self) -> Any:
        """How many successors each row may have, integer array (S*A,)."""
        return np.diff(self.support.indptr).astype(np.intp)

    def known_supports(self, row_index: ArrayLike) -> SparseMask:
        """Return the support of the rows with these numbers, bool CSR (rows, S); raises if one is empty."""
        if isinstance(row_index, np.ndarray) and row_index.size == 0:  # of no row there is nothing to check
            return self.support[:0]
        numbers = check_indices("row_index", row_index, self.support.shape[0], KernelClassError)
        chosen: SparseMask = self.support[numbers]
        empty = np.flatnonzero(np.diff(chosen.indptr) == 0)
        if empty.size:
            n_actions = self.support.shape[0] // self.support.shape[1]
            state, action = divmod(int(numbers[empty[0]]), n_actions)
            raise KernelClassError(
                f"the support of state {state}, action {action} is empty; an available action needs a successor."
            )
        return chosen


@checked
@dataclass(frozen=True)
class Sparse(KernelClass):
    """Stochastic rows with at most `max_successors` positive entries, it is unknown which.

    Parameters
    ----------
    max_successors : int
        N, at least 1.

    Raises
    ------
    KernelClassError
        If it is no integer of at least 1.

    Examples
    --------
    >>> Sparse(2).contains(np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]))
    array([ True, False])
    """

    max_successors: int

    def __post_init__(self) -> None:
        number = self.max_successors
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise KernelClassError(f"max_successors is {shortened(number)}; expected an integer of at least 1.")
        object.__setattr__(self, "max_successors", int(number))

    def most(self, n_states: int) -> int:
        """Return how many successors a row on so many states can have: N, or n where that is less."""
        return min(self.max_successors, n_states)

    @property
    def name(self) -> str:
        """``"sparse:N"``."""
        return f"sparse:{self.max_successors}"

    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows are stochastic with at most N entries above `tolerance`."""
        inside = are_distributions(rows, tolerance)
        shown: Any = rows if issparse(rows) else np.asarray(rows)
        counts = np.asarray((shown > tolerance).sum(axis=1)).ravel()
        return inside & (counts <= self.most(shown.shape[1]))


@checked
@dataclass(frozen=True)
class Deterministic(KernelClass):
    """A vertex of the simplex: one successor, it is unknown which.

    Examples
    --------
    >>> Deterministic().contains(np.array([[0.0, 1.0], [0.5, 0.5]]))
    array([ True, False])
    """

    @property
    def name(self) -> str:
        """``"deterministic"``."""
        return "deterministic"

    def most(self, n_states: int) -> int:  # noqa: ARG002
        """Return 1: how many successors a row has."""
        return 1

    def contains(self, rows: Kernel, *, tolerance: float = MEMBERSHIP_TOLERANCE) -> BoolArray:
        """Tell which rows are vertices of the simplex within `tolerance`."""
        return Sparse(1).contains(rows, tolerance=tolerance)


def parse_kernel_class(text: str, mdp: MDP | None = None) -> KernelClass:
    """Read a kernel class as the command line names it.

    Parameters
    ----------
    text : str
        ``unconstrained``, ``stochastic``, ``supported``, ``sparse:N`` or ``deterministic``.
    mdp : MDP, optional
        Whose support ``supported`` means.

    Returns
    -------
    KernelClass

    Raises
    ------
    SpecificationError
        If the text is none of these, or ``supported`` is asked without a world.

    Examples
    --------
    >>> parse_kernel_class("sparse:3")
    Sparse(max_successors=3)
    """
    if not isinstance(text, str):
        raise SpecificationError(f"the kernel class is {shortened(text)}; expected a text such as 'stochastic'.")
    plain: tuple[KernelClass, ...] = (Unconstrained(), Stochastic(), Deterministic())
    for kernel_class in plain:
        if text == kernel_class.name:
            return kernel_class
    if text == "supported":
        if mdp is None:
            raise SpecificationError("class 'supported' needs the support; give an environment, not only values.")
        return Supported.of(mdp)
    word, _, number = text.partition(":")
    if word == "sparse" and number.isdecimal() and int(number) > 0:
        return Sparse(int(number))
    options = "unconstrained, stochastic, supported, sparse:N (N at least 1) or deterministic"
    raise SpecificationError(f"unknown kernel class {text!r}; expected {options}.")
