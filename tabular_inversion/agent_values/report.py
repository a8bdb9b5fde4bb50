"""How values were computed, and how far they are from those that they stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tabular_inversion._typing import IntArray
from tabular_inversion.kinds import checked


@checked
@dataclass(frozen=True)
class SolverReport:
    """How values were computed: a method, how many iterations, and the Bellman residual that was reached.

    Attributes
    ----------
    method : str
        The linear solvers used, or the origin of the values.
    iterations : int
        Policy updates; for a given policy the linear solves: 1, and 1 more for each refinement.
    residual : float
        A bound on ``|Q - (rho + M P)|`` over all goals and available rows: the largest difference between M, built
        from Q, and the functions whose expectation gave Q.
    converged : bool
        Whether each goal's error is within the tolerance asked for, relative to its scale ``max |M| + max |rho|``.
    goal_errors : tuple of float, length G, optional
        For each goal a bound on ``|Q - Q*|`` over all available rows, rounding included: Q* are the values of the
        world, the goals, the policy and the discount as stored, taken as exact numbers. None: nothing is known.
    goal_residuals : tuple of float, length G, optional
        `residual` for each goal.
    policy_proved : bool, optional
        For optimal values: whether the first best action of Q is proved to be optimal for every goal in every state,
        because it leads by more than the errors, or the actions beside it have the same row and reward. False does
        not say that it is wrong: of most ties only fractions can tell. None: no question of optimal actions.

    Examples
    --------
    >>> SolverReport("dense", iterations=3, residual=1e-14, converged=True, goal_errors=(1e-15, 2e-15)).value_error
    2e-15
    """

    method: str
    iterations: int
    residual: float
    converged: bool
    goal_errors: tuple[float, ...] | None = None
    goal_residuals: tuple[float, ...] | None = None
    policy_proved: bool | None = None

    def __post_init__(self) -> None:
        for name in ("goal_errors", "goal_residuals"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, tuple(map(float, given)))

    @property
    def value_error(self) -> float | None:
        """The largest of `goal_errors`: a bound on ``|Q - Q*|`` over all goals; None where nothing is known."""
        return None if self.goal_errors is None else max(self.goal_errors)

    def select_goals(self, goals: IntArray) -> SolverReport:
        """Return what the report says of the goals with these numbers."""
        errors, residuals = (
            None if each is None else tuple(each[goal] for goal in goals)
            for each in (self.goal_errors, self.goal_residuals)
        )
        largest = self.residual if residuals is None else max(residuals)
        return replace(self, residual=largest, goal_errors=errors, goal_residuals=residuals)
