"""Exceptional discounts by ball arithmetic (X2): isolating intervals where determinants are too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import ArrayLike

from tabular_inversion.discounts.agents import AgentsAlongDiscounts, counts_ones, read_question
from tabular_inversion.discounts.policy_pieces import Piece, between, find_pieces, shown_end
from tabular_inversion.discounts.regularity import (
    Part,
    cover,
    deflated,
    determinant_sign,
    ends,
    expand,
    null_vector_of_only_root,
    prove,
)
from tabular_inversion.discounts.value_polynomials import ValueRow
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.matrices import generic_rank, values_at
from tabular_inversion.exact.rationals import to_floats
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import promise, same

_WIDTH = Fraction(1, 2**44)
_BITS = 256
_AGREEMENT = 1e-8


@checked
@dataclass(frozen=True)
class CertifiedDiscount:
    """A discount at which the rank of M is n - 1, and n nearby, in an interval that holds no other one.

    Attributes
    ----------
    lower, upper : Fraction
        The interval: det M has different signs at its ends, and a simple root between them.
    rank : int
        The rank of M there, n - 1: proved.
    rank_with_ones : int or None
        The rank of [M;1] there: n if the entries of the null vector of M are proved not to sum to zero, n - 1 if a
        symmetry proves that they do, and None if neither is proved.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> from tabular_inversion.discounts import certified_discounts
    >>> found, = certified_discounts(graph(nx.complete_bipartite_graph(3, 2))).discounts
    >>> round(float(found), 10), found.rank, found.rank_with_ones
    (0.7071067812, 4, 5)
    """

    lower: Fraction
    upper: Fraction
    rank: int
    rank_with_ones: int | None

    def __float__(self) -> float:
        return float((self.lower + self.upper) / 2)

    @property
    def label(self) -> str:
        """The discount in few digits, for pictures."""
        return f"{float(self):.4f}"

    def __str__(self) -> str:
        return f"{float(self):.10g} within {float(self.upper - self.lower) / 2:.1g}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, with fractions as texts."""
        return {
            "discount": None,
            "decimal": float(self),
            "interval": [str(self.lower), str(self.upper)],
            "minimal_polynomial": None,
            "degree": None,
            "multiplicity": 1,
            "rank": self.rank,
            "rank_with_ones": self.rank_with_ones,
        }


