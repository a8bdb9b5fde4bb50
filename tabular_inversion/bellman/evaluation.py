"""Values of a given policy: for every goal one linear system (L1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.bellman.problem import ROUNDING, TARGET, Problem, check_fit, join, missed, report_of, shown_of
from tabular_inversion.bellman.refinement import DoubledProblem, refine, resolvent_bound
from tabular_inversion.bellman.termination import check_ends
from tabular_inversion.bellman.value_bounds import aim_of, discount_bound, error_of_values
from tabular_inversion.errors import AgentValuesError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.linear_systems import ClosedLoops, LinearSolver, LinearSystems, Method, Transitions, suited_form
from tabular_inversion.linear_systems.doubled import Pair
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import check_policy
from tabular_inversion.validation import check_kind

_REFINEMENTS = 2
"""One completes an iterative solution; a factorisation needs one where Woodbury's identity cancels."""

_MOST_CORRECTIONS = 60
_FORCING = 1e-3
"""An iterative solver stops at this share of the change that it is to correct."""
_TIMES = 1e-3
"""The same for the times that bound a resolvent: they are checked, and a tenth more does not matter."""


@checked
def evaluate(
    mdp: MDP, goals: Goals, policy: ArrayLike, *, method: Method = "auto", tolerance: float = 1e-10
) -> AgentValues:
    """Return the values of a given policy for all goals.

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals
        G goals on its states.
    policy : array_like, shape (S, A) or (G, S, A)
        One policy for all goals, which are then solved with one factorisation, or one for each.
    method : str
        ``"auto"``, ``"dense"``, ``"sparse"``, ``"iterative"`` or ``"doubling"``; see
        `tabular_inversion.linear_systems.LinearSolver`.
    tolerance : float
        The largest error of values accepted, relative to each goal's scale ``max |M| + max |rho|``. The error is
        proved, not estimated; `SolverReport.goal_errors` states the bounds that were reached.

    Returns
    -------
    AgentValues
        With operator ``"policy"`` and a `SolverReport`.

    Raises
    ------
    ConvergenceError
        If no error within the tolerance can be proved, in doubled precision either.
    DiscountError
        If the discount is 1 and an episode may go on for ever by this policy.
    ShapeError, PolicyError, InputError
        If the goals, the policy or the method do not fit the world.

    Notes
    -----
    Source: L1. Where rounding, divided by 1 - discount, is more than the tolerance, residuals are computed in pairs
    of floats: values are those of the numbers stored to the last digit, at 1 - 1e-10 as anywhere.

    Examples
    --------
    >>> import numpy as np
    >>> mdp = MDP([[[0.0, 1.0]], [[1.0, 0.0]]], discount=0.5)
    >>> agent = evaluate(mdp, Goals.indicator(2, [1], terminating=False), np.ones((2, 1)))
    >>> agent.q[:, :, 0].round(3)
    array([[1.333, 0.667]])
    >>> agent.report.converged
    True
    """
    check_fit(mdp, goals, method, tolerance)
    weights = check_policy(policy, mdp.available, goals.n_goals)
    check_ends(mdp, goals, weights)
    world = suited_form(mdp)
    loops = ClosedLoops.of_policy(Transitions.of(world), weights)
    problem = Problem.of(world, goals)
    parts = []
    # One factorisation serves all goals of a shared policy, so only policies of their own are taken in chunks.
    for chosen in problem.chunks() if weights.ndim == 3 else [slice(None)]:
        part = problem.select(chosen)
        systems = LinearSystems(loops.select(chosen), part.factors)
        own = weights[chosen] if weights.ndim == 3 else weights
        parts.append(_evaluate_part(part, LinearSolver(systems, method), own, tolerance))
    q, report = join(parts)
    return AgentValues(q, goals, mdp.discount, policy=weights, report=report, **shown_of(mdp))


