"""Optimal and max-entropy values by Newton's method on the Bellman equation, which is policy iteration.

With the greedy (softmax) policy pi of Q = rho + P m and f = discount * c,

    m <- m + (I - diag(f) P_pi)^-1 (r + f V(Q) - m).

The bracket is the Bellman residual at m, so every step also corrects the rounding of those before, and an
iterative solver needs to be no more exact than the residual is small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.bellman.finishing import Settings, finish
from tabular_inversion.bellman.problem import ROUNDING, TARGET, Problem, check_fit, join, merge, missed, shown_of
from tabular_inversion.bellman.starting import with_distances
from tabular_inversion.bellman.sweeps import can_sweep, swept
from tabular_inversion.bellman.termination import check_ends
from tabular_inversion.bellman.value_bounds import discount_bound, error_of_values
from tabular_inversion.errors import InputError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.linear_systems import ClosedLoops, LinearSolver, LinearSystems, Method, Transitions, suited_form
from tabular_inversion.linear_systems.closed_loops import Policies
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import softmax, uniform
from tabular_inversion.validation import check_positive, check_size

_SWEEPS = 8
"""Value-iteration sweeps before the first policy update: each costs a fraction of a linear solve."""

_FORCING = 1e-2
"""An iterative solver stops at this share of the Bellman residual while the policy still changes."""


@checked
def solve(
    mdp: MDP,
    goals: Goals,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> AgentValues:
    """Return the optimal values for all goals, by policy iteration.

    Parameters
    ----------
    mdp : MDP
        The world.
    goals : Goals
        G goals on its states.
    method : str
        How the linear systems are solved, as for `evaluate`.
    tolerance : float
        The largest error of values accepted, relative to each goal's scale ``max |M| + max |rho|`` (for soft values
        plus temperature * log A). The error is proved, not estimated; `SolverReport.goal_errors` states the bounds
        that were reached, and `SolverReport.policy_proved` whether the best actions are proved to be best.
    max_iterations : int
        The most policy updates allowed; at least 1.
    progress : callable, optional
        Called as ``progress(done, total)`` with the number of goals done, after each policy update.

    Returns
    -------
    AgentValues
        With operator ``"max"`` and a `SolverReport`.

    Raises
    ------
    ConvergenceError
        If a goal misses the tolerance after `max_iterations`.
    DiscountError
        If the discount is 1 and an episode may go on for ever by some policy.
    ShapeError, InputError
        If the goals or the method do not fit the world.

    Notes
    -----
    Large sparse worlds whose rows lead to states of near numbers, such as grids, are first swept by value iteration,
    where numba is installed (extra ``scale``): the method is then ``"sweeps"``, and ends as all others do, in a proof.

    Where rounding, divided by 1 - discount, is more than the tolerance, the last steps compute residuals, and compare
    actions, in pairs of floats. Values are then those of the numbers stored to the last digit. Discount 1 is allowed
    where every policy ends every episode, which is decided by the graph of the world.

    Examples
    --------
    >>> mdp = MDP([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], discount=0.5)
    >>> agent = solve(mdp, Goals.indicator(2, [1]))
    >>> agent.q
    array([[[0.5, 1. ],
            [1. , 0.5]]])
    """
    return _newton(mdp, goals, None, method, tolerance, max_iterations, progress)


@checked
def solve_soft(
    mdp: MDP,
    goals: Goals,
    temperature: float,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    max_iterations: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> AgentValues:
    """Return the max-entropy values for all goals, V = temperature * logsumexp(Q / temperature).

    Parameters
    ----------
    mdp, goals, method, tolerance, max_iterations, progress
        As for `solve`.
    temperature : float
        Positive; the values tend to those of `solve` as it tends to 0.

    Returns
    -------
    AgentValues
        With operator ``"softmax"`` and a `SolverReport`.

    Raises
    ------
    ConvergenceError
        If a goal misses the tolerance after `max_iterations`.
    DiscountError
        If the discount is 1 and an episode may go on for ever by some policy.
    ShapeError, InputError
        If the temperature is not positive, or the goals or the method do not fit the world.

    Examples
    --------
    >>> mdp = MDP([[[1.0], [1.0]]], discount=0.5)
    >>> solve_soft(mdp, Goals([[0.0]]), temperature=1.0).v.round(4)
    array([[1.3863]])
    """
    temperature = check_positive("temperature", temperature, InputError)
    return _newton(mdp, goals, temperature, method, tolerance, max_iterations, progress)


def _newton(
    mdp: MDP,
    goals: Goals,
    temperature: float | None,
    method: Method,
    tolerance: float,
    max_iterations: int,
    progress: Callable[[int, int], None] | None,
) -> AgentValues:
    check_fit(mdp, goals, method, tolerance)
    check_size("max_iterations", max_iterations, InputError)
    if progress is not None and not callable(progress):
        raise InputError(f"progress is of type {type(progress).__name__}; expected a function of (done, total).")
    check_ends(mdp, goals)
    world = suited_form(mdp)
    settings = Settings(Transitions.of(world), temperature, method, tolerance, max_iterations)
    problem = Problem.of(world, goals)
    if method == "auto" and temperature is None and can_sweep(problem):
        # The residual of all states at once is larger than the last changes, which were made one after the other.
        start = swept(problem, max(TARGET * tolerance / 4.0, ROUNDING), _ticks(progress))
        way, warm_up = "sweeps", 0
    else:
        (start, way), warm_up = _start(problem, settings), _SWEEPS
    finished = 0

    def tell(newly: int) -> None:
        nonlocal finished
        finished += newly
        if progress is not None:
            progress(finished, goals.n_goals)

    parts = []
    for chosen in problem.chunks():
        part = problem.select(chosen)
        m, q, report = _iterate(part, start[chosen], way, settings, warm_up, lambda: tell(0))
        parts.append(finish(part, m, q, report, settings))
        tell(len(m))
    q, report = join(parts)
    return AgentValues(q, goals, mdp.discount, temperature=temperature, report=report, **shown_of(mdp))


def _start(problem: Problem, settings: Settings) -> tuple[FloatArray, str]:
    """Return M of the uniform policy, and how it was found.

    One factorisation gives it for all goals, and it is positive wherever a goal can be reached at all: from zero,
    values (and with them better actions) would spread from a goal by no more than a step for each policy update.
    """
    policy = uniform(problem.world.available)
    right_hand_sides = problem.without_future(policy)
    systems = LinearSystems(ClosedLoops.of_policy(settings.transitions, policy), problem.factors)
    solver = LinearSolver(systems)
    m = solver.solve(right_hand_sides, _FORCING * largest(right_hand_sides))
    return with_distances(problem, m) if settings.temperature is None else m, solver.method


def _ticks(progress: Callable[[int, int], None] | None) -> Callable[[int, int], None] | None:
    """Tell that time passes: goals that were swept are not done before the error of their values is proved."""
    return None if progress is None else lambda _done, total: progress(0, total)


def _iterate(
    part: Problem,
    m: FloatArray,
    method: str,
    settings: Settings,
    warm_up: int,
    tick: Callable[[], None],
) -> tuple[FloatArray, FloatArray, SolverReport]:
    """Run value-iteration sweeps, then policy updates; goals that have converged drop out. Returns M, Q and how."""
    for _ in range(warm_up):
        m = m + part.change(part.q_values(m), m, temperature=settings.temperature)
    values, found = np.empty((*m.shape, part.world.n_actions)), np.empty_like(m)
    alive, previous = np.arange(len(m)), np.full(len(m), np.inf)
    exact = np.zeros(len(m), bool)
    policy: Policies | None = None
    reports = []
    for iteration in range(settings.max_iterations + 1):
        q = part.q_values(m)
        change = part.change(q, m, temperature=settings.temperature)
        residual, scale = largest(change), part.scale(m, settings.temperature)
        target = min(max(TARGET * settings.tolerance, ROUNDING), settings.tolerance) * scale
        stalled = (residual > previous / 2) | (iteration == settings.max_iterations)
        done = (residual <= target) | ((residual <= settings.tolerance * scale) & stalled)
        exact |= residual > previous  # loose solves may send the policy in circles; exact ones cannot
        previous = residual
        if done.any():
            values[alive[done]], found[alive[done]] = q[done], m[done]
            reports.append(SolverReport(method, iteration, float(residual[done].max()), converged=True))
            going = np.flatnonzero(~done)
            if going.size == 0:
                return found, values, merge(reports)
            part, alive = part.select(going), alive[going]
            policy = None if policy is None else policy[going]
            m, q, change, previous, target, exact = (x[going] for x in (m, q, change, previous, target, exact))
        if iteration < settings.max_iterations:
            improved = _improve(part, q, policy, target, settings.temperature)
            settled = np.zeros(len(m), bool) if policy is None else (improved == policy).reshape(len(m), -1).all(axis=1)
            solver = LinearSolver(
                LinearSystems(ClosedLoops(settings.transitions, improved), part.factors), settings.method
            )
            m = m + solver.solve(change, np.where(settled | exact, target, np.maximum(_FORCING * previous, target)))
            policy, method = improved, solver.method
            tick()
    after = f"{settings.max_iterations} policy updates"
    error = error_of_values(part, discount_bound(part), residual, scale)
    raise missed(error, scale, settings.tolerance, after)


def _improve(
    part: Problem, q: FloatArray, policy: Policies | None, slack: FloatArray, temperature: float | None
) -> Policies:
    """Return softmax probabilities (G, S, A), or best actions (G, S): others only where they gain more than `slack`.

    So an action that ties with the best is kept, and rounding cannot send the policy round in circles.
    """
    available = part.world.available
    if temperature is not None:
        return softmax(q, available, temperature=temperature)
    best = (q if available.all() else np.where(available, q, -np.inf)).argmax(axis=2)
    if policy is None:
        return best
    gain = _values_of(q, best) - _values_of(q, policy)
    return np.where(gain > slack[:, None], best, policy)


def _values_of(q: FloatArray, actions: IntArray) -> FloatArray:
    return np.take_along_axis(q, actions[:, :, None], axis=2)[:, :, 0]
