"""Forward, in rational numbers: from a world and goals to an agent's exact values.

Row g of M solves ``(I - W_g P) m_g = r_g + W_g rho_g``, where W_g, of shape (S, S*A), carries the weights
``discount * C[g, s] * policy[g, s, a]`` in row s (L1). The same lines serve over the rationals and modulo a prime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flint import nmod_mat
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion import bellman
from tabular_inversion._typing import IntArray
from tabular_inversion.bellman.termination import refuse_endless
from tabular_inversion.errors import AgentValuesError, InputError, ShapeError, TabularInversionError
from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.exact.model import ExactGoals, ExactMDP
from tabular_inversion.exact.modular import LARGEST_PRIME, residues
from tabular_inversion.exact.rationals import FractionArray, matrix_from_flint, matrix_to_flint
from tabular_inversion.exact.validation import exact_policy, without_unavailable
from tabular_inversion.kinds import checked
from tabular_inversion.policies import deterministic, greedy
from tabular_inversion.validation import check_kind

Arithmetic = Callable[[FractionArray], Any]
"""Turns an array of fractions into a flint matrix: over the rationals, or modulo a prime."""


@checked
def evaluate(mdp: ExactMDP, goals: ExactGoals, policy: ArrayLike) -> ExactAgentValues:
    """Return the exact values of a given policy for all goals.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    goals : ExactGoals
        G goals on its states.
    policy : array_like of rationals, shape (S, A) or (G, S, A)
        One policy for all goals, or one for each. Goals that share policy and continuation share a linear system.

    Returns
    -------
    ExactAgentValues
        With operator ``"policy"``.

    Raises
    ------
    ShapeError, PolicyError
        If the goals or the policy do not fit the world.
    DiscountError
        If the discount is 1 and an episode may go on for ever by this policy.

    Notes
    -----
    Source: L1. The systems are solved by p-adic lifting (Dixon).

    Examples
    --------
    >>> mdp = ExactMDP([[[0, 1]], [[1, 0]]], discount="1/2")
    >>> evaluate(mdp, ExactGoals([[0, 1]]), [[1], [1]]).q.ravel()
    array([Fraction(4, 3), Fraction(2, 3)], dtype=object)
    """
    _check_fit(mdp, goals)
    weights = exact_policy(policy, mdp.available, goals.n_goals)
    _check_ends(mdp, goals, weights)
    return ExactAgentValues(_q_values(mdp, goals, weights), goals, mdp.discount, weights, mdp.available)


@checked
def solve(mdp: ExactMDP, goals: ExactGoals) -> ExactAgentValues:
    """Return the exact optimal values for all goals, by policy iteration.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    goals : ExactGoals
        G goals on its states.

    Returns
    -------
    ExactAgentValues
        With operator ``"max"``. They are optimal without doubt: the last policy's values are exact, and no action
        is better than the policy's own in any state.

    Raises
    ------
    ShapeError
        If the goals do not fit the world.
    DiscountError
        If the discount is 1 and an episode may go on for ever by some policy.

    Notes
    -----
    Policy iteration starts from the optimal policy that floats find, so that most goals need one exact evaluation.

    Examples
    --------
    >>> mdp = ExactMDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], discount="1/2")
    >>> solve(mdp, ExactGoals([[0, 1]], [[1, 0]])).q.astype(str)
    array([[['1/2', '1'],
            ['1', '1/2']]], dtype='<U3')
    """
    _check_fit(mdp, goals)
    _check_ends(mdp, goals)
    actions = _likely_best_actions(mdp, goals)
    q = np.empty((goals.n_goals, *mdp.available.shape), dtype=object)
    pending = np.arange(goals.n_goals)
    while pending.size:
        policy = deterministic(actions[pending], mdp.available).astype(int)
        q[pending] = _q_values(mdp, goals.select(pending), policy)
        # Fractions compare exactly with minus infinity.
        shown = np.where(mdp.available, q[pending], -np.inf)
        gains = shown.max(axis=2) > np.take_along_axis(shown, actions[pending, :, None], axis=2)[:, :, 0]
        actions[pending] = np.where(gains, shown.argmax(axis=2), actions[pending])
        pending = pending[gains.any(axis=1)]
    return ExactAgentValues(q, goals, mdp.discount, available=mdp.available)


@checked
def bellman_residual(mdp: ExactMDP, agent: ExactAgentValues) -> FractionArray:
    """Return ``|Q - (rho + P M)|``: zero exactly where the values are an agent's values in this world.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    agent : ExactAgentValues
        Values for its states and actions, with the same discount.

    Returns
    -------
    numpy.ndarray of object, shape (G, S, A)
        None where the action is unavailable.

    Raises
    ------
    ShapeError
        If the sizes differ.
    AgentValuesError
        If the discounts or the available actions differ.

    Examples
    --------
    >>> mdp = ExactMDP([[[1], [1]]], discount="1/2")
    >>> agent = ExactAgentValues([[[1, 2]]], ExactGoals([[0]]), discount="1/2")
    >>> bellman_residual(mdp, agent).astype(str)
    array([[['0', '1']]], dtype='<U1')
    """
    _check_exact(mdp, "mdp", ExactMDP)
    _check_exact(agent, "agent", ExactAgentValues)
    if agent.available.shape != mdp.available.shape:
        raise ShapeError(f"agent has (S, A) = {agent.available.shape}; expected {mdp.available.shape}, as the world.")
    if agent.discount != mdp.discount:
        raise AgentValuesError(f"agent has discount {agent.discount}; expected {mdp.discount}, that of the world.")
    if not np.array_equal(agent.available, mdp.available):
        raise AgentValuesError("agent and world differ in the actions that are available; give both one mask.")
    expected = _expectation(mdp, agent.goals, matrix_to_flint(agent.test_matrix))
    gaps = np.abs(np.where(mdp.available, agent.q, 0) - expected)
    return without_unavailable(gaps, mdp.available)


@checked
def modular_test_matrix(mdp: ExactMDP, goals: ExactGoals, policy: ArrayLike, *, prime: int = LARGEST_PRIME) -> nmod_mat:
    """Return M modulo a prime, without ever computing M: where that has full rank, M has.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    goals : ExactGoals
        G goals on its states.
    policy : array_like of rationals, shape (S, A) or (G, S, A)
        The agent's policy; an optimal one gives the M of the optimal agent.
    prime : int
        Below 2**64, for example from `primes`.

    Returns
    -------
    flint.nmod_mat, shape (G, S)
        Its rank is at most that of M, because each of its minors is a minor of M modulo the prime.

    Raises
    ------
    InputError
        If the modulus is no such prime, divides a denominator, or makes a system singular; another prime will do.
    ShapeError, PolicyError
        If the goals or the policy do not fit the world.

    Examples
    --------
    >>> mdp = ExactMDP([[[0, 1]], [[1, 0]]], discount="1/2")
    >>> modular_test_matrix(mdp, ExactGoals([[1, 0], [0, 1]]), [[1], [1]]).rank()
    2
    """
    _check_fit(mdp, goals)
    weights = exact_policy(policy, mdp.available, goals.n_goals)
    _check_ends(mdp, goals, weights)
    try:
        result: nmod_mat = _test_matrix(mdp, goals, weights, lambda values: residues(values, prime))
    except ZeroDivisionError as problem:
        raise InputError(f"a linear system is singular modulo {prime}; take another prime.") from problem
    return result


def _q_values(mdp: ExactMDP, goals: ExactGoals, policy: FractionArray) -> FractionArray:
    return _expectation(mdp, goals, _test_matrix(mdp, goals, policy, matrix_to_flint))


def _expectation(mdp: ExactMDP, goals: ExactGoals, test_matrix: Any) -> FractionArray:
    """Return rho + P M, shape (G, S, A); rho alone where the action is unavailable."""
    expected = matrix_from_flint(test_matrix * matrix_to_flint(mdp.rows.T))
    extra = 0 if goals.action_rewards is None else goals.action_rewards
    shaped: FractionArray = expected.reshape(goals.n_goals, *mdp.available.shape) + extra
    return shaped


def _test_matrix(mdp: ExactMDP, goals: ExactGoals, policy: FractionArray, arithmetic: Arithmetic) -> Any:
    """Return M, shape (G, S), in the arithmetic asked for; raises ZeroDivisionError if a system is singular there."""
    kernel = arithmetic(mdp.rows)
    identity = arithmetic(np.eye(mdp.n_states, dtype=int))
    result = arithmetic(goals.rewards)  # of the right shape; every row is replaced
    for members in _alike(goals, policy):
        own = policy if policy.ndim == 2 else policy[members[0]]
        factors = mdp.discount * goals.continuation[members[0]]
        weights = np.zeros((mdp.n_states, *own.shape), dtype=object)
        weights[np.arange(mdp.n_states), np.arange(mdp.n_states)] = factors[:, None] * own
        weighted = arithmetic(weights.reshape(mdp.n_states, -1))
        right = arithmetic(goals.rewards[members].T)
        if goals.action_rewards is not None:
            right += weighted * arithmetic(goals.action_rewards[members].reshape(len(members), -1).T)
        solution = (identity - weighted * kernel).solve(right).transpose().tolist()
        for goal, row in zip(members.tolist(), solution, strict=True):
            for state, value in enumerate(row):
                result[goal, state] = value
    return result


def _alike(goals: ExactGoals, policy: FractionArray) -> Iterator[IntArray]:
    """Yield the numbers of the goals that share both policy and continuation, group by group."""
    groups: dict[Any, list[int]] = {}
    for goal in range(goals.n_goals):
        own = () if policy.ndim == 2 else tuple(policy[goal].ravel().tolist())
        groups.setdefault((own, tuple(goals.continuation[goal].tolist())), []).append(goal)
    return (np.array(members) for members in groups.values())


def _likely_best_actions(mdp: ExactMDP, goals: ExactGoals) -> IntArray:
    """Return the best actions according to floats, shape (G, S), or the first ones where floats cannot tell."""
    try:
        with np.errstate(all="ignore"):
            q = bellman.solve(mdp.to_float(), goals.to_float()).q
    except (TabularInversionError, OverflowError):
        q = np.zeros((goals.n_goals, *mdp.available.shape))
    result: IntArray = greedy(q, mdp.available).argmax(axis=2)
    return result


def _check_exact(value: Any, name: str, kind: type[Any]) -> None:
    check_kind(name, value, kind, InputError, f"write {kind.__name__}.from_float(...) for one in floats")


def _check_ends(mdp: ExactMDP, goals: ExactGoals, policy: FractionArray | None = None) -> None:
    """Raise `DiscountError` if the discount is 1 and an episode may go on for ever, by any policy or by this one."""
    if mdp.discount == 1:
        support = csr_array(mdp.support.reshape(-1, mdp.n_states))
        refuse_endless(support, mdp.available, goals.continuation == 1, policy)


def _check_fit(mdp: ExactMDP, goals: ExactGoals) -> None:
    _check_exact(mdp, "mdp", ExactMDP)
    _check_exact(goals, "goals", ExactGoals)
    if goals.n_states != mdp.n_states:
        raise ShapeError(f"goals are on {goals.n_states} states; expected {mdp.n_states}, as the world.")
    extra = goals.action_rewards
    if extra is not None and extra.shape[2] != mdp.n_actions:
        raise ShapeError(f"action_rewards have {extra.shape[2]} actions; expected {mdp.n_actions}, as the world.")
