"""Re-checking a witness with the package's own forward code."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from tabular_inversion._typing import FloatArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import bellman_residual, evaluate, solve, solve_soft
from tabular_inversion.identifiability.verdict import Witness, WitnessError
from tabular_inversion.kernel_classes import KernelClass, Supported, Unconstrained
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE

SAME_VALUES = 1e-8
"""Largest difference, relative to the largest value, of Q-values that count as the same."""

DIFFERENT_ROWS = 1e-6
"""Least L1 distance of two rows that count as different."""

_SOLVED = 2**18
"""Up to so many Q-values, both kernels are solved from scratch; beyond, the agent's values are checked in them."""


def make_witness(agent: AgentValues, row_number: int, first: FloatArray, second: FloatArray) -> Witness:
    """Measure a pair of rows under the agent's test functions.

    Parameters
    ----------
    agent : AgentValues
        Whose M is meant.
    row_number : int
        s*A + a.
    first, second : numpy.ndarray, shape (S,)
        The two rows.
    """
    state, action = divmod(row_number, agent.n_actions)
    scale = np.abs(agent.test_matrix).max(axis=1)
    gap = np.abs(agent.test_matrix @ (first - second)) / np.where(scale > 0, scale, 1.0)
    return Witness(state, action, first, second, float(gap.max()), float(np.abs(first - second).sum()))


def check_rows(witness: Witness, kernel_class: KernelClass) -> None:
    """Raise `WitnessError` unless both rows are members of the class, differ, and have the same values.

    Raises
    ------
    WitnessError
        Saying which of the three fails, and by how much.
    """
    rows = np.stack([witness.first, witness.second])
    where = f"witness for state {witness.state}, action {witness.action}"
    if not kernel_class.contains(rows).all():
        raise WitnessError(f"{where}: a row is no member of the class {kernel_class.name!r}.")
    if isinstance(kernel_class, Supported):
        n_actions = kernel_class.support.shape[0] // kernel_class.support.shape[1]
        allowed = kernel_class.support[[witness.state * n_actions + witness.action]].toarray()[0]
        if rows[:, ~allowed].any():
            raise WitnessError(f"{where}: a row leaves the known support.")
    if not witness.distance >= DIFFERENT_ROWS:
        raise WitnessError(f"{where}: the rows are {witness.distance:.1e} apart; different means {DIFFERENT_ROWS}.")
    if not witness.value_gap <= SAME_VALUES:
        raise WitnessError(f"{where}: the values differ by {witness.value_gap:.1e}; same means {SAME_VALUES}.")


def check_forward(agent: AgentValues, kernel: Kernel, witness: Witness, kernel_class: KernelClass) -> float:
    """Compute the agent's Q-values in both kernels, by the forward code alone, and compare them for every goal.

    Parameters
    ----------
    agent : AgentValues
        Goals, discount and the way states are valued.
    kernel : numpy.ndarray (S, A, S) or csr_array (S*A, S)
        A kernel with the agent's values; its row (state, action) is replaced by each of the two rows in turn.
    witness : Witness
        Of instance scope.
    kernel_class : KernelClass
        The two kernels must belong to it.

    Returns
    -------
    float
        The largest difference between the two Q-functions, and between either and the agent's, relative to the
        largest Q-value. For `Unconstrained`, whose members need not be kernels, the gap under M; for large worlds a
        bound on it.

    Raises
    ------
    WitnessError
        If it exceeds `SAME_VALUES`, or `check_rows` fails.

    Notes
    -----
    In a large world nothing is solved. The Bellman operator of each kernel is a contraction by the discount, also for
    maxima and soft maxima, so its only fixed point lies within ``residual / (1 - discount)`` of the agent's values.
    At discount 1 one of the two worlds may hold episodes that never end: what is compared is then what value
    equivalence means in any case, that the agent's values satisfy the Bellman equation of both.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, invert, solve
    >>> from tabular_inversion.environments import random_mdp
    >>> agent = solve(random_mdp(4, 2, seed=0), Goals.generic(4, 1, seed=0))
    >>> result = invert(agent, Stochastic())
    >>> check_forward(agent, result.kernel, result.verdict.witness, Stochastic()) < 1e-12
    True
    """
    check_rows(witness, kernel_class)
    if isinstance(kernel_class, Unconstrained):
        return witness.value_gap
    scale = max(float(np.nanmax(np.abs(agent.q))), np.finfo(float).tiny)
    worlds = (_replace(agent, kernel, witness, row) for row in (witness.first, witness.second))
    if agent.q.size > _SOLVED or agent.discount == 1.0:
        residuals = [float(np.nanmax(bellman_residual(world, agent))) for world in worlds]
        gap = sum(residuals) / ((1.0 - agent.discount) or 1.0) / scale
    else:
        seen = [_forward(agent, world) for world in worlds]
        gaps = [seen[0] - seen[1], seen[0] - agent.q, seen[1] - agent.q]
        gap = max(float(np.nanmax(np.abs(difference))) for difference in gaps) / scale
    if not gap <= SAME_VALUES:
        raise WitnessError(
            f"witness for state {witness.state}, action {witness.action}: the two kernels' Q-values differ by "
            f"{gap:.1e} (relative); same means {SAME_VALUES}."
        )
    return gap


def _replace(agent: AgentValues, kernel: Kernel, witness: Witness, row: FloatArray) -> MDP:
    number = witness.state * agent.n_actions + witness.action
    changed: Any
    if issparse(kernel):
        changed = vstack([kernel[:number], csr_array(row[None]), kernel[number + 1 :]], format="csr")
    else:
        changed = np.array(kernel)
        changed[witness.state, witness.action] = row
    rows = normalised(changed, within=MEMBERSHIP_TOLERANCE).kernel
    return MDP(rows, agent.discount, agent.available)


def _forward(agent: AgentValues, mdp: MDP) -> FloatArray:
    if agent.policy is not None:
        return evaluate(mdp, agent.goals, agent.policy).q
    if agent.temperature is not None:
        return solve_soft(mdp, agent.goals, agent.temperature).q
    return solve(mdp, agent.goals).q
