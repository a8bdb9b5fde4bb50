"""`value_equivalence`: all kernels of a class that give an agent its values (S2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.equivalence.construction import (
    DistinctRows,
    distribution_polytopes,
    vector_polytopes,
)
from tabular_inversion.equivalence.distributions import DistributionSets
from tabular_inversion.equivalence.interface import ValueEquivalence
from tabular_inversion.equivalence.successors import SuccessorSets, matching_successors
from tabular_inversion.equivalence.vectors import VectorSets
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked


@checked
def value_equivalence(agent: AgentValues, kernel_class: KernelClass, *, noise: float = 0.0) -> ValueEquivalence:
    """Collect all kernels of a class that explain an agent's values (S2).

    Parameters
    ----------
    agent : AgentValues
        Values with their goals, discount and policy; never the kernel.
    kernel_class : KernelClass
        What is known of the kernel.
    noise : float
        How far each Q-value may be from the truth, at least 0.

    Returns
    -------
    ValueEquivalence
        Row by row; what it can say depends on the class.

    Raises
    ------
    AgentValuesError
        If no row of the class explains the values of some state and action.
    KernelClassError
        If a known support is empty.
    InputError
        If the noise is negative.

    Notes
    -----
    Let ``|Qhat - Q| <= eps``. Max, soft max and averages over actions move by eps at most when Q does, and the
    continuation C is at most 1, so ``|Mhat - M| <= discount * eps`` in every entry. A distribution p with M p = q
    then has ``|Mhat p - qhat| <= |(Mhat - M) p| + |qhat - q| <= (1 + discount) * eps``: the relaxed set contains it.

    Examples
    --------
    One goal, three states: each row keeps one degree of freedom, and every entry has an interval.

    >>> import numpy as np
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve
    >>> kernel = np.array([[[0.0, 0.5, 0.5]], [[0.25, 0.5, 0.25]], [[0.0, 0.0, 1.0]]])
    >>> agent = solve(MDP(kernel, discount=0.0), Goals([[0.0, 1.0, 2.0]]))
    >>> sets = value_equivalence(agent, Stochastic())
    >>> sets.dimension.ravel()
    array([1, 1, 0])
    >>> lower, upper = sets.bounds()
    >>> (lower[:, 0].round(6) + 0.0).tolist()
    [[0.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> upper[:, 0].round(6).tolist()
    [[0.25, 0.5, 0.75], [0.5, 1.0, 0.5], [0.0, 0.0, 1.0]]
    >>> sets.determined_functionals([[0.0, 10.0, 20.0], [1.0, 0.0, 0.0]])[:, :, 0]
    array([[ True,  True,  True],
           [False, False,  True]])
    """
    if not (np.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise}; expected a finite number of at least 0.")
    return VALUE_SETS.of(kernel_class)(agent, kernel_class, float(noise))


def _unknown_supports(agent: AgentValues, kernel_class: KernelClass, noise: float) -> ValueEquivalence:
    return ValueEquivalence(agent, kernel_class, noise)


def _successors(agent: AgentValues, kernel_class: KernelClass, noise: float) -> ValueEquivalence:
    return SuccessorSets(agent, kernel_class, noise, matching_successors(agent, noise))


def _vectors(agent: AgentValues, kernel_class: KernelClass, noise: float) -> ValueEquivalence:
    distinct = DistinctRows.of(agent, kernel_class)
    polytopes, constraints, basis = vector_polytopes(agent, kernel_class, noise, distinct)
    return VectorSets(agent, kernel_class, noise, basis, polytopes, constraints, distinct.shared)


def _distributions(agent: AgentValues, kernel_class: KernelClass, noise: float) -> ValueEquivalence:
    distinct = DistinctRows.of(agent, kernel_class)
    polytopes, constraints = distribution_polytopes(agent, kernel_class, noise, distinct)
    return DistributionSets(agent, kernel_class, noise, polytopes, constraints, distinct.shared)


VALUE_SETS: ClassTable[Callable[[AgentValues, KernelClass, float], ValueEquivalence]] = ClassTable(
    "value equivalence",
    {
        Unconstrained: _vectors,
        Stochastic: _distributions,
        Supported: _distributions,
        Sparse: _unknown_supports,
        Deterministic: _successors,
    },
)
"""By class, ``sets(agent, kernel_class, noise)``."""
