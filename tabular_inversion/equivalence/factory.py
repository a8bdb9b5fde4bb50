"""`value_equivalence`: all kernels of a class that give an agent its values (S2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import Noise
from tabular_inversion.agent_values.parts import parts_of, read_rows
from tabular_inversion.agent_values.reading import check_noise
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.equivalence.construction import (
    DistinctRows,
    distribution_polytopes,
    vector_polytopes,
)
from tabular_inversion.equivalence.distributions import DistributionSets
from tabular_inversion.equivalence.interface import ValueEquivalence
from tabular_inversion.equivalence.joined import JoinedSets
from tabular_inversion.equivalence.making import made_elsewhere
from tabular_inversion.equivalence.successors import SuccessorSets, matching_successors
from tabular_inversion.equivalence.vectors import VectorSets
from tabular_inversion.errors import InputError
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.uncertainty import noise_of


@checked
def value_equivalence(
    agent: AgentValues,
    kernel_class: KernelClass,
    *,
    noise: float | ArrayLike | str | None = None,
    rows: ArrayLike | None = None,
    executor: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> ValueEquivalence:
    """Collect all kernels of a class that explain an agent's values (S2).

    Parameters
    ----------
    agent : AgentValues
        Values with their goals, discount and policy; never the kernel.
    kernel_class : KernelClass
        What is known of the kernel.
    noise : float, array_like (G, S, A), "float32" or "float16", optional
        How far each Q-value may be from the truth, at least 0; what the agent says (`AgentValues.noise`) when omitted.
    rows : array_like, optional
        The rows to look at, bool (S, A) or numbers s*A + a; all when omitted. Nothing is said of the others: NaN.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Who does the work, in pieces of the rows as `identify` cuts them. `ValueEquivalence.bounds` takes one too.
    progress : callable, optional
        ``progress(done, total)`` in rows, at least every second; with an executor only.

    Returns
    -------
    ValueEquivalence
        Row by row; what it can say depends on the class.

    Raises
    ------
    AgentValuesError
        If no row of the class explains the values of some state and action, or the agent does not know the value of a
        state that matters.
    KernelClassError
        If a known support is empty.
    InputError
        If the noise is negative, or a row does not exist.

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
    stated = noise_of(agent, None if noise is None else check_noise(noise, agent.q.shape, InputError))
    make = VALUE_SETS.of(kernel_class)
    mask = None if rows is None else read_rows(rows, agent.available)
    parts = parts_of(agent if isinstance(stated, str | float) else agent.seen_as(noise=stated), mask)
    if executor is None and len(parts) == 1 and parts[0].agent is agent:
        return make(agent, kernel_class, stated)
    noises = [_noise_of_part(part.agent, stated) for part in parts]
    whole = agent if mask is None else replace(agent, asked=mask)
    if executor is not None:
        pieces = made_elsewhere(parts, noises, kernel_class, make, executor, progress)
        return JoinedSets(whole, kernel_class, stated, tuple(pieces))
    sets = tuple(make(part.agent, kernel_class, noise) for part, noise in zip(parts, noises, strict=True))
    return JoinedSets(whole, kernel_class, stated, sets)


def _noise_of_part(part: AgentValues, stated: Noise) -> Noise:
    """Return what noise of the whole agent is for a part of it, whose goals are fewer."""
    return part.noise if isinstance(stated, np.ndarray) and part.noise is not None else stated


def _unknown_supports(agent: AgentValues, kernel_class: KernelClass, noise: Noise) -> ValueEquivalence:
    return ValueEquivalence(agent, kernel_class, noise)


def _successors(agent: AgentValues, kernel_class: KernelClass, noise: Noise) -> ValueEquivalence:
    return SuccessorSets(agent, kernel_class, noise, matching_successors(agent, noise))


def _vectors(agent: AgentValues, kernel_class: KernelClass, noise: Noise) -> ValueEquivalence:
    distinct = DistinctRows.of(agent, kernel_class)
    polytopes, constraints, basis = vector_polytopes(agent, kernel_class, noise, distinct)
    return VectorSets(agent, kernel_class, noise, basis, polytopes, constraints, distinct.shared)


def _distributions(agent: AgentValues, kernel_class: KernelClass, noise: Noise) -> ValueEquivalence:
    distinct = DistinctRows.of(agent, kernel_class)
    polytopes, constraints = distribution_polytopes(agent, kernel_class, noise, distinct)
    return DistributionSets(agent, kernel_class, noise, polytopes, constraints, distinct.shared)


VALUE_SETS: ClassTable[Callable[[AgentValues, KernelClass, Noise], ValueEquivalence]] = ClassTable(
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
