"""One factorisation for every goal under one policy, also where goals differ in their continuation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel
from tabular_inversion.linear_systems.factorised import CHUNK_BYTES, Factorisation
from tabular_inversion.linear_systems.systems import LinearSystems

_NEAR = 2.0**-20


class SharedChain:
    """Solves (I - diag(f_g) P) x_g = b_g for all goals g with one factorisation.

    With f the largest factor of each state over the goals (less in a few states, close to discount 1), w_g = f - f_g
    is zero outside a set T_g (for a goal that terminates on arrival: one state). N = (I - diag(f) P)^-1 is factorised
    once. Since diag(f) P N = N - I, the values z = (P x_g)[T_g] solve a system of size |T_g|,

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
        self._base = _base_of(systems.factors)
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
        columns, column_of = np.unique(states, return_inverse=True)
        solved_columns = solve_base(_unit_rows(columns, right_hand_sides.shape[1]))
        # A right-hand side that lives on T_g, such as an indicator's, is a combination of columns already solved.
        own = np.flatnonzero(((right_hand_sides != 0) & ~self._changed).any(axis=1))
        base_solutions = solve_base(right_hand_sides[own]) if own.size else None
        inside = right_hand_sides[goals, states]
        inside[np.isin(goals, own)] = 0.0

        place, fill = self._padding(goals)
        state, column = fill(states, 0), fill(column_of, 0)
        corner = solved_columns[column[:, None, :], state[:, :, None]]  # N[T_g, T_g]
        at_base = np.einsum("gij,gj->gi", corner, fill(inside, 0.0))
        if base_solutions is not None:
            at_base[own] = np.take_along_axis(base_solutions, state[own], axis=1)
        corner -= state[:, :, None] == state[:, None, :]
        weight = fill(self._base[states] - self._factors[goals, states], 0.0)
        corner *= weight[:, None, :]
        diagonal = np.arange(self._largest)
        corner[:, diagonal, diagonal] += fill(self._base[states], 1.0)
        difference = at_base - np.take_along_axis(right_hand_sides, state, axis=1)
        expected = np.linalg.solve(corner, difference[:, :, None])[:, :, 0]

        coefficients = inside - (weight * expected)[place]
        shape = (len(right_hand_sides), len(columns))
        solution: FloatArray = csr_array((coefficients, (goals, column_of)), shape=shape) @ solved_columns
        if base_solutions is not None:
            solution[own] += base_solutions
        return solution

    def _padding(self, goals: IntArray) -> tuple[tuple[IntArray, IntArray], Callable[[Any, Any], Any]]:
        """Return where the entries of each T_g go in arrays (G, t) of one size t, and the function that puts them."""
        place = (goals, np.arange(len(goals)) - np.searchsorted(goals, goals))

        def fill(values: Any, rest: Any) -> Any:
            padded = np.full((len(self._factors), self._largest), rest, dtype=values.dtype)
            padded[place] = values
            return padded

        return place, fill


def _base_of(factors: FloatArray) -> FloatArray:
    """Return factors f > 0 (where any is) that differ from those of each goal in few states.

    Close to discount 1 a chain that ends nowhere is (almost) singular, though that of each goal is not. So it is made
    to end, half of the time, where the goal that ends in the fewest states ends.
    """
    base: FloatArray = factors.max(axis=0)
    if base.max() > 1.0 - _NEAR:
        fewest = int((factors != base).sum(axis=1).argmin())
        base[factors[fewest] != base] /= 2
    return base


def _unit_rows(columns: IntArray, size: int) -> FloatArray:
    rows = np.zeros((len(columns), size))
    rows[np.arange(len(columns)), columns] = 1.0
    return rows
