"""Several agents that learned the same: their mean, and how far it may be from what they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.stats import t as student

from tabular_inversion._typing import FloatArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.errors import AgentValuesError, InputError
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, same


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Record):
    """Agents that learned the same goals of one world, independently of each other; or replicates of one agent.

    Attributes
    ----------
    members : tuple of AgentValues
        At least two, alike in all but their values.
    original : AgentValues or None
        For bootstrap replicates: the agent that they are replicates of. The members then vary round it as it varies
        round the truth; without it they vary round the truth themselves, and their mean is the estimate.

    Raises
    ------
    InputError
        If there are fewer than two members: one agent shows no spread.
    AgentValuesError
        If members differ in goals, discount, actions or the way they value states, or have rewards of transitions.

    Notes
    -----
    An ensemble sees the errors in which its members differ: their draws, their order, their exploration. It does not
    see what they share: one data set (take a `bootstrap` over its transitions instead), too little training in all of
    them, a wrong discount, the maximum over noisy values, which is too large on average. Checkpoints of one run are
    members only if they are so far apart that little of an earlier one is left.

    Examples
    --------
    >>> from tabular_inversion import Goals, solve
    >>> from tabular_inversion.environments import chain
    >>> agent = solve(chain(3), Goals.indicator(3))
    >>> ensemble = Ensemble(tuple(agent.with_noise(1e-3, seed=seed) for seed in range(5)))
    >>> ensemble, ensemble.noise(0.95).shape
    (<Ensemble of 5 agents: 3 goals, 3 states, 2 actions>, (3, 3, 2))
    >>> Ensemble((agent,))
    Traceback (most recent call last):
    tabular_inversion.errors.InputError: an ensemble of 1: one agent shows no spread; give several seeds, or bootstrap.
    """

    members: tuple[AgentValues, ...]
    original: AgentValues | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        super().__post_init__()
        count = len(self.members)
        if count < 2:
            raise InputError(
                f"an ensemble of {count}: one agent shows no spread; give several seeds, or bootstrap."
                if count
                else "an ensemble of none; give several agents."
            )
        everyone = self.members if self.original is None else (*self.members, self.original)
        for number, member in enumerate(everyone):
            _check_alike(number, member, self.members[0])

    def __repr__(self) -> str:
        first = self.members[0]
        what = "agents" if self.original is None else "replicates of one agent"
        sizes = f"{first.n_goals} goals, {first.n_states} states, {first.n_actions} actions"
        return f"<Ensemble of {len(self.members)} {what}: {sizes}>"

    @cached_property
    def agent(self) -> AgentValues:
        """The agent with the mean values, valuing states as the members do; for replicates the original one."""
        if self.original is not None:
            return self.original
        first, q = self.members[0], np.mean([member.q for member in self.members], axis=0)
        own = None if first.own_v is None else np.mean([member.v for member in self.members], axis=0)
        return replace(first, q=q, own_v=own, report=None, noise=None)

    @cached_property
    def spread(self) -> FloatArray:
        """The standard error of each value of `agent`, shape (G, S, A)."""
        deviation = np.std([member.q for member in self.members], axis=0, ddof=1)
        return np.asarray(deviation * self.shrinks)

    @property
    def shrinks(self) -> float:
        """How much less the estimate varies than a member: 1 / sqrt(members) for a mean, 1 for a bootstrap."""
        return 1.0 if self.original is not None else len(self.members) ** -0.5

    def quantile(self, level: float, count: int = 1) -> float:
        """Return how many standard errors hold `count` normal errors at once with probability `level` (Bonferroni)."""
        return quantile(level, len(self.members), count)

    def noise(self, confidence: float = 0.95) -> FloatArray:
        """Bound the errors of all values of `agent` at once, with this probability, shape (G, S, A).

        Student's t for each value, at a level that the number of values is divided by (Bonferroni): right for errors
        that are normal and have mean zero, however they depend on each other. Pass it on with the confidence:
        ``identify(ensemble.agent, kernel_class, noise=ensemble.noise(0.95), confidence=0.95)``.

        Parameters
        ----------
        confidence : float
            Between 0 and 1.

        Raises
        ------
        InputError
            If it is not.
        """
        known = int(self.agent.known.sum())
        return np.nan_to_num(self.quantile(confidence, known) * self.spread)


def quantile(level: float, members: int, count: int = 1) -> float:
    """Return the two-sided quantile of Student's t with ``members - 1`` degrees of freedom, for `count` errors at once.

    Examples
    --------
    >>> round(quantile(0.95, 10), 3), round(quantile(0.95, 10, 100), 3)
    (2.262, 5.291)
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"the level is {level}; expected a number between 0 and 1, such as 0.95.")
    return float(student.ppf(1.0 - (1.0 - level) / (2.0 * max(count, 1)), members - 1))


def ensemble_of(agents: Sequence[AgentValues] | Ensemble) -> Ensemble:
    """Return agents as an ensemble; one that is an ensemble as it is."""
    return agents if isinstance(agents, Ensemble) else Ensemble(tuple(agents))


def _check_alike(number: int, member: AgentValues, first: AgentValues) -> None:
    if not isinstance(member, AgentValues):
        raise InputError(f"member {number} is a {type(member).__name__}; expected AgentValues.")
    if member.transition_rewards is not None:
        raise AgentValuesError(f"member {number} has rewards of transitions; an ensemble needs one test matrix each.")
    if member.q.shape != first.q.shape:
        raise AgentValuesError(f"member {number} has values of shape {member.q.shape}, member 0 of {first.q.shape}.")
    pairs = {
        "goals": (member.goals, first.goals),
        "discounts": (member.discounts, first.discounts),
        "actions": (member.available, first.available),
        "temperature": (member.temperature, first.temperature),
        "policy": (member.policy, first.policy),
        "operator": (member.operator, first.operator),
    }
    for name, (own, other) in pairs.items():
        if not same(own, other):
            raise AgentValuesError(
                f"member {number} differs from member 0 in its {name}; an ensemble learned the same, from other draws."
            )
