"""Values of a given policy: for every goal one linear system (L1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.bellman.problem import ROUNDING, TARGET, Problem, check_fit, join, missed
from tabular_inversion.errors import AgentValuesError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.linear_systems import ClosedLoops, LinearSolver, LinearSystems, Method, Transitions, suited_form
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import check_policy

_REFINEMENTS = 2
"""One completes an iterative solution; a factorisation needs one where Woodbury's identity cancels."""


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
        The largest Bellman residual accepted, relative to each goal's scale ``max |M| + max |rho|``.

    Returns
    -------
    AgentValues
        With operator ``"policy"`` and a `SolverReport`.

    Raises
    ------
    ConvergenceError
        If the residual misses the tolerance, also after one step of iterative refinement.
    ShapeError, PolicyError, InputError
        If the goals, the policy or the method do not fit the world.

    Notes
    -----
    Source: L1.

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
    return AgentValues(q, goals, mdp.discount, policy=weights, available=mdp.available, report=report)


def _evaluate_part(
    part: Problem, solver: LinearSolver, policy: FloatArray, tolerance: float
) -> tuple[FloatArray, SolverReport]:
    """Solve; then, while the residual misses the tolerance, solve for what is missing, at most `_REFINEMENTS` times."""
    right_hand_sides = part.without_future(policy)
    m = solver.solve(right_hand_sides, max(TARGET * tolerance, ROUNDING) * largest(right_hand_sides))
    for step in range(1, _REFINEMENTS + 2):
        q, residual = part.backup(m, policy)
        # Rows of the kernel are distributions, so Q misses its equation by no more than M does.
        scale = part.scale(m)
        if (residual <= tolerance * scale).all():
            return q, SolverReport(solver.method, step, float(residual.max()), converged=True)
        m += solver.solve(part.change(q, m, policy=policy), max(TARGET * tolerance, ROUNDING) * scale)
    raise missed(residual, scale, tolerance, f"{_REFINEMENTS} refinements", "raise the tolerance or lower the discount")


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
