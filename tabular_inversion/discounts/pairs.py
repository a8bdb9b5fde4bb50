"""Two worlds that no agent on the given goals tells apart, at an exceptional discount (X1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil, lcm
from typing import Any

import numpy as np
from flint import fmpq, fmpq_poly, fmpz_poly

from tabular_inversion import bellman, exact
from tabular_inversion.discounts.exceptional import ExceptionalDiscounts
from tabular_inversion.discounts.policy_pieces import Piece
from tabular_inversion.discounts.search import ExceptionalDiscount, with_ones
from tabular_inversion.errors import GoalsError, InputError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.matrices import null_vector, vanishes
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber
from tabular_inversion.exact.rationals import FractionArray, to_floats
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, promise, same

_MOST_NOISE, _LEAST_NOISE = Fraction(1, 2), Fraction(1, 2**12)
_NEAR = Fraction(1, 2**200)
SAME_VALUES = 1e-9
"""Largest difference of Q-values in floats, relative to the largest one, that counts as none."""


@checked
@dataclass(frozen=True, eq=False, repr=False)
class KernelPair(Record):
    """Two kernels that differ in one row and have the same Q-values for every goal at one discount.

    Attributes
    ----------
    discount : AlgebraicNumber
        Where they have.
    mdp : ExactMDP
        The first world. Its own discount is the one above where that is rational, else 0.
    state, action : int
        The row in which they differ.
    added : bool
        Whether that row belongs to an action that the world did not have: a noisy one, which no goal prefers.
    direction : tuple of tuple of Fraction
        One polynomial for each state, by its coefficients, constant first; their values at the discount sum to zero,
        and M sends them to zero.
    step : Fraction
        The second row is the first plus this multiple of the direction.
    result : ExceptionalDiscounts
        Where goals, policy and M come from.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> from tabular_inversion.discounts import exceptional_discounts, indistinguishable_kernels
    >>> result = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
    >>> pair = indistinguishable_kernels(result, result.discounts[0])
    >>> pair.first.astype(str).tolist(), pair.second.astype(str).tolist()
    (['7/12', '1/12', '1/12', '1/12', '1/12', '1/12'], ['13/24', '1/24', '1/24', '1/8', '1/8', '1/8'])
    >>> pair.verify()
    """

    discount: AlgebraicNumber
    mdp: ExactMDP
    state: int
    action: int
    added: bool
    direction: tuple[tuple[Fraction, ...], ...]
    step: Fraction
    result: ExceptionalDiscounts

    def __repr__(self) -> str:
        return f"KernelPair(state={self.state}, action={self.action}, discount={self.discount})"

    @property
    def _polynomials(self) -> tuple[fmpq_poly, ...]:
        return tuple(fmpq_poly([fmpq(c.numerator, c.denominator) for c in entry]) for entry in self.direction)

    @property
    def first(self) -> FractionArray:
        """The row of the first kernel, shape (S,), in fractions."""
        row: FractionArray = self.mdp.kernel[self.state, self.action]
        return row

    @property
    def second(self) -> FractionArray:
        """The row of the second kernel, shape (S,): fractions, or floats where the discount is irrational."""
        moved: FractionArray = self.first + self.step * np.array(_near_values(self._polynomials, self.discount))
        return moved if self.discount.value is not None else to_floats(moved)

    def second_for_sympy(self) -> list[Any]:
        """Return the row of the second kernel exactly, as sympy numbers.

        Examples
        --------
        >>> import networkx as nx
        >>> from tabular_inversion.environments import graph
        >>> from tabular_inversion.discounts import exceptional_discounts, indistinguishable_kernels
        >>> six = nx.Graph([(0, 1), (0, 5), (1, 2), (1, 4), (2, 3), (2, 5), (3, 4), (4, 5)])
        >>> result = exceptional_discounts(graph(six))
        >>> pair = indistinguishable_kernels(result, result.discounts[0])
        >>> pair.discount.to_sympy(), [entry.simplify() for entry in pair.second_for_sympy()][:2]
        (-1/2 + sqrt(5)/2, [3/52, sqrt(5)/78 + 31/52])
        """
        import sympy

        number = self.discount.to_sympy()
        step = sympy.Rational(self.step.numerator, self.step.denominator)
        row = []
        for p, entry in zip(self.first.tolist(), self.direction, strict=True):
            powers = (sympy.Rational(c.numerator, c.denominator) * number**i for i, c in enumerate(entry))
            row.append(sympy.Rational(p.numerator, p.denominator) + step * sympy.Add(*powers))
        return row

    @promise
    def verify(self) -> None:
        """Check the pair from scratch.

        The results that it comes from are verified, and the pair is made again, which must give every field.
        Independently of that, the direction is multiplied out in the field of the discount; the second row is shown
        to be positive wherever the first is; and the forward code gives both worlds the same Q-values: as fractions
        where the discount is rational, otherwise in floats.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        self.result.verify()
        # Entry by entry: numbers that are not what they should be may be equal to nothing in finite time.
        found = next((found for found in self.result.discounts if same(found.discount, self.discount)), None)
        if found is None:
            raise WitnessError("discount: it is none of the exceptional ones.")
        try:
            again = indistinguishable_kernels(self.result, found)
        except InputError as problem:
            raise WitnessError(f"discount: {problem}") from problem
        for field in fields(self):
            if not same(getattr(self, field.name), getattr(again, field.name)):
                raise WitnessError(f"{field.name}: it is not that of the pair at discount {self.discount}.")
        matrix = with_ones(self.result.matrix(self.discount))
        if not vanishes(matrix, self._polynomials, self.discount):
            raise WitnessError("direction: it does not keep all values and the sum.")
        if not any(bool(entry) for entry in self._polynomials) or self.step <= 0:
            raise WitnessError("step: the two rows are the same.")
        if not _is_distribution(self.first, self._polynomials, self.step, self.discount):
            raise WitnessError("step: the second row has a negative entry.")
        if self.discount.value is not None:
            self._compare_exactly(self.discount.value)
        else:
            self._compare_in_floats()

    def _policy(self) -> FractionArray | None:
        policy = self.result.policy
        if policy is None or not self.added:
            return policy
        extra = np.full((*policy.shape[:-1], 1), Fraction(0), dtype=object)
        return np.concatenate([policy, extra], axis=-1)

    def _compare_exactly(self, discount: Fraction) -> None:
        goals, policy, seen = self.result.goals, self._policy(), []
        for row in (self.first, self.second):
            kernel = self.mdp.kernel.copy()
            kernel[self.state, self.action] = row
            world = ExactMDP(kernel, discount, self.mdp.available)
            seen.append((exact.solve(world, goals) if policy is None else exact.evaluate(world, goals, policy)).q)
        if (seen[0] != seen[1]).any():
            raise WitnessError(f"the two worlds have different Q-values at discount {discount}.")

    def _compare_in_floats(self) -> None:
        world, goals, policy, seen = self.mdp.to_float(), self.result.goals.to_float(), self._policy(), []
        for row in (self.first, self.second):
            kernel = world.kernel.copy()
            kernel[self.state, self.action] = row
            here = type(world)(kernel, float(self.discount), world.available)
            agent = bellman.solve(here, goals) if policy is None else bellman.evaluate(here, goals, to_floats(policy))
            seen.append(agent.q[:, world.available])
        gap = np.abs(seen[0] - seen[1]).max() / np.abs(seen[0]).max()
        if not gap <= SAME_VALUES:
            raise WitnessError(f"the two worlds have Q-values that differ by {gap:.1e}; same means {SAME_VALUES}.")


