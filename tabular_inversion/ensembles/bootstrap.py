"""Replicates of one data set: the error that all agents trained on it share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion.agent_values import AgentValues
from tabular_inversion.ensembles.ensemble import Ensemble
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.learning.fitted import fitted_values
from tabular_inversion.validation import check_seed

_NUMBERS = 2**24


@checked
def bootstrap(
    counts: ArrayLike,
    goals: Goals,
    *,
    policy: ArrayLike | None = None,
    discount: float,
    replicates: int = 100,
    available: ArrayLike | None = None,
    seed: int | np.random.Generator = 0,
) -> Ensemble:
    """Draw replicates of recorded transitions from the chain that they describe, and fit Q-values to each.

    Parameters
    ----------
    counts : array_like, shape (S, A, S)
        How often each successor followed each action: ``np.add.at(counts, (state, action, next_state), 1)``.
    goals : Goals
        Of which the rewards and continuations follow from the state arrived in.
    discount : float
        In [0, 1).
    replicates : int
        At least 2.
    policy, available
        As for `fitted_values`.
    seed : int or numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    Ensemble
        With the agent fitted to the transitions themselves as `original`, round which replicates vary.

    Raises
    ------
    InputError
        If there are fewer than 2 replicates, or an available action was never tried.
    ShapeError
        If counts are not (S, A, S).

    Notes
    -----
    The model-based bootstrap of a controlled Markov chain, given how often each action was tried (arXiv 2605.12410):
    every row draws as many successors as it was seen to have, from their frequencies. Agents trained on one data set
    share its error, and seeds of the training do not show it; replicates do. A successor that was never seen is in no
    replicate: a row tried a few times looks more certain than it is.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic
    >>> from tabular_inversion.ensembles import invert_ensemble
    >>> counts = np.array([[[3000, 1000]], [[0, 4000]]])
    >>> found = invert_ensemble(bootstrap(counts, Goals.indicator(2), discount=0.9, seed=0), Stochastic())
    >>> found.centre[0, 0].round(3), bool(abs(found.error[0, 0, 0] / (0.75 * 0.25 / 4000) ** 0.5 - 1) < 0.2)
    (array([0.75, 0.25]), True)
    """
    table = np.asarray(counts)
    if table.ndim != 3 or table.shape[0] != table.shape[2]:
        raise ShapeError(f"counts has shape {table.shape}; expected (S, A, S).")
    if replicates < 2:
        raise InputError(f"replicates is {replicates}; one shows no spread: expected at least 2.")
    whole = table.astype(np.int64)
    if (whole != table).any() or (whole < 0).any():
        raise InputError("counts are not whole numbers of at least 0; give how often each successor followed.")
    rng = check_seed(seed, InputError)
    total = whole.sum(axis=2)
    share = np.where(total[:, :, None] > 0, whole / np.maximum(total, 1)[:, :, None], 1.0 / len(whole))
    options: dict[str, Any] = {"policy": policy, "discount": discount, "available": available}
    q = [fitted_values(whole[None], goals, **options)]
    step = max(1, _NUMBERS // (whole.size + goals.n_goals * total.size))
    for start in range(0, replicates, step):
        drawn = rng.multinomial(total, share, size=(min(step, replicates - start), *total.shape))
        q.append(fitted_values(drawn, goals, **options))
    own, *others = np.concatenate(q)

    def agent_of(values: np.ndarray) -> AgentValues:
        return AgentValues(values, goals, discount, policy, available=available)

    return Ensemble(tuple(agent_of(values) for values in others), original=agent_of(own))