@checked
@dataclass(frozen=True, eq=False, repr=False)
class CertifiedDiscounts(AgentsAlongDiscounts):
    """What ball arithmetic proves of the rank of M at all discounts in (0, 1).

    Attributes
    ----------
    mdp : ExactMDP
        The world, at discount 0: its own plays no part.
    goals : ExactGoals
        G goals on its states, at least n.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        The agent's policy; None stands for optimal ones.
    pieces : tuple of Piece
        The parts of (0, 1) on which M is one matrix of rational functions, ascending.
    parts : tuple of tuple of Part
        For each piece intervals that cover it, ascending, and what is proved there of its rational functions.
    discounts : tuple of CertifiedDiscount
        Where the rank of M is n - 1, ascending. It is n at every other discount outside of `undecided`.
    max_intervals : int
        For each piece, no more intervals were looked at; what was left then is undecided.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> result = certified_discounts(graph(nx.complete_bipartite_graph(3, 3)))
    >>> len(result.discounts), result.undecided, result.discounts[0].rank_with_ones
    (1, (), 5)
    >>> result.verify()
    """

    pieces: tuple[Piece, ...]
    parts: tuple[tuple[Part, ...], ...]
    discounts: tuple[CertifiedDiscount, ...]
    max_intervals: int

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.discounts))
        return (
            f"CertifiedDiscounts(n_states={self.n_states}, n_goals={self.goals.n_goals}, discounts=[{shown}], "
            f"undecided={len(self.undecided)})"
        )

    @property
    def undecided(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """Intervals, ascending and apart from one another, in which nothing is proved."""
        merged: list[tuple[Fraction, Fraction]] = []
        for part in (part for parts in self.parts for part in parts if part.status == "undecided"):
            if merged and part.lower <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(part.upper, merged[-1][1]))
            else:
                merged.append((part.lower, part.upper))
        return tuple(merged)

    def for_class(self, kernel_class: KernelClass) -> tuple[CertifiedDiscount, ...]:
        """Return the discounts at which it is not proved that every kernel of the class is identified.

        Parameters
        ----------
        kernel_class : Unconstrained or Stochastic
            For the first the question is rank M = n, for the second rank [M;1] = n.

        Raises
        ------
        KernelClassError
            For any other class, whose question is no rank of the whole M.

        Examples
        --------
        >>> import networkx as nx
        >>> from tabular_inversion import Stochastic, Unconstrained
        >>> from tabular_inversion.environments import graph
        >>> result = certified_discounts(graph(nx.complete_bipartite_graph(3, 2)))
        >>> len(result.for_class(Unconstrained())), len(result.for_class(Stochastic()))
        (1, 0)
        """
        ones = counts_ones(kernel_class)
        return tuple(x for x in self.discounts if not ones or x.rank_with_ones != self.n_states)

    def suffices_elsewhere(self, kernel_class: KernelClass) -> bool:
        """Tell whether every kernel of the class is identified at all other discounts, undecided ones aside."""
        counts_ones(kernel_class)
        return any(part.status == "regular" for parts in self.parts for part in parts)

    @promise
    def verify(self) -> None:
        """Check everything again: search anew, pieces against the forward code in floats, parts with twice the digits.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        self._check_world()
        if type(self.max_intervals) is not int:
            raise WitnessError(f"max_intervals: expected an integer, got {self.max_intervals!r}.")
        pieces = find_pieces(self.mdp, self.goals, self.policy)
        if not same(self.pieces, pieces):
            raise WitnessError("pieces: they are not those of the policies along the discount.")
        for piece in pieces:
            self._verify_piece(piece)
        parts, discounts = _searched(pieces, self.max_intervals)
        for name, found in (("parts", parts), ("discounts", discounts)):
            if not same(getattr(self, name), found):
                raise WitnessError(f"{name}: another search finds others: {[*map(str, found)]}.")
        for piece, some in zip(pieces, parts, strict=True):
            _verify_parts(piece, some)

    def _verify_piece(self, piece: Piece) -> None:
        sample = between(piece.lower, piece.upper)
        values = to_floats(values_at([row.numerators for row in piece.rows], sample))
        values /= to_floats(values_at([[row.denominator] for row in piece.rows], sample))
        expected = self.float_matrix(float(sample))
        if not np.allclose(values, expected, rtol=_AGREEMENT, atol=_AGREEMENT * np.abs(expected).max()):
            raise WitnessError(f"pieces: M on the piece around {float(sample)} is not that of the forward code.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, with fractions as texts."""
        return {
            "n_states": self.n_states,
            "n_goals": self.goals.n_goals,
            "evidence": "certified",
            "pieces": [
                {"from": shown_end(piece.lower), "to": shown_end(piece.upper)} | Counter(part.status for part in parts)
                for piece, parts in zip(self.pieces, self.parts, strict=True)
            ],
            "discounts": [found.to_dict() for found in self.discounts],
            "undecided": [[str(lower), str(upper)] for lower, upper in self.undecided],
        }