@checked
def indistinguishable_kernels(result: ExceptionalDiscounts, found: ExceptionalDiscount) -> KernelPair:
    """Return two stochastic kernels that give every goal the same Q-values at an exceptional discount.

    Parameters
    ----------
    result : ExceptionalDiscounts
        Where it was found.
    found : ExceptionalDiscount
        One at which rank [M;1] < n.

    Returns
    -------
    KernelPair
        The first kernel is the world's own, if one of its rows reaches all states in question. Otherwise one state
        gets a further action, which stays with probability at least 1/2 and else goes anywhere, and which no goal
        prefers. The second kernel moves some of that row's mass.

    Raises
    ------
    InputError
        If rank [M;1] = n: then there is no such pair among stochastic kernels. Also if in each state some goal prefers
        every noisy action that was tried.
    GoalsError
        If the goals have action rewards, of which a further action has none.

    Notes
    -----
    Source: X1, the witness: on K_{3,3} at discount 1/2, mass 1/24 a state is moved from one side to the other.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> from tabular_inversion.discounts import exceptional_discounts
    >>> result = exceptional_discounts(graph(nx.complete_bipartite_graph(4, 4)))
    >>> pair = indistinguishable_kernels(result, result.discounts[0])
    >>> str(pair.discount), pair.added, str(pair.step)
    ('1/3', True, '1/32')
    """
    number = found.discount
    direction = null_vector(with_ones(result.matrix(number)), number)
    if direction is None:
        raise InputError(f"at discount {number} [M;1] has rank {result.n_states}: no two stochastic kernels agree.")
    touched = np.array([bool(entry) for entry in direction])
    mdp = ExactMDP(result.mdp.kernel, number.value or Fraction(0), result.mdp.available)
    own = np.argwhere((mdp.kernel[:, :, touched] > 0).all(axis=2))
    if own.size:
        (state, action), added = own[0].tolist(), False
    else:
        mdp, state = _with_noise(result, mdp, number)
        action, added = mdp.n_actions - 1, True
    step = _half_way(mdp.kernel[state, action], direction, number)
    coefficients = tuple(tuple(Fraction(int(c.numerator), int(c.denominator)) for c in p.coeffs()) for p in direction)
    return KernelPair(number, mdp, state, action, added, coefficients, step, result)