def _evaluate_part(
    part: Problem, solver: LinearSolver, policy: FloatArray, tolerance: float
) -> tuple[FloatArray, SolverReport]:
    """Solve, refine in floats while that helps, and prove the error of the values; in pairs of floats where it must."""
    right_hand_sides = part.without_future(policy)
    m = solver.solve(right_hand_sides, max(TARGET * tolerance, ROUNDING) * largest(right_hand_sides))
    factor, sharpened, aim = discount_bound(part), False, aim_of(part.world.discount, tolerance)
    for step in range(1, _REFINEMENTS + 2):
        q, residual = part.backup(m, policy)
        scale = part.scale(m)
        error = error_of_values(part, factor, residual, scale)
        if not sharpened and not (error <= aim * scale).all():
            ones = np.ones_like(m)
            times = solver.solve(ones, _TIMES * largest(ones))
            factor, sharpened = np.minimum(factor, resolvent_bound(part, times, policy)), True
            error = error_of_values(part, factor, residual, scale)
        if (error <= aim * scale).all():
            return q, report_of(solver.method, step, residual, error)
        if (error_of_values(part, factor, 0 * residual, scale) > aim * scale).any():
            break  # rounding of the residual alone is too much: no step in floats will help
        m += solver.solve(part.change(q, m, policy=policy), max(TARGET * tolerance, ROUNDING) * scale)
    return _refine(part, m, q, (error, residual), solver, policy, tolerance, factor, step)


def _refine(
    part: Problem,
    m: FloatArray,
    q: FloatArray,
    reached: tuple[FloatArray, FloatArray],
    solver: LinearSolver,
    policy: FloatArray,
    tolerance: float,
    factor: FloatArray,
    steps: int,
) -> tuple[FloatArray, SolverReport]:
    """Refine in pairs of floats the goals that miss the tolerance, in runs."""
    error, residual = reached
    scale = part.scale(m)
    missing = np.flatnonzero(~(error <= aim_of(part.world.discount, tolerance) * scale))
    most = 0
    for run in part.select(missing).chunks():
        goals = missing[run]
        own = policy if policy.ndim == 2 else policy[goals]
        doubled = DoubledProblem(part.select(goals), scale[goals], own, None)

        def correct(change: FloatArray, _: Pair, goals: IntArray = goals) -> tuple[FloatArray, BoolArray]:
            whole = np.zeros_like(m)
            whole[goals] = change
            return solver.solve(whole, _FORCING * largest(whole))[goals], np.zeros(len(goals), bool)

        bound = np.minimum(factor[goals], doubled.discount_bound())
        found = refine(doubled, m[goals], bound, correct, _MOST_CORRECTIONS)
        q[goals], error[goals], residual[goals] = found.q, found.value_error, found.residual
        scale[goals] = part.select(goals).scale(found.m)
        most = max(most, found.iterations)
    if not (error <= tolerance * scale).all():
        raise missed(error, scale, tolerance, f"{most} corrections in doubled precision")
    return q, report_of(solver.method, steps + most, residual, error)


@checked
def bellman_residual(mdp: MDP, agent: AgentValues) -> FloatArray:
    """Return ``|Q - (rho + P M)|``, how far values are from being an agent's values in a world.

    Parameters
    ----------
    mdp : MDP
        The world.
    agent : AgentValues
        Values for its states and actions, with the same discount.

    Returns
    -------
    numpy.ndarray, shape (G, S, A)
        NaN where the action is unavailable.

    Raises
    ------
    ShapeError
        If the sizes differ.
    AgentValuesError
        If the discounts or the available actions differ.

    Examples
    --------
    >>> mdp = MDP([[[1.0], [1.0]]], discount=0.5)
    >>> agent = AgentValues([[[1.0, 2.0]]], Goals([[0.0]]), discount=0.5)
    >>> bellman_residual(mdp, agent)
    array([[[0., 1.]]])
    """
    check_kind("mdp", mdp, MDP, InputError, "build one with MDP(kernel, discount)")
    check_kind("agent", agent, AgentValues, InputError, "solve(mdp, goals) returns one")
    if agent.available.shape != mdp.available.shape:
        raise ShapeError(f"agent has (S, A) = {agent.available.shape}; expected {mdp.available.shape}, as the world.")
    if agent.discount != mdp.discount:
        raise AgentValuesError(f"agent has discount {agent.discount}; expected {mdp.discount}, that of the world.")
    if not np.array_equal(agent.available, mdp.available):
        raise AgentValuesError("agent and world differ in the actions that are available; give both one mask.")
    expected = mdp.expectation(agent.test_matrix)
    if agent.goals.action_rewards is not None:
        expected += agent.goals.action_rewards
    return np.abs(agent.q - expected)
