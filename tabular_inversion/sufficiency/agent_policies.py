"""Which policy a question before training is about: optimal agents, almost every policy, or one that is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion import bellman
from tabular_inversion._typing import BoolArray
from tabular_inversion.errors import PolicyError, ShapeError
from tabular_inversion.exact import fraction_array
from tabular_inversion.exact.policies import uniform_policy
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.validation import exact_policy
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP
from tabular_inversion.policies import check_policy, greedy
from tabular_inversion.records import Record

Policy: TypeAlias = Literal["optimal", "generic", "uniform"] | ArrayLike
"""``"optimal"``: for each goal; ``"generic"``: almost every unconditional policy; ``"uniform"``: all actions alike; an
array of bool (S, A): almost every unconditional policy on these actions; probabilities (S, A) or (G, S, A)."""

WORDS = ("optimal", "generic", "uniform")


@dataclass(frozen=True, eq=False)
class AskedPolicy(Record):
    """A policy as a question before training reads it.

    Attributes
    ----------
    name : str
        What answers call it.
    chosen : numpy.ndarray of bool, shape (S, A)
        Which actions an unconditional policy takes; all available ones where goals have policies of their own.
    weights : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        Probabilities that are kept as they are; None where almost every policy on `chosen` is meant.
    """

    name: str
    chosen: BoolArray
    weights: FractionArray | None

    @property
    def is_generic(self) -> bool:
        """Whether almost every policy is meant, or there is only one action in each state: paths decide no other."""
        return self.weights is None


def read_policy(
    policy: Policy, world: Any, goals: Goals, available: BoolArray, *, limit_denominator: int | None
) -> AskedPolicy:
    """Read what the public functions take as `policy`.

    Parameters
    ----------
    policy : str or array_like
        See `Policy`.
    world : MDP or networkx.Graph
        Optimal policies are those of its probabilities: a graph with several actions has none.
    goals : Goals
        For optimal and goal-conditioned policies.
    available : numpy.ndarray of bool, shape (S, A)
        Which actions exist.
    limit_denominator : int or None
        Floats stand for fractions with denominators up to this; None takes them as they are.

    Raises
    ------
    PolicyError
        If the policy is another word, does not fit, or is optimal where nothing says what is.

    Examples
    --------
    >>> one_action = np.ones((2, 1), bool)
    >>> read_policy("optimal", None, Goals([[0.0, 1.0]]), one_action, limit_denominator=None).name
    'the only policy'
    """
    if (available.sum(axis=1) == 1).all() and isinstance(policy, str) and policy in WORDS:
        return AskedPolicy("the only policy", available, None)
    if isinstance(policy, str):
        return _named(policy, world, goals, available)
    given = np.asarray(policy)
    if given.dtype == bool:
        return _on_actions(given, available)
    exact = exact_policy(
        fraction_array(given, allow_float=True, limit_denominator=limit_denominator), available, goals.n_goals
    )
    chosen = exact > 0
    if exact.ndim == 2 and (chosen.sum(axis=1) == 1).all():
        return AskedPolicy("the given policy, sure of its actions", chosen, None)
    name = "the given policy" if exact.ndim == 2 else "the given policies of the goals"
    return AskedPolicy(name, chosen if exact.ndim == 2 else available, exact)


def _named(policy: str, world: Any, goals: Goals, available: BoolArray) -> AskedPolicy:
    if policy == "generic":
        return AskedPolicy("almost every unconditional policy", available, None)
    if policy == "uniform":
        return AskedPolicy("the uniform policy", available, uniform_policy(available))
    if policy != "optimal":
        raise PolicyError(f"the policy is {policy!r}; expected {', '.join(map(repr, WORDS))}, or probabilities.")
    if not isinstance(world, MDP):
        raise PolicyError(
            f"a {type(world).__name__} with several actions has no optimal policy; give an MDP, or policy='generic'."
        )
    best = greedy(bellman.solve(world, goals).q, available)
    return AskedPolicy("optimal agents", available, fraction_array(best.astype(int)))


def _on_actions(given: BoolArray, available: BoolArray) -> AskedPolicy:
    if given.shape != available.shape:
        raise ShapeError(f"the policy's actions have shape {given.shape}; expected {available.shape}.")
    check_policy(given / np.maximum(given.sum(axis=1, keepdims=True), 1), available, 1)
    return AskedPolicy("almost every unconditional policy on the actions given", given, None)
