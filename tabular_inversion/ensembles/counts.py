"""How far the values of an empirical world are from the true ones, from the numbers of transitions alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError, DiscountError, InputError
from tabular_inversion.kinds import checked
from tabular_inversion.recovery.regularised import check_counts


@checked
def sampling_noise(agent: AgentValues, visits: ArrayLike, *, confidence: float = 0.95) -> FloatArray:
    """Bound the errors of values that were fitted to recorded transitions, all at once, with this probability.

    Parameters
    ----------
    agent : AgentValues
        Values of the empirical world (fixed points, as `fitted_values` gives them): optimal, soft or of a given policy.
    visits : array_like, shape (S, A)
        How many transitions of each row there are, drawn independently.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    numpy.ndarray, shape (G, S, A)
        ``|Qhat - Q| <= noise`` everywhere with at least this probability; infinite if an action was never tried.

    Raises
    ------
    InputError
        If the confidence is not between 0 and 1, or a number negative.
    DiscountError
        If a discount is 1.
    AgentValuesError
        If the agent's values are not those of a world, or it is a max-entropy agent, whose values have no such range.

    Notes
    -----
    With m the true test function of a goal, ``|Qhat - Q| <= max |(Phat - P) m| / (1 - discount)``. m is fixed, so by
    Hoeffding ``|(Phat - P) m| <= range(m) sqrt(log(2 k r / delta) / (2 N))`` for all k goals and r rows at once, delta
    the rest of the confidence to 1. The range of m follows from rewards, continuations and discount.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import river_swim
    >>> agent = solve(river_swim(3), Goals.indicator(3))
    >>> float(sampling_noise(agent, np.full((3, 2), 10_000))[0, 0, 0].round(2))
    6.89
    """
    counts = check_counts(visits, agent)
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence is {confidence}; expected a number between 0 and 1, such as 0.95.")
    if agent.operator not in ("max", "policy"):
        raise AgentValuesError(f"values by operator {agent.operator!r} have no range that rewards give; state noise.")
    if (agent.discounts >= 1.0).any():
        raise DiscountError("a discount is 1; counts bound values for discounts below 1.")
    rewards = agent.goals.rewards
    left = 1.0 / (1.0 - agent.discounts)
    extra = agent.goals.action_rewards
    ends = [rewards.min(axis=1), rewards.max(axis=1)]
    if extra is not None:
        ends = [ends[0] + extra.min(axis=(1, 2)), ends[1] + extra.max(axis=(1, 2))]
    lowest, highest = np.minimum(ends[0], 0.0) * left, np.maximum(ends[1], 0.0) * left
    least = (rewards + agent.weights * lowest[:, None]).min(axis=1)
    most = (rewards + agent.weights * highest[:, None]).max(axis=1)
    failures = 2.0 * agent.n_goals * len(counts) / (1.0 - confidence)
    fewest = float(counts.min())
    share = np.inf if fewest == 0 else np.sqrt(np.log(failures) / (2.0 * fewest))
    bound = (most - least) * share * left
    return np.broadcast_to(bound[:, None, None], agent.q.shape).copy()