def _with_noise(result: ExceptionalDiscounts, mdp: ExactMDP, number: AlgebraicNumber) -> tuple[ExactMDP, int]:
    """Give one state a noisy action that changes no test function."""
    if result.goals.action_rewards is not None:
        raise GoalsError("goals with action rewards say nothing of a further action; leave the action rewards out.")
    piece = next(piece for piece in result.pieces if number < piece.upper)
    n, share = result.n_states, _MOST_NOISE
    while share >= _LEAST_NOISE:
        for state in range(n):
            row = np.full(n, share / n, dtype=object)
            row[state] += 1 - share
            if result.policy is not None or _is_unwanted(row, state, mdp, result.goals, piece, number):
                kernel = np.concatenate([mdp.kernel, np.full((n, 1, n), Fraction(0), dtype=object)], axis=1)
                kernel[state, -1] = row
                available = np.concatenate([mdp.available, (np.arange(n) == state)[:, None]], axis=1)
                return ExactMDP(kernel, mdp.discount, available), state
        share /= 2
    raise InputError(f"at discount {number} some goal prefers every noisy action, in each state: no pair was found.")


def _is_unwanted(
    row: FractionArray, state: int, mdp: ExactMDP, goals: ExactGoals, piece: Piece, number: AlgebraicNumber
) -> bool:
    """Tell whether every goal that goes on from a state has an action there that is no worse than a new row."""
    changes = [mdp.kernel[state, action] - row for action in np.flatnonzero(mdp.available[state])]
    return all(
        any(number.sign(_combination(change, values.numerators)) >= 0 for change in changes)
        for goes_on, values in zip(goals.continuation[:, state], piece.rows, strict=True)
        if goes_on
    )


def _combination(weights: FractionArray, polynomials: Sequence[fmpz_poly]) -> fmpz_poly:
    scale = lcm(*(x.denominator for x in weights.tolist()))
    terms = (int(w * scale) * p for w, p in zip(weights.tolist(), polynomials, strict=True) if w)
    return sum(terms, fmpz_poly())


def _half_way(row: FractionArray, direction: Sequence[fmpq_poly], number: AlgebraicNumber) -> Fraction:
    """Return a unit fraction as step that moves about half of an entry at most, so that no entry is lost."""
    changes = _near_values(direction, number)
    return Fraction(1, ceil(2 * max(abs(v) / p for p, v in zip(row.tolist(), changes, strict=True) if v)))


def _is_distribution(
    row: FractionArray, direction: Sequence[fmpq_poly], step: Fraction, number: AlgebraicNumber
) -> bool:
    """Tell whether row + step * direction is positive where the row is, and zero elsewhere, decided exactly."""
    moved = [fmpq_poly([fmpq(p.numerator, p.denominator)]) + fmpq(step.numerator, step.denominator) * v
             for p, v in zip(row.tolist(), direction, strict=True)]  # fmt: skip
    return all(number.sign(entry.numer()) == (p > 0) for p, entry in zip(row.tolist(), moved, strict=True))


def _near_values(direction: Sequence[fmpq_poly], number: AlgebraicNumber) -> list[Fraction]:
    """Return the direction at the discount: exactly where that is rational, elsewhere within rounding."""
    near = number.refine(_NEAR)
    middle = (near.lower + near.upper) / 2
    values = [entry(fmpq(middle.numerator, middle.denominator)) for entry in direction]
    return [Fraction(int(value.numerator), int(value.denominator)) for value in values]
