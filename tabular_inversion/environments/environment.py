"""What every text that names an environment stands for."""

from __future__ import annotations

from dataclasses import dataclass

from tabular_inversion.goals import Goals
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP


@checked
@dataclass(frozen=True, eq=False)
class Environment:
    """A world with the name it was asked for by.

    Attributes
    ----------
    name : str
        The text or id that names it.
    mdp : MDP
        The world.
    native_goals : Goals or None
        The environment's own task, where it has one that goals can express.

    Examples
    --------
    >>> from tabular_inversion.environments import parse_environment
    >>> parse_environment("chain:3")
    Environment(name='chain:3', mdp=MDP(n_states=3, n_actions=2, discount=0.95, sparse), native_goals=None)
    """

    name: str
    mdp: MDP
    native_goals: Goals | None = None
