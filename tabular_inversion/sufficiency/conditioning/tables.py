"""The sets of successors on which goals must say everything, as tables of columns: no dense mask of rows and states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import helmert

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import KernelClassError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.records import Record

MAX_PAIRS = 5_000_000
"""Of `Deterministic`: so many pairs of states are compared at most."""

_BLOCK = 2**22  # entries of equations at a time: 32 MiB


@dataclass(frozen=True, eq=False)
class SetsOfOneSize(Record):
    """Sets of equally many states.

    Attributes
    ----------
    columns : numpy.ndarray of int, shape (b, N)
        The states of each set, ascending.
    first : int
        The number of the first of these sets among all.
    """

    columns: IntArray
    first: int


@dataclass(frozen=True, eq=False)
class SuccessorSets(Record):
    """Which sets of states matter to which rows.

    Attributes
    ----------
    groups : tuple of SetsOfOneSize
        All sets, by size.
    set_of_row : numpy.ndarray of int, shape (rows,), or None
        The set of each row, -1 where there is one possible successor; None where each row asks for every set.
    n_rows : int
        How many rows there are.
    sums_to_one : bool
        Whether the row of ones belongs to each system.

    Examples
    --------
    >>> from tabular_inversion.kernel_classes import Stochastic
    >>> sets = SuccessorSets.of(Stochastic(), np.arange(3), 3)
    >>> sets.groups[0].columns, sets.set_of_row
    (array([[0, 1, 2]]), array([0, 0, 0]))
    """

    groups: tuple[SetsOfOneSize, ...]
    set_of_row: IntArray | None
    n_rows: int
    sums_to_one: bool

    @classmethod
    def of(cls, kernel_class: KernelClass, row_index: IntArray, n_states: int) -> SuccessorSets:
        """Return the sets of a class for rows s*A + a: of `Deterministic`, and `Sparse` with N = 1, all pairs.

        Raises
        ------
        KernelClassError
            For `Sparse` with more successors, whose sets are too many, and for too many pairs.
        """
        return SETS.of(kernel_class)(kernel_class, row_index, n_states)

    @property
    def n_sets(self) -> int:
        """How many sets there are."""
        return sum(len(group.columns) for group in self.groups)

    @property
    def needed(self) -> IntArray:
        """How many independent goals each set asks for, shape (sets,)."""
        sizes = [np.full(len(group.columns), group.columns.shape[1]) for group in self.groups]
        total = np.concatenate(sizes) if sizes else np.empty(0, np.intp)
        return total - int(self.sums_to_one)

    def masks(self, n_states: int) -> BoolArray:
        """Return the sets as masks, bool (sets, n): where few sets on few states are compared.

        Examples
        --------
        >>> from tabular_inversion.kernel_classes import Deterministic
        >>> SuccessorSets.of(Deterministic(), np.arange(3), 3).masks(3).astype(int)
        array([[1, 1, 0],
               [1, 0, 1],
               [0, 1, 1]])
        """
        result = np.zeros((self.n_sets, n_states), bool)
        for group in self.groups:
            result[group.first + np.arange(len(group.columns))[:, None], group.columns] = True
        return result

    def states_of(self, number: int) -> IntArray:
        """Return the states of one set."""
        group = next(group for group in reversed(self.groups) if group.first <= number)
        result: IntArray = group.columns[number - group.first]
        return result

    def number_of(self, states: IntArray) -> int | None:
        """Return the number of the set that holds these states, ascending; None if there is none."""
        for group in self.groups:
            if group.columns.shape[1] == len(states):
                same = np.flatnonzero((group.columns == states).all(axis=1))
                return group.first + int(same[0]) if same.size else None
        return None

    def only(self, kept: BoolArray) -> SuccessorSets:
        """Return some of the sets, bool (sets,); rows that ask for others ask for none.

        Examples
        --------
        >>> from tabular_inversion.kernel_classes import Deterministic
        >>> SuccessorSets.of(Deterministic(), np.arange(3), 3).only(np.array([True, False, True])).groups[0].columns
        array([[0, 1],
               [1, 2]])
        """
        groups, first = [], 0
        for group in self.groups:
            columns = group.columns[kept[group.first : group.first + len(group.columns)]]
            if len(columns):
                groups.append(SetsOfOneSize(columns, first))
                first += len(columns)
        numbers = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        set_of_row = None if self.set_of_row is None else numbers[self.set_of_row]
        return SuccessorSets(tuple(groups), set_of_row, self.n_rows, self.sums_to_one)

    def of_rows(self, values: FloatArray, single: float) -> FloatArray:
        """Spread a number for each set over rows: the largest where a row asks for all, `single` where it asks none."""
        if self.set_of_row is None:
            return np.full(self.n_rows, values.max(initial=single))
        padded = np.append(values, single)  # -1 is the last
        return padded[self.set_of_row]

    def equations(self, matrix: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Yield, a block of sets at a time, what each goal says about the unknowns of each set.

        Parameters
        ----------
        matrix : numpy.ndarray, shape (k, n)
            M.

        Yields
        ------
        slice, numpy.ndarray of shape (b, k, d)
            The numbers of the sets, and the equations in an orthonormal basis of the differences of distributions (of
            all vectors, where rows do not sum to one).
        """
        for group in self.groups:
            sets, size = group.columns.shape
            basis = helmert(size).T if self.sums_to_one else None
            step = max(1, _BLOCK // max(1, len(matrix) * size))
            for start in range(0, sets, step):
                columns = group.columns[start : start + step]
                place = slice(group.first + start, group.first + start + len(columns))
                if basis is None:
                    yield place, np.moveaxis(matrix[:, columns], 0, 1)
                elif size == 2:  # pairs, of which there may be many
                    yield place, ((matrix[:, columns[:, 0]] - matrix[:, columns[:, 1]]).T * basis[0, 0])[:, :, None]
                else:
                    yield place, np.moveaxis(matrix[:, columns], 0, 1) @ basis


def _of_supports(kernel_class: Supported, row_index: IntArray, _n_states: int) -> SuccessorSets:
    rows = kernel_class.known_supports(row_index)
    rows.sort_indices()
    sizes = np.diff(rows.indptr)
    set_of_row, groups, first = np.full(len(sizes), -1, np.intp), [], 0
    for size in np.unique(sizes[sizes > 1]).tolist():
        which = np.flatnonzero(sizes == size)
        columns = rows.indices[rows.indptr[which][:, None] + np.arange(size)]
        different, places = np.unique(columns, axis=0, return_inverse=True)
        groups.append(SetsOfOneSize(different.astype(np.intp), first))
        set_of_row[which] = first + places.ravel()
        first += len(different)
    return SuccessorSets(tuple(groups), set_of_row, len(sizes), True)


def _pairs(kernel_class: KernelClass, row_index: IntArray, n_states: int) -> SuccessorSets:
    count = n_states * (n_states - 1) // 2
    if count > MAX_PAIRS:
        raise KernelClassError(
            f"class {kernel_class.name} on {n_states} states has {count} pairs of states to tell apart; at most "
            f"{MAX_PAIRS} are compared: use supported."
        )
    pairs = np.column_stack(np.triu_indices(n_states, 1))
    return SuccessorSets((SetsOfOneSize(pairs, 0),) if n_states > 1 else (), None, len(row_index), True)


def _everything(kernel_class: KernelClass, row_index: IntArray, n_states: int) -> SuccessorSets:
    n_rows, ones = len(row_index), kernel_class.sums_to_one
    if n_states == 1 and ones:
        return SuccessorSets((), np.full(n_rows, -1), n_rows, ones)
    return SuccessorSets((SetsOfOneSize(np.arange(n_states)[None], 0),), np.zeros(n_rows, np.intp), n_rows, ones)


def _few(kernel_class: Sparse, row_index: IntArray, n_states: int) -> SuccessorSets:
    if kernel_class.max_successors == 1:
        return _pairs(kernel_class, row_index, n_states)
    if kernel_class.max_successors < n_states - 1:
        raise KernelClassError(
            f"class {kernel_class.name} has no sets of successors of its own; give supported, stochastic or "
            "deterministic."
        )
    return _everything(kernel_class, row_index, n_states)


SETS: ClassTable[Callable[[Any, IntArray, int], SuccessorSets]] = ClassTable(
    "sets of successors",
    {
        Unconstrained: _everything,
        Stochastic: _everything,
        Supported: _of_supports,
        Sparse: _few,
        Deterministic: _pairs,
    },
)
"""By class, ``sets(kernel_class, row_index, n_states)``."""
