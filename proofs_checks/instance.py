"""One instance of a statement: a rational world, goals, a policy, and whatever else the statement speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from tabular_inversion import KernelClass, exact
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kernel_classes import parse_kernel_class


@dataclass(frozen=True, eq=False)
class Instance:
    """A world and an agent in rational numbers, small enough to print.

    Attributes
    ----------
    world : ExactMDP
        The true kernel, the discount and the available actions.
    goals : ExactGoals
        What the agent was rewarded for.
    policy : numpy.ndarray of Fractions, shape (S, A) or (G, S, A), optional
        What it does; the optimal policy of each goal when omitted.
    kernel_class : str
        The class that the inverse problem assumes, as the command line names it.
    extra : mapping of str to numpy.ndarray of Fractions
        Further numbers that the statement speaks of, such as ``noise`` or ``prior``.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/2"]], [[0, 1]]], discount="1/2")
    >>> instance = Instance(world, ExactGoals([[0, 1]]))
    >>> instance.agent.test_matrix[0].astype(float)
    array([0.66666667, 2.        ])
    >>> Instance.from_dict(instance.to_dict()).world == world
    True
    """

    world: ExactMDP
    goals: ExactGoals
    policy: FractionArray | None = None
    kernel_class: str = "stochastic"
    extra: Mapping[str, FractionArray] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def agent(self) -> ExactAgentValues:
        """What the agent shows, by exact evaluation or policy iteration."""
        if self.policy is None:
            return exact.solve(self.world, self.goals)
        return exact.evaluate(self.world, self.goals, self.policy)

    @cached_property
    def row_class(self) -> KernelClass:
        """The kernel class; ``supported`` means the support of the true kernel."""
        return parse_kernel_class(self.kernel_class, self.world.to_float())

    @cached_property
    def system(self) -> FractionArray:
        """[M;1], the test matrix over a row of ones, shape (G + 1, S)."""
        matrix = self.agent.test_matrix
        return np.concatenate([matrix, np.ones((1, matrix.shape[1]), int) + 0 * matrix[:1]])

    def to_dict(self) -> dict[str, Any]:
        """Return the instance as JSON takes it, each number a text such as "1/24"."""
        return {
            "kernel": _texts(self.world.kernel),
            "discount": str(self.world.discount),
            "available": self.world.available.tolist(),
            "rewards": _texts(self.goals.rewards),
            "continuation": _texts(self.goals.continuation),
            "action_rewards": None if self.goals.action_rewards is None else _texts(self.goals.action_rewards),
            "policy": None if self.policy is None else _texts(self.policy),
            "kernel_class": self.kernel_class,
            "extra": {name: _texts(np.asarray(values, dtype=object)) for name, values in self.extra.items()},
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Instance:
        """Read what `to_dict` returned; every number is checked again by the constructors."""
        policy = given["policy"]
        return cls(
            ExactMDP(given["kernel"], given["discount"], given["available"]),
            ExactGoals(given["rewards"], given["continuation"], given["action_rewards"]),
            None if policy is None else exact.fraction_array(policy),
            given["kernel_class"],
            {name: exact.fraction_array(values) for name, values in given["extra"].items()},
        )


def _texts(values: FractionArray) -> Any:
    """Turn fractions into nested lists of texts."""
    return np.vectorize(str, otypes=[object])(values).tolist() if values.size else values.tolist()
