"""One factorisation for every goal under one policy, also where goals differ in their continuation."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.linear_systems.factorised import CHUNK_BYTES, Factorisation
from tabular_inversion.linear_systems.systems import LinearSystems


class SharedChain:
    """Solves (I - diag(f_g) P) x_g = b_g for all goals g with one factorisation.

    With f the largest factor of each state over the goals, w_g = f - f_g is zero outside a set T_g (for a goal that
    terminates on arrival: one state). N = (I - diag(f) P)^-1 is factorised once. Since diag(f) P N = N - I, the
    values z = (P x_g)[T_g] solve a system of size |T_g|,

        (diag(f) + (N - I) diag(w_g))[T_g, T_g] z = (N b_g - b_g)[T_g],    and then    x_g = N (b_g - w_g z)

    (the Woodbury identity). Where the sets T_g are large, goals are grouped by equal factors instead.

    Parameters
    ----------
    systems : LinearSystems
        With one chain for all goals.
    factorise : callable
        From (P, f) to the map b -> (I - diag(f) P)^-1 b.
    """

    def __init__(self, systems: LinearSystems, factorise: Callable[[Kernel, FloatArray], Factorisation]) -> None:
        self._factors = systems.factors
        self._chain = systems.loops.stacked
        self._factorise = factorise
        self._base = systems.factors.max(axis=0)
        self._changed: BoolArray = systems.factors != self._base
        self._largest = int(self._changed.sum(axis=1).max())
        n_goals, n_states = systems.factors.shape
        # Small systems of size t cost t^3: no more than a goal's share of the triangular solves, about n^2.
        fits = 8 * n_goals * self._largest**2 <= CHUNK_BYTES
        self._is_low_rank = fits and self._largest**3 <= 3 * n_states**2
        self._solve_base = factorise(self._chain, self._base) if self._is_low_rank else None

    def __call__(self, right_hand_sides: FloatArray) -> FloatArray:
        """Return the solutions (G, S) for right-hand sides (G, S)."""
        if self._solve_base is None:
            return self._solve_in_groups(right_hand_sides)
        if self._largest == 0:
            return self._solve_base(right_hand_sides)
        return self._solve_by_correction(self._solve_base, right_hand_sides)

    def _solve_in_groups(self, right_hand_sides: FloatArray) -> FloatArray:
        kinds, kind_of = np.unique(self._factors, axis=0, return_inverse=True)
        solution = np.empty_like(right_hand_sides)
        for kind, factors in enumerate(kinds):
            members = np.flatnonzero(kind_of.ravel() == kind)
            solution[members] = self._factorise(self._chain, factors)(right_hand_sides[members])
        return solution

    def _solve_by_correction(self, solve_base: Factorisation, right_hand_sides: FloatArray) -> FloatArray:
        goals, states = np.nonzero(self._changed)
        slots = np.arange(len(goals)) - np.searchsorted(goals, goals)
        columns, column_of = np.unique(states, return_inverse=True)
        solved_columns = solve_base(_unit_rows(columns, right_hand_sides.shape[1]))
        # A right-hand side that lives on T_g, such as an indicator's, is a combination of columns already solved.
        needs_own = ((right_hand_sides != 0) & ~self._changed).any(axis=1)
        solution = np.zeros_like(right_hand_sides)
        if needs_own.any():
            solution[needs_own] = solve_base(right_hand_sides[needs_own])
        inside = np.where(needs_own[goals], 0.0, right_hand_sides[goals, states])
        shape = (len(right_hand_sides), len(columns))
        solution += csr_array((inside, (goals, column_of)), shape=shape) @ solved_columns
        corner = self._correction(solved_columns, solution, right_hand_sides, (goals, states, slots, column_of))
        solution -= csr_array((corner, (goals, column_of)), shape=shape) @ solved_columns
        return solution

    def _correction(
        self,
        solved_columns: FloatArray,
        base_solution: FloatArray,
        right_hand_sides: FloatArray,
        places: tuple[IntArray, IntArray, IntArray, IntArray],
    ) -> FloatArray:
        """Return w_g z for each changed (goal, state), from the small systems, padded to one size."""
        goals, states, slots, column_of = places
        padded = (len(right_hand_sides), self._largest)
        state, column = np.zeros(padded, np.intp), np.zeros(padded, np.intp)
        weight, base = np.zeros(padded), np.ones(padded)
        state[goals, slots], column[goals, slots] = states, column_of
        weight[goals, slots] = (self._base - self._factors)[goals, states]
        base[goals, slots] = self._base[states]
        matrix = solved_columns[column[:, None, :], state[:, :, None]] - (state[:, :, None] == state[:, None, :])
        matrix *= weight[:, None, :]
        diagonal = np.arange(self._largest)
        matrix[:, diagonal, diagonal] += base
        difference = np.take_along_axis(base_solution - right_hand_sides, state, axis=1)
        expected = np.linalg.solve(matrix, difference[:, :, None])[:, :, 0]
        return (weight * expected)[goals, slots]


def _unit_rows(columns: IntArray, size: int) -> FloatArray:
    rows = np.zeros((len(columns), size))
    rows[np.arange(len(columns)), columns] = 1.0
    return rows
