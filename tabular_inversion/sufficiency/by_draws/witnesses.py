"""Witnesses before training: one world drawn on the graph, and two rows in it with the same values for every goal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.bellman import evaluate
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP, null_space
from tabular_inversion.exact import evaluate as evaluate_exactly
from tabular_inversion.exact.rationals import FractionArray, fraction_array, to_floats
from tabular_inversion.goals import Goals
from tabular_inversion.identifiability.rational.arrays import split_exactly
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.identifiability.witnesses import make_witness
from tabular_inversion.mdp import MDP
from tabular_inversion.recovery.rank import split_into_rows
from tabular_inversion.recovery.system import RowSystem
from tabular_inversion.sufficiency.by_draws.draws import Chance
from tabular_inversion.sufficiency.proofs import WitnessProof
from tabular_inversion.sufficiency.question import Question

MAX_EXACT_STATES = 100
"""Worlds with more states are drawn in floats: their fractions would be too long."""

_LARGEST_WEIGHT = 9


def drawn_witness(chance: Chance, row: int, columns: IntArray, seed: int) -> WitnessProof:
    """Return two rows on some states with the same values for every goal, at one drawn world.

    Parameters
    ----------
    chance : Chance
        What is drawn; weights of the kernel, of the policy and of generic rewards are small whole numbers.
    row : int
        The number s*A + a of the row that the two stand for.
    columns : numpy.ndarray of int
        States whose columns are dependent at almost every world. No more than needed are used.
    seed : int
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    question, ones = chance.question, chance.question.kernel_class.sums_to_one
    columns = columns[: question.goals.n_goals + int(ones) + 1]
    kernel, policy = _weights(chance, rng)
    goals = question.goals
    if chance.family is not None:
        goals = chance.family.drawn(rng)
    elif chance.generic_rewards:
        rewards = rng.integers(1, _LARGEST_WEIGHT + 1, goals.rewards.shape)
        goals = Goals(np.where(goals.rewards != 0, rewards, 0), goals.continuation)
    if question.n_states > MAX_EXACT_STATES:
        return float_witness(question, _float_agent(chance, kernel, policy, goals), row, columns)
    agent = _exact_agent(chance, kernel, policy, goals)
    pair = _exact_pair(agent.test_matrix, columns, ones)
    if pair is None:
        raise WitnessError("the drawn world identifies the row that draws modulo a prime do not; use another seed.")
    state, action = divmod(row, question.n_actions)
    witness = Witness(state, action, *pair, value_gap=0.0)
    return WitnessProof(np.array([], np.intp), agent, witness, question)


def float_witness(question: Question, agent: AgentValues, row: int, columns: IntArray) -> WitnessProof:
    """Return two rows on some states with the same values for every goal of an agent, in floats."""
    ones = question.kernel_class.sums_to_one
    pair = _float_pair(agent.test_matrix, columns[: agent.n_goals + int(ones) + 1], ones)
    if pair is None:
        raise WitnessError("floats identify the row that exact arithmetic does not; use another seed or world.")
    witness = make_witness(agent, row, *pair)
    return WitnessProof(np.array([], np.intp), agent, witness, question)


def _weights(chance: Chance, rng: np.random.Generator) -> tuple[Any, Any]:
    """Draw whole numbers on the supports of the kernel (csr) and of the unconditional policy (dense)."""
    question = chance.question
    support = question.support
    values = rng.integers(1, _LARGEST_WEIGHT + 1, len(support.indices))
    kernel = csr_array((values, support.indices, support.indptr), shape=support.shape)
    return kernel, question.chosen * rng.integers(1, _LARGEST_WEIGHT + 1, question.chosen.shape)


def _exact_agent(chance: Chance, kernel: Any, policy: Any, goals: Goals) -> Any:
    available = chance.question.available
    rows = kernel.toarray().reshape(*available.shape, -1)
    discount = Fraction(_LARGEST_WEIGHT, _LARGEST_WEIGHT + 1)
    world = ExactMDP(_shares(rows), discount, available)
    weights = _shares(policy) if chance.question.policy.weights is None else chance.question.policy.weights
    return evaluate_exactly(world, ExactGoals.from_float(goals), weights)


def _shares(weights: Any) -> FractionArray:
    """Divide whole numbers by their sum along the last axis, where it is not zero."""
    totals = np.maximum(weights.sum(axis=-1, keepdims=True), 1)
    result: FractionArray = fraction_array(weights) / fraction_array(totals)
    return result


def _float_agent(chance: Chance, kernel: Any, policy: Any, goals: Goals) -> Any:
    totals = np.maximum(kernel.sum(axis=1), 1)
    counts = np.diff(kernel.indptr)
    rows = csr_array((kernel.data / np.repeat(totals, counts), kernel.indices, kernel.indptr), shape=kernel.shape)
    world = MDP(rows, _LARGEST_WEIGHT / (_LARGEST_WEIGHT + 1), chance.question.available)
    given = chance.question.policy.weights
    weights = policy / policy.sum(axis=1, keepdims=True) if given is None else to_floats(given)
    return evaluate(world, goals, weights)


def _exact_pair(matrix: FractionArray, columns: IntArray, ones: bool) -> tuple[Any, Any] | None:
    n = matrix.shape[1]
    chosen = matrix[:, columns]
    if ones:
        chosen = np.concatenate([chosen, np.full((1, len(columns)), Fraction(1), dtype=object)])
    basis = null_space(chosen)
    if basis.shape[1] == 0:
        return None
    vector = np.full(n, Fraction(0), dtype=object)
    vector[columns] = basis[:, 0]
    if ones:
        return split_exactly(vector)
    middle = np.full(n, Fraction(1, n), dtype=object)
    return middle, middle + vector


def _float_pair(matrix: FloatArray, columns: IntArray, ones: bool) -> tuple[Any, Any] | None:
    nothing = np.zeros((len(matrix), 1))
    system = RowSystem.of(matrix[:, columns], nothing, sums_to_one=ones)
    if system.null_basis.shape[1] == 0:
        return None
    vector = np.zeros(matrix.shape[1])
    vector[columns] = system.null_basis[:, -1]
    if ones:
        vector[columns] -= vector.sum() / len(columns)
        return split_into_rows(vector)
    middle = np.full(len(vector), 1.0 / len(vector))
    return middle, middle + vector
