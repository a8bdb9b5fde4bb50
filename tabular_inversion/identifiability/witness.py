"""Two different rows with the same values: what refutes that values determine a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular_inversion.kinds import checked
from tabular_inversion.records import Record


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Witness(Record):
    """Two different rows of the class that give every goal the same value at (state, action).

    Attributes
    ----------
    state, action : int
        The row. At uniform scope the two rows refute uniqueness for this row's class, not for this agent's own row.
    first, second : numpy.ndarray, shape (S,)
        The two rows: floats, or Fractions at exact evidence.
    value_gap : float
        ``max_g |M (first - second)|``, relative for each goal to its largest test value where either row leads.

    Examples
    --------
    >>> from tabular_inversion import Goals, MDP, Stochastic, identify, solve
    >>> agent = solve(MDP([[[0.5, 0.5]], [[0.25, 0.75]]], discount=0.9), Goals([[0.0, 0.0]]))
    >>> witness = identify(agent, Stochastic(), scope="uniform").witness
    >>> sorted(witness.to_dict())
    ['action', 'distance', 'first', 'second', 'state', 'value_gap']
    """

    state: int
    action: int
    first: NDArray[Any]
    second: NDArray[Any]
    value_gap: float

    @property
    def distance(self) -> float:
        """``sum |first - second|``."""
        return float(np.abs(self.first - self.second).sum())

    def to_dict(
        self, state_names: Sequence[str] | None = None, action_names: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Return the nonzero entries of both rows by state: numbers, or texts such as "1/24" at exact evidence.

        Parameters
        ----------
        state_names, action_names : sequence of str, optional
            What states and actions are called; their numbers when omitted.
        """

        def entries(row: NDArray[Any]) -> dict[str, float | str]:
            return {
                str(i) if state_names is None else state_names[i]: str(row[i]) if row.dtype == object else float(row[i])
                for i in np.flatnonzero(row != 0).tolist()
            }

        return {
            "state": self.state if state_names is None else state_names[self.state],
            "action": self.action if action_names is None else action_names[self.action],
            "first": entries(self.first),
            "second": entries(self.second),
            "value_gap": self.value_gap,
            "distance": self.distance,
        }
