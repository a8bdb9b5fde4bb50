"""What is to be explained: the values as they were given, and how well they are explained so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.diagnosis.fitted import best_parameter
from tabular_inversion.diagnosis.trials import Fit, Trial, allowed_misfit, fit
from tabular_inversion.kernel_classes import KernelClass

_DISCOUNTS = np.array([0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.0])
_LOOKED_AT = 12
"""How many rows a search over a parameter looks at; what it finds is judged by all."""


@dataclass(frozen=True, eq=False)
class Case:
    """An agent, a class, and the noise that is assumed.

    Attributes
    ----------
    agent : AgentValues
        As given, without the report of a solver.
    kernel_class : KernelClass
        As given.
    noise : numpy.ndarray, shape (G,)
        How far the Q-values of each goal may be from the truth.
    """

    agent: AgentValues
    kernel_class: KernelClass
    noise: FloatArray

    def trial(self, text: str, change: str, *, kernel_class: KernelClass | None = None, **fields: Any) -> Trial:
        """Return the values read in another way: with other fields of the agent, or another class.

        Beside the agent's own fields, `v` stands for state values of another origin, `known` for the values that are
        equations, shape (G, S, A), and `noise` for how far values are from the truth in this reading alone.
        """
        noise = fields.pop("noise", None)
        if "v" in fields:
            fields = {"own_v": fields.pop("v"), "policy": None, "temperature": None, **fields}
        elif "policy" in fields:
            fields = {"own_v": None, **fields}
        if "known" in fields:
            fields["q"] = np.where(fields.pop("known"), self.agent.q, np.nan)
        agent = replace(self.agent, **fields) if fields else self.agent
        return Trial(text, change, agent, kernel_class or self.kernel_class, noise)

    def fit(self, trial: Trial, rows: IntArray | None = None) -> Fit:
        """Find the nearest rows of a trial, under the noise that is assumed."""
        return fit(trial, self.noise, rows)

    @cached_property
    def allowed(self) -> FloatArray:
        """How far the values may miss their equations as they were given, shape (G,)."""
        return allowed_misfit(self.trial("as given", ""), self.noise)

    @cached_property
    def plain(self) -> Fit:
        """The nearest rows to the values as they were given."""
        return self.fit(self.trial("as given", ""))

    @cached_property
    def some_rows(self) -> IntArray:
        """Places of a few rows, evenly spread over those that are not explained as they are, or else over all."""
        bad = np.flatnonzero(~self.plain.row_fits)
        rows = bad if bad.size else np.arange(len(self.agent.row_index))
        return np.asarray(rows[np.unique(np.linspace(0, len(rows) - 1, min(_LOOKED_AT, len(rows))).astype(int))])

    @property
    def is_silent(self) -> bool:
        """Whether no row has more equations than free probabilities, so that wrong readings may fit as well."""
        return not (np.isfinite(self.agent.right_hand_sides).sum(axis=0) > self.free).any()

    def best(self, read: Callable[[float], Trial], grid: FloatArray) -> float:
        """Return the parameter of a reading that explains the rows best."""
        return best_parameter(lambda x: self.fit(read(x), self.some_rows), lambda x: self.fit(read(x)), grid)

    @cached_property
    def best_discount(self) -> float:
        """The discount that explains the rows best; two explanations begin there."""
        return self.best(
            lambda x: self.trial("", "", discount=x, goal_discounts=None), np.union1d(_DISCOUNTS, self.agent.discount)
        )

    @cached_property
    def free(self) -> IntArray:
        """How many probabilities of each row are free before any value is seen, shape (rows,)."""
        agent, found = self.agent, self.kernel_class
        supports = found.known_supports(agent.row_index)
        if supports is not None:
            return np.asarray(np.diff(supports.indptr) - 1)
        return np.full(len(agent.row_index), found.most(agent.n_states) - found.sums_to_one)
