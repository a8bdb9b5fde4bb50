"""Re-checking a witness, of floats or fractions, with the package's own forward code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse, vstack

from tabular_inversion._typing import FloatArray, Kernel
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import bellman_residual, evaluate, solve, solve_soft
from tabular_inversion.errors import WitnessError
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.normalisation import normalised
from tabular_inversion.validation import MEMBERSHIP_TOLERANCE

if TYPE_CHECKING:
    from tabular_inversion.exact import ExactAgentValues
    from tabular_inversion.exact.rationals import FractionArray

SAME_VALUES = 2.0**-32
"""Values count as the same if they differ by this for each state and goal, relative to what varies in them: 2^20
roundings. Rows are found from systems whose ranks have a gap of so many, which leaves so much of a null vector."""

DIFFERENT_ROWS = 2.0**-32
"""Least L1 distance of two rows that count as different: 2^20 roundings of a probability."""

_SOLVED = 2**18
"""Up to so many Q-values, both kernels are solved from scratch; beyond, the agent's values are checked in them."""


def make_witness(
    agent: AgentValues | ExactAgentValues, row_number: int, first: NDArray[Any], second: NDArray[Any]
) -> Witness:
    """Measure a pair of rows under the agent's test functions.

    Far from its goal an agent's values are small; relative to the largest of all, any two rows would seem to agree. So
    the gap is relative to the largest where either row leads. Between fractions there is none.

    Parameters
    ----------
    agent : AgentValues or ExactAgentValues
        Whose M is meant.
    row_number : int
        s*A + a.
    first, second : numpy.ndarray, shape (S,)
        The two rows, in the numbers of the agent.
    """
    state, action = divmod(row_number, agent.n_actions)
    gap = _value_gap(agent, first, second) if isinstance(agent, AgentValues) else 0.0
    return Witness(state, action, first, second, gap)


def _in_fractions() -> Any:
    """Load the checks in fractions late, as python-flint is: whoever has exact values has it already."""
    from tabular_inversion.identifiability.rational import refutations

    return refutations


def _value_gap(agent: AgentValues, first: FloatArray, second: FloatArray) -> float:
    shown = agent.test_matrix[:, (first != 0) | (second != 0)]
    scale = np.maximum(np.abs(shown).max(axis=1, initial=0.0), np.finfo(np.float64).tiny)
    return float((np.abs(agent.test_matrix @ (first - second)) / scale).max())


def _allowed(agent: AgentValues, kernel_class: KernelClass, rows: FloatArray, extent: float) -> FloatArray:
    """Bound, for each goal, how far ``M v`` of a vector found from rows (2, S) may be from what it stands for."""
    matrix = agent.test_matrix
    # A constant that a goal pays everywhere adds the same to all distributions: it only costs digits.
    varies = np.ptp(matrix, axis=1) if kernel_class.sums_to_one else np.abs(matrix).max(axis=1)
    terms = agent.n_states + agent.n_goals
    rounding = np.finfo(np.float64).eps * terms * (np.abs(matrix) @ np.abs(rows).sum(axis=0))
    return np.asarray(SAME_VALUES * terms * varies * extent + rounding)


def check_rows(agent: AgentValues | ExactAgentValues, witness: Witness, kernel_class: KernelClass) -> None:
    """Raise unless both rows are members of the class, differ, and have the same values for every goal, as measured.

    Raises
    ------
    WitnessError
        Saying what fails, and by how much.
    """
    if not isinstance(agent, AgentValues):
        _in_fractions().check_rows_exactly(agent, witness, kernel_class)
        return
    where = f"witness for {agent.name_of(witness.state, witness.action)}"
    expected = (agent.n_states,)
    if any(row.shape != expected or row.dtype != np.float64 for row in (witness.first, witness.second)):
        raise WitnessError(f"{where}: expected two rows of floats of shape {expected}.")
    rows = np.stack([witness.first, witness.second])
    if not np.isfinite(rows).all() or not kernel_class.contains(rows).all():
        raise WitnessError(f"{where}: a row is no member of the class {kernel_class.name!r}.")
    support = kernel_class.known_supports([witness.state * agent.n_actions + witness.action])
    if support is not None and rows[:, ~support.toarray()[0]].any():
        raise WitnessError(f"{where}: a row leaves the known support.")
    if not witness.distance >= DIFFERENT_ROWS:
        raise WitnessError(f"{where}: the rows are {witness.distance:.1e} apart; different means {DIFFERENT_ROWS:.1e}.")
    gap = np.abs(agent.test_matrix @ (witness.first - witness.second))
    excess = gap - _allowed(agent, kernel_class, rows, witness.distance)
    if not (excess <= 0).all():
        goal = int(excess.argmax())
        raise WitnessError(
            f"{where}: the values of {agent.name_of_goal(goal)} differ by {gap[goal]:.1e}, which is more than rounding."
        )
    measured = _value_gap(agent, witness.first, witness.second)
    if not abs(witness.value_gap - measured) <= np.finfo(np.float64).eps * agent.n_states:
        raise WitnessError(f"{where}: value_gap is {measured:.3e}; {witness.value_gap:.3e} was stated.")