@checked
def certified_discounts(
    world: MDP | ExactMDP,
    goals: Goals | ExactGoals | None = None,
    *,
    policy: ArrayLike | None = None,
    max_intervals: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> CertifiedDiscounts:
    """Return intervals that hold one discount each at which rank M < n, proved by ball arithmetic.

    Where `exceptional_discounts` needs a determinant of polynomials, this needs none, and reaches larger worlds. It
    gives no minimal polynomials, and proves nothing close to a discount at which det M has a root that is not simple.

    Parameters
    ----------
    world : MDP or ExactMDP
        Its discount plays no part. The floats of an `MDP` are taken as the dyadic rationals that they are.
    goals : Goals or ExactGoals, optional
        When omitted: every state is a goal, which pays 1 on arrival and ends the episode.
    policy : array_like of rationals, shape (S, A) or (G, S, A), optional
        A policy that does not depend on the discount. When omitted, agents are optimal at each discount.
    max_intervals : int
        For each policy piece, look at no more intervals; what is left then is undecided.
    progress : callable, optional
        Called as ``progress(done, total)``: goals whose policies are known, then pieces searched.

    Returns
    -------
    CertifiedDiscounts

    Raises
    ------
    ShapeError, PolicyError
        If the goals or the policy do not fit the world.
    KernelError, GoalsError
        If floats stand for no rational world: their rows do not sum to exactly one.
    InputError
        If M has rank below n everywhere on a policy piece: fewer goals than states, say.

    Notes
    -----
    An interval holds no exceptional discount if Y with ``|I - Y M| < 1`` on all of it is found. It holds exactly one if
    det M changes its sign, and the zeros of det M are those of the last entry of the inverse of a bordered M, whose
    derivative has no zero. At the ends of (0, 1), where M may be singular, equivalent rows are divided by ``x`` and
    ``x - 1`` first. Pieces of optimal policies have exact ends. Source: X2.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> found, = certified_discounts(graph(nx.complete_bipartite_graph(3, 3))).discounts
    >>> round(float(found), 12), found.lower < 0.5 < found.upper
    (0.5, True)
    """
    mdp, exact_goals, weights = read_question(world, goals, policy)
    pieces = find_pieces(mdp, exact_goals, weights, progress=progress)
    for piece in pieces:
        if generic_rank([row.numerators for row in piece.rows]) < mdp.n_states:
            raise InputError(
                f"{exact_goals.n_goals} goals give M a rank below {mdp.n_states} at all discounts from "
                f"{float(piece.lower):.6g} to {float(piece.upper):.6g}; give more goals, or ask exceptional_discounts."
            )
    parts, discounts = _searched(pieces, max_intervals, progress)
    return CertifiedDiscounts(mdp, exact_goals, weights, pieces, parts, discounts, int(max_intervals))


def _searched(
    pieces: tuple[Piece, ...], most: int, progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[tuple[Part, ...], ...], tuple[CertifiedDiscount, ...]]:
    """Return what is proved on parts of each piece, and the discounts in them."""
    everywhere, discounts = [], []
    for done, piece in enumerate(pieces):
        if progress is not None:
            progress(done, len(pieces))
        rows = deflated(piece)
        parts, found = _roots(piece, rows, tuple(cover(rows, *ends(piece), most)))
        everywhere.append(parts)
        discounts += found
    return tuple(everywhere), tuple(discounts)


def _roots(
    piece: Piece, rows: list[ValueRow], parts: tuple[Part, ...]
) -> tuple[tuple[Part, ...], list[CertifiedDiscount]]:
    """Return the roots inside a piece, and its parts: where a root may be inside or not, one becomes undecided."""
    kept, discounts = [], []
    for part in parts:
        status = part.status
        if status == "root":
            found = _refined(piece, rows, part)
            lower, upper = (end.refine(_WIDTH) for end in (piece.lower, piece.upper))
            # Parts reach a little beyond the piece, where M is another matrix.
            if lower.upper <= found.lower and found.upper <= upper.lower:
                discounts.append(found)
            elif lower.lower < found.upper and found.lower < upper.upper:
                status = "undecided"
        kept.append(Part(part.lower, part.upper, status))
    return tuple(kept), discounts


def _refined(piece: Piece, rows: list[ValueRow], part: Part) -> CertifiedDiscount:
    """Return the root in a part, and the ranks there."""
    lower, upper = part.lower, part.upper
    below = determinant_sign(rows, lower)
    while upper - lower > _WIDTH:
        # Not in the middle: a root of few digits, such as a half, should not become an end.
        points = (lower + (upper - lower) * Fraction(k, 32) for k in (15, 18))
        point, sign = next(((p, s) for p in points if (s := determinant_sign(rows, p))), (lower, 0))
        if sign == 0:
            break
        lower, upper = (point, upper) if sign == below else (lower, point)
    with ctx.workprec(_BITS):
        null_vector = null_vector_of_only_root(expand(rows, lower, upper))
    n = len(rows)
    if null_vector is None:
        ranks: int | None = None
    elif not sum(null_vector, arb(0)).contains(0):
        ranks = n
    else:
        ranks = n - 1 if _is_odd(piece.rows, null_vector) else None
    return CertifiedDiscount(lower, upper, n - 1, ranks)


def _is_odd(rows: tuple[ValueRow, ...], null_vector: list[arb]) -> bool:
    """Tell whether an exchange of states that only reorders the rows of M turns a null vector into minus it.

    Then its entries sum to zero. As null vectors are multiples of one another, the exchange multiplies it by 1 or -1,
    and by -1 if two entries that it exchanges have different signs.
    """
    positive, negative = (
        sorted(
            (s for s, x in enumerate(null_vector) if bool(sign * x > 0)), key=lambda s: abs(float(null_vector[s].mid()))
        )
        for sign in (1, -1)
    )
    if not positive or len(positive) != len(negative):
        return False
    partner = list(range(len(null_vector)))
    for s, t in zip(positive, negative, strict=True):
        partner[s], partner[t] = t, s
    before, after = (
        Counter((str(row.denominator), *(str(row.numerators[s]) for s in order)) for row in rows)
        for order in (range(len(partner)), partner)
    )
    return before == after


def _verify_parts(piece: Piece, parts: tuple[Part, ...]) -> None:
    low, high = ends(piece)
    if not parts or parts[0].lower > low or parts[-1].upper < high:
        raise WitnessError(f"parts: they do not cover the piece from {float(low)} to {float(high)}.")
    if any(before.upper < after.lower for before, after in pairwise(parts)):
        raise WitnessError(f"parts: those of the piece from {float(low)} to {float(high)} leave a gap.")
    rows = deflated(piece)
    for part in parts:
        if not prove(rows, part):
            raise WitnessError(
                f"parts: that ({float(part.lower)}, {float(part.upper)}) is {part.status} is not proved again."
            )
