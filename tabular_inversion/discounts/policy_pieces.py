"""Optimal policies along the discount: finitely many pieces of (0, 1), with exact ends.

Where a policy is optimal for one goal is decided by polynomials: over the positive denominator of its values, the
advantage of the policy over each action. From a sample point, where exact policy iteration finds the best policy, a
piece reaches to the nearest points at which one of them changes its sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from flint import fmpz_poly

from tabular_inversion import exact
from tabular_inversion._typing import IntArray
from tabular_inversion.discounts.value_polynomials import (
    ValueRow,
    closed_loop,
    fixed_policy_rows,
    metric_rows,
    policy_row,
)
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.matrices import check_length
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber, isolate, sign_variations
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.policies import deterministic
from tabular_inversion.records import Record

ZERO, ONE = (AlgebraicNumber.rational(Fraction(end)) for end in (0, 1))


@dataclass(frozen=True, eq=False)
class Piece(Record):
    """A part of (0, 1) on which every entry of M is one rational function.

    Attributes
    ----------
    lower, upper : AlgebraicNumber
        Its ends; M is continuous, so that the functions hold at both ends too (0 and 1 are no discounts in question).
    rows : tuple of ValueRow
        M, one row for each goal.
    """

    lower: AlgebraicNumber
    upper: AlgebraicNumber
    rows: tuple[ValueRow, ...]


def find_pieces(
    mdp: ExactMDP,
    goals: ExactGoals,
    policy: FractionArray | None,
    max_digits: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Piece, ...]:
    """Return the pieces of (0, 1) on which M is one matrix of rational functions: see `optimal_pieces`."""
    if policy is None:
        return optimal_pieces(mdp, goals, max_digits, progress)
    return (Piece(ZERO, ONE, tuple(fixed_policy_rows(mdp, goals, policy))),)


def optimal_pieces(
    mdp: ExactMDP, goals: ExactGoals, max_digits: int | None = None, progress: Callable[[int, int], None] | None = None
) -> tuple[Piece, ...]:
    """Return the pieces of (0, 1) on which the optimal M is one matrix of rational functions, ascending.

    Parameters
    ----------
    mdp : ExactMDP
        The world; its discount plays no part.
    goals : ExactGoals
        G goals on its states.
    max_digits : int, optional
        Stop with a `LongDeterminantError` as soon as the determinant on the first piece is bound to be longer.
    progress : callable, optional
        Called as ``progress(done, total)`` with the number of goals done.
    """
    metric = metric_rows(mdp, goals)
    if metric is not None:
        return (Piece(ZERO, ONE, tuple(metric)),)
    parts = []
    for goal in range(goals.n_goals):
        parts.append(sorted(_goal_pieces(mdp, goals.select([goal])), key=lambda piece: piece.lower))
        if max_digits is not None:
            check_length([pieces[0].rows[0].numerators for pieces in parts], max_digits)
        if progress is not None:
            progress(goal + 1, goals.n_goals)
    return tuple(_common_pieces(parts))


def _goal_pieces(mdp: ExactMDP, goal: ExactGoals) -> Iterator[Piece]:
    """Yield the pieces of one goal, in no order."""
    gaps = [(ZERO, ONE)]
    while gaps:
        lower, upper = gaps.pop()
        low, high = _apart(lower, upper)
        sample = Fraction(0)
        breaks: list[AlgebraicNumber] = [AlgebraicNumber.rational(sample)]
        while any(number.value == sample for number in breaks):  # there, the best policy says nothing of its neighbours
            sample = (low + high) / 2
            high = sample
            row, breaks = _from_sample(mdp, goal, sample)
        inside = [number for number in breaks if lower < number < upper]
        here = AlgebraicNumber.rational(sample)
        left = max((number for number in inside if number < here), default=lower)
        right = min((number for number in inside if number > here), default=upper)
        yield Piece(left, right, (row,))
        gaps += [(lower, left)] if lower < left else []
        gaps += [(right, upper)] if right < upper else []


def shown_end(number: AlgebraicNumber) -> str | float:
    """Return an end of a piece for JSON."""
    return float(number) if number.value is None else str(number.value)


def between(lower: AlgebraicNumber, upper: AlgebraicNumber) -> Fraction:
    """Return a rational number strictly between two algebraic ones."""
    low, high = _apart(lower, upper)
    return (low + high) / 2


def _apart(lower: AlgebraicNumber, upper: AlgebraicNumber) -> tuple[Fraction, Fraction]:
    """Return two rationals between two algebraic numbers, ends included."""
    while lower.upper >= upper.lower:
        lower, upper = (number.refine((number.upper - number.lower) / 2) for number in (lower, upper))
    return lower.upper, upper.lower


def _from_sample(mdp: ExactMDP, goal: ExactGoals, sample: Fraction) -> tuple[ValueRow, list[AlgebraicNumber]]:
    """Return the values of the policy that is optimal at a point, and where in (0, 1) it starts or ceases to be."""
    q = exact.solve(ExactMDP(mdp.kernel, sample, mdp.available), goal).q
    actions = np.where(mdp.available, q, -np.inf).argmax(axis=2)[0]
    policy = deterministic(actions[None], mdp.available).astype(int)[0]
    row = policy_row(*closed_loop(mdp, goal, policy, 0))
    gains = {tuple(gain.coeffs()): gain for gain in _advantages(mdp, goal, actions, row)}
    changing = (gain for gain in gains.values() if sign_variations(gain))
    return row, [root for gain in changing for root, multiplicity in isolate(gain) if multiplicity % 2]


def _advantages(mdp: ExactMDP, goal: ExactGoals, actions: IntArray, row: ValueRow) -> Iterator[fmpz_poly]:
    """Yield V(s) - Q(s, a) of a policy, times a positive polynomial, where it is not zero everywhere."""
    best = np.arange(mdp.n_states) * mdp.n_actions + actions
    extra = goal.action_rewards
    for state, action in zip(*np.nonzero(mdp.available), strict=True):
        other = state * mdp.n_actions + action
        change = mdp.rows[best[state]] - mdp.rows[other]
        paid = Fraction(0) if extra is None else extra[0, state, actions[state]] - extra[0, state, action]
        if not change.any() and not paid:
            continue
        scale = lcm(paid.denominator, *(x.denominator for x in change.tolist()))
        total = row.denominator * int(paid * scale)
        for place in np.flatnonzero(change).tolist():
            total += row.numerators[place] * int(change[place] * scale)
        if total:
            yield total // total.content()


def _common_pieces(parts: list[list[Piece]]) -> Iterator[Piece]:
    """Yield the common refinement of the pieces of all goals."""
    places = [0] * len(parts)
    lower = ZERO
    while lower < ONE:
        current = [pieces[place] for pieces, place in zip(parts, places, strict=True)]
        upper = min(piece.upper for piece in current)
        yield Piece(lower, upper, tuple(piece.rows[0] for piece in current))
        places = [place + (piece.upper == upper) for place, piece in zip(places, current, strict=True)]
        lower = upper