def check_own_values(agent: AgentValues | ExactAgentValues, witness: Witness, kernel_class: KernelClass) -> None:
    """Raise unless the rows have the agent's own values at their place, as instance scope without noise asks.

    Raises
    ------
    WitnessError
        Saying for which goal they have not, and by how much.
    """
    if not isinstance(agent, AgentValues):
        _in_fractions().check_own_values_exactly(agent, witness)
        return
    row = int(np.searchsorted(agent.row_index, witness.state * agent.n_actions + witness.action))
    values = agent.right_hand_sides[:, row]
    rows = np.stack([witness.first, witness.second])
    gap = np.abs(agent.test_matrix @ rows.T - values[:, None]).max(axis=1)
    extent = float(np.abs(rows).sum(axis=1).max())
    excess = gap - _allowed(agent, kernel_class, rows, extent) - np.finfo(np.float64).eps * np.abs(values)
    if not (excess <= 0).all():
        goal = int(excess.argmax())
        raise WitnessError(
            f"witness for {agent.name_of(witness.state, witness.action)}: its rows miss the agent's value of "
            f"{agent.name_of_goal(goal)} by {gap[goal]:.1e}, which is more than rounding."
        )


@checked
def check_forward(
    agent: AgentValues | ExactAgentValues, kernel: Kernel | FractionArray, witness: Witness, kernel_class: KernelClass
) -> float:
    """Compute the agent's Q-values in both kernels, by the forward code alone, and compare them for every goal.

    Parameters
    ----------
    agent : AgentValues or ExactAgentValues
        Goals, discount and the way states are valued. Exact ones are solved exactly, and compared.
    kernel : numpy.ndarray (S, A, S) of floats or Fractions, or csr_array (S*A, S)
        A kernel with the agent's values; its row (state, action) is replaced by each of the two rows in turn.
    witness : Witness
        Of instance scope.
    kernel_class : KernelClass
        The two kernels must belong to it.

    Returns
    -------
    float
        The largest difference between the two Q-functions, and between either and the agent's, relative to the
        largest Q-value; 0 for exact values. For `Unconstrained`, whose members need not be kernels, the gap under M;
        for large worlds a bound on it.

    Raises
    ------
    WitnessError
        If it exceeds `SAME_VALUES` for each state and goal, over 1 - discount, or `check_rows` fails.

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
    check_rows(agent, witness, kernel_class)
    if not kernel_class.sums_to_one:
        return witness.value_gap
    if not isinstance(agent, AgentValues):
        _in_fractions().check_forward_exactly(agent, kernel, witness)
        return 0.0
    scale = max(float(np.nanmax(np.abs(agent.q))), np.finfo(float).tiny)
    worlds = (_replace(agent, kernel, witness, row) for row in (witness.first, witness.second))
    if agent.q.size > _SOLVED or agent.discount == 1.0:
        residuals = [float(np.nanmax(bellman_residual(world, agent))) for world in worlds]
        gap = sum(residuals) / ((1.0 - agent.discount) or 1.0) / scale
    else:
        seen = [_forward(agent, world) for world in worlds]
        gaps = [seen[0] - seen[1], seen[0] - agent.q, seen[1] - agent.q]
        gap = max(float(np.nanmax(np.abs(difference))) for difference in gaps) / scale
    # Each row of the kernels may miss its values by so much; the operator contracts by the discount.
    same = SAME_VALUES * (agent.n_states + agent.n_goals) / ((1.0 - agent.discount) or 1.0)
    if not gap <= same:
        raise WitnessError(
            f"witness for {agent.name_of(witness.state, witness.action)}: the two kernels' Q-values differ by "
            f"{gap:.1e} (relative); same means {same:.1e}."
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
    # What `KernelClass.contains` takes for a member is one here: so much in each entry.
    rows = normalised(changed, within=MEMBERSHIP_TOLERANCE * agent.n_states).kernel
    return MDP(rows, agent.discount, agent.available)


def _forward(agent: AgentValues, mdp: MDP) -> FloatArray:
    if agent.policy is not None:
        return evaluate(mdp, agent.goals, agent.policy).q
    if agent.temperature is not None:
        return solve_soft(mdp, agent.goals, agent.temperature).q
    return solve(mdp, agent.goals).q
