"""The one face of all linear solvers."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.errors import ConvergenceError, InputError
from tabular_inversion.kinds import checked
from tabular_inversion.linear_systems.choice import Method, Way, check_method, choose_way, direct_way
from tabular_inversion.linear_systems.doubling import solve_by_doubling
from tabular_inversion.linear_systems.factorised import (
    factorise_dense,
    factorise_sparse,
    solve_each_dense,
    solve_each_sparse,
)
from tabular_inversion.linear_systems.krylov import solve_by_bicgstab
from tabular_inversion.linear_systems.shared_chain import SharedChain
from tabular_inversion.linear_systems.systems import LinearSystems, largest

_ROUNDING = float(16 * np.finfo(np.float64).eps)


@checked
class LinearSolver:
    """Solves the systems of all goals by one way; a factorisation that goals share is made once and kept.

    Parameters
    ----------
    systems : LinearSystems
        What to solve.
    method : str
        ``"auto"`` chooses by structure and size. ``"doubling"``: chains with one successor for each state.
        ``"dense"``: LAPACK. ``"sparse"``: SuperLU. ``"iterative"``: BiCGSTAB; under ``"auto"`` the goals on which it
        fails are solved by LU.

    Raises
    ------
    InputError
        If the method is unknown or does not suit the systems.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import MDP
    >>> from tabular_inversion.linear_systems import ClosedLoops, LinearSystems, Transitions
    >>> chain = MDP(np.array([[[0.5, 0.5]], [[0.0, 1.0]]]), discount=0.5)
    >>> loops = ClosedLoops.of_policy(Transitions.of(chain), np.ones((2, 1)))
    >>> solver = LinearSolver(LinearSystems(loops, np.full((1, 2), 0.5)))
    >>> solver.solve(np.array([[0.0, 1.0]]), tolerances=np.array([1e-12])).round(3)
    array([[0.667, 2.   ]])
    >>> solver.method
    'dense'
    """

    def __init__(self, systems: LinearSystems, method: Method = "auto") -> None:
        check_method(method)
        self._systems = systems
        self._falls_back = method == "auto"
        self._ways: list[Way] = [choose_way(systems) if method == "auto" else method]
        transitions = systems.loops.transitions
        if method == "doubling" and not systems.loops.is_deterministic:
            raise InputError('method "doubling" asks for one successor of each state; choose "auto".')
        if method == "sparse" and not transitions.is_sparse:
            raise InputError('method "sparse" is for kernels with at most 10 % positive entries; choose "auto".')

    @property
    def method(self) -> str:
        """What solved so far, for example ``"iterative"``, or ``"iterative, dense"`` after a fall-back."""
        return ", ".join(self._ways)

    def solve(self, right_hand_sides: FloatArray, tolerances: FloatArray) -> FloatArray:
        """Return x with A_g x_g = b_g.

        Parameters
        ----------
        right_hand_sides : numpy.ndarray, shape (G, S)
            b.
        tolerances : numpy.ndarray, shape (G,)
            The largest entry of b - A x where an iteration may stop; direct methods reach rounding error.

        Returns
        -------
        numpy.ndarray, shape (G, S)

        Raises
        ------
        ConvergenceError
            If BiCGSTAB fails on a goal and no factorisation may take its place, or if a system is singular in floats.
        """
        try:
            return self._solve(right_hand_sides, tolerances)
        except ConvergenceError:
            raise
        except (np.linalg.LinAlgError, RuntimeError) as problem:  # SuperLU knows no better class
            raise ConvergenceError(
                f"a system I - discount C P is singular to the precision of floats ({problem}): rows sum to one only "
                "up to rounding, and the discount is as near to one; lower it."
            ) from problem

    def _solve(self, right_hand_sides: FloatArray, tolerances: FloatArray) -> FloatArray:
        way = self._ways[0]
        if way == "doubling":
            return solve_by_doubling(self._systems, right_hand_sides)
        if way == "iterative":
            return self._iterate(right_hand_sides, tolerances)
        if self._systems.is_shared:
            return self._shared_chain(right_hand_sides)
        return (solve_each_dense if way == "dense" else solve_each_sparse)(self._systems, right_hand_sides)

    @cached_property
    def _shared_chain(self) -> SharedChain:
        return SharedChain(self._systems, factorise_dense if self._ways[0] == "dense" else factorise_sparse)

    def _iterate(self, right_hand_sides: FloatArray, tolerances: FloatArray) -> FloatArray:
        solution, residuals = solve_by_bicgstab(self._systems, right_hand_sides, tolerances)
        # No residual can be smaller than the rounding of the terms that it is the difference of.
        rounding = _ROUNDING * (largest(right_hand_sides) + largest(solution))
        failed = np.flatnonzero(~(residuals <= 10 * tolerances + rounding))
        if failed.size == 0:
            return solution
        rest = self._systems.select(failed)
        way = direct_way(rest) if self._falls_back else None
        if way is None:
            remedy = "no factorisation fits into memory" if self._falls_back else 'choose method "auto"'
            raise ConvergenceError(
                f"BiCGSTAB failed on {failed.size} of {len(tolerances)} goals (residuals {residuals[failed][:3]}, "
                f"tolerances {tolerances[failed][:3]}); {remedy}."
            )
        if way not in self._ways:
            self._ways.append(way)
        solution[failed] = LinearSolver(rest, way).solve(right_hand_sides[failed], tolerances[failed])
        return solution
