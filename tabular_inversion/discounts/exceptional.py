"""Exceptional discounts (X1, X2): where in (0, 1) goals that suffice elsewhere do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from numpy.typing import ArrayLike

from tabular_inversion.discounts.agents import AgentsAlongDiscounts, counts_ones, read_question
from tabular_inversion.discounts.negative_type import NegativeType, metric_of, negative_type
from tabular_inversion.discounts.policy_pieces import Piece, between, find_pieces, shown_end
from tabular_inversion.discounts.search import ExceptionalDiscount, search, with_ones
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.matrices import (
    PolynomialMatrix,
    check_length,
    null_vector,
    rank_at,
    values_at,
)
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber, isolate, show_polynomial
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import promise, same


@checked
@dataclass(frozen=True, eq=False, repr=False)
class ExceptionalDiscounts(AgentsAlongDiscounts):
    """All discounts in (0, 1) at which goals see less of the world than at the others.

    Attributes
    ----------
    mdp : ExactMDP
        The world, at discount 0: its own plays no part.
    goals : ExactGoals
        G goals on its states.
    policy : numpy.ndarray of Fraction, shape (S, A) or (G, S, A), or None
        The agent's policy; None stands for optimal ones.
    pieces : tuple of Piece
        The parts of (0, 1) on which M is one matrix of rational functions, ascending: one for a given policy.
    ranks : tuple of (int, int)
        For each piece the ranks of M and of [M;1] at all of its discounts but finitely many: ranks at one point modulo
        a prime of 61 bits, never more than the true ones.
    discounts : tuple of ExceptionalDiscount
        Those finitely many, ascending.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> result = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
    >>> result
    ExceptionalDiscounts(n_states=6, n_goals=6, discounts=[1/2])
    >>> result.verify()
    """

    pieces: tuple[Piece, ...]
    ranks: tuple[tuple[int, int], ...]
    discounts: tuple[ExceptionalDiscount, ...]

    def __repr__(self) -> str:
        shown = ", ".join(str(found.discount) for found in self.discounts)
        return f"ExceptionalDiscounts(n_states={self.n_states}, n_goals={self.goals.n_goals}, discounts=[{shown}])"

    @property
    def negative_type(self) -> NegativeType | None:
        """Where M is gamma^d for a metric d: whether d is of negative type, with its proof; else None.

        If it is, there are no exceptional discounts. If not, their nullities ``n - rank`` add up to at least
        `NegativeType.n_positive`. Source: X3.

        Examples
        --------
        >>> import networkx as nx
        >>> from tabular_inversion.environments import graph
        >>> exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3))).negative_type
        NegativeType(n_points=6, holds=False, n_positive=1)
        """
        distances = metric_of(self.pieces[0].rows) if len(self.pieces) == 1 else None
        return None if distances is None else negative_type(distances)

    def ranks_at_irrational(self, discount: AlgebraicNumber) -> tuple[int, int]:
        """Return the ranks of M and of [M;1] at an algebraic discount in (0, 1): those nearby unless it is exceptional.

        Examples
        --------
        >>> from tabular_inversion.environments import graph, named_graph
        >>> from tabular_inversion.exact.polynomials.reading import read_algebraic
        >>> result = exceptional_discounts(graph(named_graph("K3,2")))
        >>> [result.ranks_at_irrational(read_algebraic(text)) for text in ("sqrt(1/2)", "sqrt(1/3)")]
        [(4, 5), (5, 5)]
        """
        for found in self.discounts:
            if found.discount == discount:
                return found.rank, found.rank_with_ones
        place = next(i for i, piece in enumerate(self.pieces) if not piece.upper < discount)
        return self.ranks[place]

    def for_class(self, kernel_class: KernelClass) -> tuple[ExceptionalDiscount, ...]:
        """Return the discounts at which not every kernel of the class is identified: rank M < n, or rank [M;1] < n.

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
        >>> result = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 2)))
        >>> len(result.for_class(Unconstrained())), len(result.for_class(Stochastic()))
        (1, 0)
        """
        ones = counts_ones(kernel_class)
        return tuple(x for x in self.discounts if (x.rank_with_ones if ones else x.rank) < self.n_states)

    def suffices_elsewhere(self, kernel_class: KernelClass) -> bool:
        """Tell whether at all other discounts in (0, 1) every kernel of the class is identified; see `for_class`."""
        ones = counts_ones(kernel_class)
        return all(ranks[ones] == self.n_states for ranks in self.ranks)

    def matrix(self, number: AlgebraicNumber) -> PolynomialMatrix:
        """Return the numerators of M on the piece that holds a discount."""
        piece = next(piece for piece in self.pieces if number < piece.upper)
        return [row.numerators for row in piece.rows]

    @promise
    def verify(self) -> None:
        """Check everything again, from scratch.

        Policies are found and rank drops searched again, which must give every piece, rank, discount and multiplicity.
        Independently of that search, M must agree with the forward code at a sample point of each piece; each number
        must be the only root of an irreducible polynomial in its interval; the ranks there must be the stated ones;
        and where columns are dependent, a null vector in the field of that number proves it.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        self._check_world()
        if not same(self.pieces, find_pieces(self.mdp, self.goals, self.policy)):
            raise WitnessError("pieces: they are not those of the policies along the discount.")
        for piece in self.pieces:
            sample = between(piece.lower, piece.upper)
            values = values_at([row.numerators for row in piece.rows], sample)
            below = values_at([[row.denominator] for row in piece.rows], sample)
            if (values != below * self.agent(sample).test_matrix).any():
                raise WitnessError(f"pieces: M on the piece around {sample} is not that of the forward code.")
        ranks, discounts = search(self.pieces)
        if not same(self.ranks, ranks):
            raise WitnessError(f"ranks: they are {ranks} on the pieces; {self.ranks} were stated.")
        _check_same(self.discounts, discounts)
        self._verify_negative_type()
        proved: set[tuple[int, ...]] = set()  # conjugate numbers share their null vectors
        for found in self.discounts:
            self._verify_number(found.discount)
            self._verify_ranks(found)
            if found.discount.minimal_polynomial not in proved:
                self._verify_dependence(found)
                proved.add(found.discount.minimal_polynomial)

    def _verify_negative_type(self) -> None:
        metric = self.negative_type
        if metric is not None:
            metric.verify()
            nullities = sum(self.n_states - found.rank for found in self.discounts)
            if nullities < metric.n_positive or (metric.holds and nullities):
                raise WitnessError(f"discounts: the nullities add up to {nullities}, which {metric!r} contradicts.")

    def _verify_number(self, number: AlgebraicNumber) -> None:
        content, factors = number.polynomial.factor()
        if abs(content) != 1 or [multiplicity for _, multiplicity in factors] != [1]:
            raise WitnessError(f"discount: {show_polynomial(number.minimal_polynomial)} is not irreducible.")
        if number not in [root for root, _ in isolate(number.polynomial)]:
            raise WitnessError(f"discount: [{number.lower}, {number.upper}] holds no root of its polynomial in (0, 1).")

    def _verify_ranks(self, found: ExceptionalDiscount) -> None:
        number, stated = found.discount, (found.rank, found.rank_with_ones)
        if number.value is None:
            matrix = self.matrix(number)
            seen = (rank_at(matrix, number), rank_at(with_ones(matrix), number))
        else:
            seen = self.ranks_at(number.value)
        if seen != stated:
            raise WitnessError(f"rank: at {number} the ranks of M and [M;1] are {seen}; {stated} were stated.")

    def _verify_dependence(self, found: ExceptionalDiscount) -> None:
        matrix = self.matrix(found.discount)
        rows = with_ones(matrix) if found.rank_with_ones < self.n_states else matrix
        if found.rank < self.n_states and null_vector(rows, found.discount) is None:
            raise WitnessError(f"rank: at {found.discount} the columns are independent.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, with fractions as texts."""
        return {
            "n_states": self.n_states,
            "n_goals": self.goals.n_goals,
            "evidence": "exact",
            "pieces": [
                {
                    "from": shown_end(piece.lower),
                    "to": shown_end(piece.upper),
                    "rank": rank,
                    "rank_with_ones": rank_with_ones,
                }
                for piece, (rank, rank_with_ones) in zip(self.pieces, self.ranks, strict=True)
            ],
            "discounts": [found.to_dict() for found in self.discounts],
            "undecided": [],
        }


def _check_same(stated: tuple[ExceptionalDiscount, ...], found: tuple[ExceptionalDiscount, ...]) -> None:
    """Raise unless the discounts are those that were found, with the same ranks and multiplicities."""
    if len(stated) != len(found):
        raise WitnessError(f"discounts: the search finds {len(found)}, not {len(stated)}.")
    for claimed, expected in zip(stated, found, strict=True):
        for field in fields(ExceptionalDiscount):
            name = field.name
            if not same(getattr(claimed, name), getattr(expected, name)):
                value = getattr(expected, name)
                raise WitnessError(
                    f"{name}: at {expected.discount} it is {value}; {getattr(claimed, name)} was stated."
                )


@checked
def exceptional_discounts(
    world: MDP | ExactMDP,
    goals: Goals | ExactGoals | None = None,
    *,
    policy: ArrayLike | None = None,
    max_digits: int = 2**20,
    progress: Callable[[int, int], None] | None = None,
) -> ExceptionalDiscounts:
    """Return every discount in (0, 1) at which the rank of M or of [M;1] is less than nearby, exactly.

    Parameters
    ----------
    world : MDP or ExactMDP
        Its discount plays no part. The floats of an `MDP` are taken as the dyadic rationals that they are; where they
        stand for thirds, give an `ExactMDP`.
    goals : Goals or ExactGoals, optional
        When omitted: every state is a goal, which pays 1 on arrival and ends the episode.
    policy : array_like of rationals, shape (S, A) or (G, S, A), optional
        A policy that does not depend on the discount. When omitted, agents are optimal at each discount: (0, 1) falls
        into finitely many pieces, on each of which one policy is optimal for each goal.
    max_digits : int
        Refuse worlds whose determinants may have more binary digits. Time grows faster than these: FourRooms has 2e5
        and takes seconds, its teleporting variant has 2e6 and takes minutes, and far longer to verify.
    progress : callable, optional
        Called as ``progress(done, total)``: goals whose policies are known, then pieces searched.

    Returns
    -------
    ExceptionalDiscounts

    Raises
    ------
    ShapeError, PolicyError
        If the goals or the policy do not fit the world.
    KernelError, GoalsError
        If floats stand for no rational world: their rows do not sum to exactly one.
    LongDeterminantError
        If a determinant may be too long: ask `certified_discounts`.

    Notes
    -----
    On a piece, M is a matrix of rational functions whose denominators have no root in [0, 1). With as many goals as
    states its rank falls at the roots of the determinant of the numerators, an integer polynomial; in general at
    common roots of its minors of the usual rank's size. None is missed: candidates are roots of combinations of these
    minors, and one is dropped only where the usual rank is proved. Where M is the similarity matrix of a graph, one
    inertia decides first whether there is any: see `negative_type`. At discount 0, which is left out, M is R. Source:
    X1, X2, X3.

    Examples
    --------
    A deterministic world of six states where all indicator goals together do not determine rows, at one discount only:

    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> found, = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3))).discounts
    >>> str(found.discount), found.rank, found.rank_with_ones
    ('1/2', 5, 5)
    """
    mdp, exact_goals, weights = read_question(world, goals, policy)
    pieces = find_pieces(mdp, exact_goals, weights, max_digits, progress)
    for piece in pieces:
        check_length([row.numerators for row in piece.rows], max_digits)
    ranks, discounts = search(pieces, progress)
    return ExceptionalDiscounts(mdp, exact_goals, weights, pieces, ranks, discounts)
