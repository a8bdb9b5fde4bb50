"""All instances with few states, small supports and small integers, family by family."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import gcd, prod

import numpy as np

from proofs_checks.instance import Instance
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array
from tabular_inversion.exact.rationals import FractionArray

DISCOUNTS = (Fraction(1, 2), Fraction(0), Fraction(1, 3), Fraction(9, 10))
POLICIES = ("optimal", "even", "first")


@dataclass(frozen=True)
class Family:
    """Every instance of one size whose rows, rewards, continuation, discount and policy come from short lists.

    Attributes
    ----------
    n_states, n_actions, n_goals : int
        The size.
    weights : int
        Rows are proportional to integers from 0 to this.
    rewards : int
        Rewards are integers from 0 to this.

    Examples
    --------
    >>> family = Family(2, 1, 1, 1, 1)
    >>> len(family), sum(1 for _ in family.instances())
    (288, 288)
    """

    n_states: int
    n_actions: int
    n_goals: int
    weights: int
    rewards: int

    @property
    def text(self) -> str:
        """The family in words."""
        return (
            f"{self.n_states} states, {self.n_actions} actions, {self.n_goals} goals; rows proportional to integers up "
            f"to {self.weights}, rewards up to {self.rewards}"
        )

    @cached_property
    def rows(self) -> list[tuple[Fraction, ...]]:
        """The distributions that rows of the kernel are taken from; sure ones first."""
        found = set()
        for weights in product(range(self.weights + 1), repeat=self.n_states):
            total = sum(weights)
            if total:
                found.add(tuple(Fraction(w, total) for w in weights))
        return sorted(found, key=lambda row: (sum(p > 0 for p in row), max(p.denominator for p in row), row[::-1]))

    @property
    def _policies(self) -> tuple[str, ...]:
        return POLICIES if self.n_actions > 1 else POLICIES[:1]

    @cached_property
    def _bases(self) -> list[int]:
        """How many choices each place has: rows, rewards, endings, discount, policy."""
        rows = [len(self.rows)] * (self.n_states * self.n_actions)
        rewards = [self.rewards + 1] * (self.n_goals * self.n_states)
        return [*rows, *rewards, 2, len(DISCOUNTS), len(self._policies)]

    def __len__(self) -> int:
        return prod(self._bases)

    def instances(self, *, part: int = 0, parts: int = 1) -> Iterator[Instance]:
        """Yield all of them, or those of one of several parts, in an order that is spread over the whole family."""
        total = len(self)
        step = next(s for s in range(int(total * 0.618) | 1, 2 * total + 3) if gcd(s, total) == 1)
        for number in range(part, total, parts):
            yield self.instance(number * step % total)

    def instance(self, number: int) -> Instance:
        """Return the instance of this number, from 0 to the length."""
        digits = []
        for base in self._bases:
            number, digit = divmod(number, base)
            digits.append(digit)
        n, m, k = self.n_states, self.n_actions, self.n_goals
        kernel = np.empty((n, m, n), dtype=object)
        for place, digit in zip(np.ndindex(n, m), digits, strict=False):
            kernel[place] = self.rows[digit]
        rewards = np.array([Fraction(digit) for digit in digits[n * m : n * m + k * n]], dtype=object).reshape(k, n)
        ends, discount, policy = digits[-3:]
        continuation = fraction_array(np.where(rewards != 0, 0, 1)) if ends else None
        world = ExactMDP(kernel, DISCOUNTS[discount])
        goals = ExactGoals(rewards, continuation)
        return Instance(world, goals, _policy(self._policies[policy], n, m))


def _policy(name: str, n_states: int, n_actions: int) -> FractionArray | None:
    if name == "optimal":
        return None
    policy = np.full((n_states, n_actions), Fraction(1, n_actions), dtype=object)
    if name == "first":
        policy[:], policy[:, 0] = Fraction(0), Fraction(1)
    return policy


FAMILIES = tuple(
    Family(n, m, k, weights, rewards)
    for n, m, k, weights, rewards in (
        (1, 1, 1, 1, 2), (1, 2, 1, 1, 2), (2, 1, 1, 2, 2), (2, 1, 2, 1, 2), (2, 2, 1, 1, 2), (2, 2, 2, 1, 1),
        (3, 1, 1, 1, 2), (3, 1, 2, 1, 1), (3, 2, 1, 1, 1), (3, 1, 3, 1, 1), (4, 1, 1, 1, 1), (4, 1, 2, 1, 1),
    )
)  # fmt: skip
"""From the smallest; the last ones are too many for a minute."""
