"""The test functions of a fixed policy as rational functions of the discount (L1).

Row g of M is ``(I - gamma D P)^-1 (r + gamma D rho)``. Its denominator ``det(I - gamma D P)`` is 1 at 0 and has no root
in [0, 1), so that the rank of M there is that of its numerators, which are integer polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from math import lcm
from typing import Any

import numpy as np
from flint import fmpq, fmpq_poly, fmpz_poly
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.rationals import FractionArray, matrix_to_flint
from tabular_inversion.records import Record


@dataclass(frozen=True, eq=False)
class ValueRow(Record):
    """A row of M as quotients of integer polynomials in the discount.

    Attributes
    ----------
    coefficients : tuple of tuple of int, one for each state
        Of the numerators, constant first.
    below : tuple of int
        Coefficients of the denominator, which is positive on [0, 1).
    """

    coefficients: tuple[tuple[int, ...], ...]
    below: tuple[int, ...]

    @classmethod
    def of(cls, numerators: Sequence[fmpz_poly], denominator: fmpz_poly) -> ValueRow:
        """Return the row with these polynomials."""
        return cls(tuple(tuple(map(int, p.coeffs())) for p in numerators), tuple(map(int, denominator.coeffs())))

    @cached_property
    def numerators(self) -> tuple[fmpz_poly, ...]:
        """Over the denominator, the entries of the row, for python-flint."""
        return tuple(fmpz_poly(list(p)) for p in self.coefficients)

    @cached_property
    def denominator(self) -> fmpz_poly:
        """What all entries are divided by, for python-flint."""
        return fmpz_poly(list(self.below))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out python-flint's polynomials, which cannot be copied or pickled."""
        return {"coefficients": self.coefficients, "below": self.below}


def metric_rows(mdp: ExactMDP, goals: ExactGoals) -> list[ValueRow] | None:
    """Return the rows of M for optimal policies where they are powers of the discount, else None.

    That is so in deterministic worlds with indicator goals that end on arrival: ``M[g, s] = gamma^d``, with d the
    fewest steps from s to the goal of g, and 0 where there is no way (X1).
    """
    paid = goals.rewards != 0
    ends = goals.continuation == 0
    indicator = (paid.sum(axis=1) == 1).all() and (goals.rewards[paid] == 1).all() and (paid == ends).all()
    rest = (goals.continuation[~ends] == 1).all() and goals.action_rewards is None
    if not (indicator and rest and ((mdp.kernel != 0).sum(axis=2) <= 1).all()):
        return None
    backwards = csr_array((mdp.kernel != 0).any(axis=1).T.astype(float))
    steps = shortest_path(backwards, unweighted=True, indices=paid.argmax(axis=1))
    powers = [fmpz_poly([0] * d + [1]) for d in range(mdp.n_states)]
    one = fmpz_poly([1])
    return [ValueRow.of([powers[int(d)] if np.isfinite(d) else fmpz_poly() for d in row], one) for row in steps]


def policy_row(chain: FractionArray, rewards: FractionArray, later: FractionArray) -> ValueRow:
    """Return ``(I - gamma A)^-1 (r + gamma b)`` in lowest terms.

    Parameters
    ----------
    chain : numpy.ndarray of Fraction, shape (S, S)
        A, nonnegative with row sums at most 1: the kernel under the policy, times the continuation.
    rewards, later : numpy.ndarray of Fraction, shape (S,)
        r and b.
    """
    n = len(chain)
    scale = lcm(*(x.denominator for x in chain.ravel().tolist()))
    matrix = matrix_to_flint(chain * scale)
    characteristic = matrix.charpoly().coeffs()
    # det(I - gamma A) is the characteristic polynomial of A with its coefficients reversed.
    denominator = fmpq_poly([c / fmpq(scale) ** j for j, c in enumerate(characteristic[::-1])])
    series = [matrix_to_flint(np.stack([rewards], axis=1))]
    current = series[0]
    extra = matrix_to_flint(np.stack([later], axis=1))
    for _ in range(n):
        current = matrix * current / scale
        series.append(current + extra)
        extra = matrix * extra / scale
    # Cramer's rule bounds the degree of the numerators by n: the series need not go further.
    columns = [[term[s, 0] for term in series] for s in range(n)]
    numerators = [(denominator * fmpq_poly(column)).truncate(n + 1) for column in columns]
    return _lowest_terms(numerators, denominator)


def _lowest_terms(numerators: list[fmpq_poly], denominator: fmpq_poly) -> ValueRow:
    common = lcm(*(int(p.denom()) for p in [*numerators, denominator]))
    whole = [(p * common).numer() for p in [*numerators, denominator]]
    divisor = reduce(lambda first, second: first.gcd(second), whole)
    if divisor(0) < 0:
        divisor = -divisor
    *reduced, below = [p // divisor for p in whole]
    return ValueRow.of(reduced, below)


def fixed_policy_rows(mdp: ExactMDP, goals: ExactGoals, policy: FractionArray) -> list[ValueRow]:
    """Return the rows of M under a policy (S, A) or (G, S, A)."""
    return [
        policy_row(*closed_loop(mdp, goals, policy if policy.ndim == 2 else policy[g], g)) for g in range(goals.n_goals)
    ]


def closed_loop(
    mdp: ExactMDP, goals: ExactGoals, policy: FractionArray, goal: int
) -> tuple[FractionArray, FractionArray, FractionArray]:
    """Return A, r and b of `policy_row` for one goal under a policy (S, A)."""
    factors = goals.continuation[goal]
    chain = factors[:, None] * (policy[:, :, None] * mdp.kernel).sum(axis=1)
    extra = np.zeros(mdp.n_states, dtype=object) if goals.action_rewards is None else goals.action_rewards[goal]
    later = factors * (policy * extra).sum(axis=1) if goals.action_rewards is not None else extra
    return chain, goals.rewards[goal], later + Fraction(0)
