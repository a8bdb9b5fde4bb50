"""What a verdict is about: the question that it answers, and a hint where it stays open."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

import numpy as np

from tabular_inversion._typing import BoolArray, FloatArray, IntArray
from tabular_inversion.agent_values.noise import is_noisy
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record

if TYPE_CHECKING:
    from tabular_inversion.agent_values import AgentValues
    from tabular_inversion.exact import ExactAgentValues

Scope = Literal["instance", "uniform"]


class Hint(Enum):
    """What would decide the rows that a verdict leaves open.

    Examples
    --------
    >>> Hint.EXACT.value
    'exact values would decide'
    """

    EXACT = "exact values would decide"
    LESS_NOISE = "less noise would decide"
    TIME = "more time would decide"
    MORE_GOALS = "more goals would decide"
    KNOWN_SUPPORT = "a known support, or fewer successors, would decide"
    DRAWS = "draws in a finite field would decide: ask `generic`"
    WORLD = "it differs from kernel to kernel: a given world would decide, ask `concrete`"


class VerdictQuestion(Record, ABC):
    """All that a decision looked at: a verdict carries it, so that its re-check decides again."""

    if TYPE_CHECKING:  # fields of some questions, which cannot implement an abstract property

        @property
        def kernel_class(self) -> KernelClass:
            """The class that rows are judged in."""

        @property
        def scope(self) -> Scope:
            """Whether an agent's own rows are asked about, or every member of the class."""

    @property
    @abstractmethod
    def policy(self) -> str:
        """What the agents do, in words."""

    @property
    @abstractmethod
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""

    @property
    @abstractmethod
    def n_goals(self) -> int:
        """K."""


def agents_in_words(agent: AgentValues | ExactAgentValues) -> str:
    """Return what agents of these values do, as answers name it."""
    return {"max": "optimal agents", "softmax": "maximum-entropy agents"}.get(agent.operator, "a given policy")


@checked
@dataclass(frozen=True, eq=False)
class ValuesQuestion(VerdictQuestion):
    """Whether values determine the world.

    Attributes
    ----------
    agent : AgentValues or ExactAgentValues
        The values.
    kernel_class : KernelClass
        What is known of the kernel.
    scope : {"instance", "uniform"}
        See `identify`.
    noise : float, numpy.ndarray (G, S, A) or str
        How far each Q-value may be from the truth; 0 for exact values.
    confidence : float or None
        With what probability the noise bounds all errors; None where it surely does.
    pieces : tuple of numpy.ndarray of int
        The rows s*A + a that were decided together, in each piece; none where all were, at once.

    Examples
    --------
    >>> from tabular_inversion import Goals, Stochastic, identify, solve
    >>> from tabular_inversion.environments import chain
    >>> question = identify(solve(chain(3), Goals.generic(3, 2, seed=0)), Stochastic()).question
    >>> question.scope, question.noise, question.n_goals
    ('instance', 0.0, 2)
    """

    agent: AgentValues | ExactAgentValues
    kernel_class: KernelClass
    scope: Scope
    noise: float | FloatArray | str = 0.0
    pieces: tuple[IntArray, ...] = ()
    confidence: float | None = None

    @property
    def policy(self) -> str:
        """What the agents do, in words."""
        return agents_in_words(self.agent)

    @property
    def available(self) -> BoolArray:
        """Which rows exist, shape (S, A)."""
        return self.agent.available

    @property
    def is_noisy(self) -> bool:
        """Whether values, or test functions, may be further from the truth than rounding."""
        return is_noisy(self.noise) or bool(np.any(np.asarray(getattr(self.agent, "test_noise", 0.0)) > 0))

    @property
    def decided(self) -> BoolArray:
        """Which rows were looked at, shape (S, A)."""
        if not self.pieces:
            return self.available
        mask = np.zeros(self.available.size, bool)
        mask[np.concatenate(self.pieces)] = True
        return mask.reshape(self.available.shape)

    @property
    def n_goals(self) -> int:
        """K."""
        return self.agent.n_goals
