"""Negative type of a finite metric (X3): one exact inertia decides whether there are exceptional discounts.

On sums of coordinates that vanish, the distances D are a quadratic form. Where it is never positive, the matrix
gamma^d is positive definite at every discount in (0, 1); where it is, the nullities of gamma^d at its roots add up to
at least the number of its positive directions (X3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import shortest_path

from tabular_inversion import exact
from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.discounts.value_polynomials import ValueRow
from tabular_inversion.errors import InputError, KernelError, ShapeError, WitnessError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.exact.rationals import FractionArray, fraction_array, matrix_to_flint, to_floats
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record, promise


@checked
@dataclass(frozen=True, eq=False, repr=False)
class NegativeType(Record):
    """Whether a metric is of negative type, with what proves it.

    Attributes
    ----------
    distances : numpy.ndarray of Fraction, shape (n, n)
        D: symmetric, zero on the diagonal and positive elsewhere.
    parents : numpy.ndarray of int, shape (n,)
        A tree on the points, -1 at its root. The vectors ``e_v - e_parent(v)`` are a basis of those with sum zero.
    factor : numpy.ndarray of Fraction, shape (n - 1, r)
        L, with independent columns: in that basis, in the order of the points, -D is ``L diag(weights) L^T``.
    weights : numpy.ndarray of Fraction, shape (r,)
        None is zero. Their signs are those of the eigenvalues of -D on vectors with sum zero (Sylvester).

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> negative_type(graph(nx.petersen_graph()))
    NegativeType(n_points=10, holds=True)
    >>> result = negative_type(graph(nx.complete_bipartite_graph(3, 2)))
    >>> result, result.positive_vector.astype(str)
    (NegativeType(n_points=5, holds=False, n_positive=1), array(['1', '1', '1', '-2', '-1'], dtype='<U2'))
    >>> result.verify()
    """

    distances: FractionArray
    parents: IntArray
    factor: FractionArray
    weights: FractionArray

    def __repr__(self) -> str:
        more = "" if self.holds else f", n_positive={self.n_positive}"
        return f"NegativeType(n_points={len(self.distances)}, holds={self.holds}{more})"

    @property
    def n_positive(self) -> int:
        """How many positive eigenvalues D has on vectors with sum zero: exceptional discounts, with nullities."""
        return int((self.weights < 0).sum())

    @property
    def holds(self) -> bool:
        """Whether there is none, so that no discount in (0, 1) is exceptional for gamma^D."""
        return self.n_positive == 0

    @property
    def embedding(self) -> FloatArray:
        """Points u_i with ``|u_i - u_j|^2 = D_ij``, shape (n, r), in floats.

        Raises
        ------
        InputError
            If the metric is not of negative type: then there are none.
        """
        if not self.holds:
            raise InputError(f"{self!r} has no embedding; `positive_vector` shows why.")
        steps = to_floats(self.factor) * np.sqrt(to_floats(self.weights) / 2)
        points = np.zeros((len(self.distances), len(self.weights)))
        order = [point for point in _from_root(self.parents) if self.parents[point] >= 0]
        places = {point: place for place, point in enumerate(_others(self.parents))}
        for point in order:
            points[point] = points[self.parents[point]] + steps[places[point]]
        return points

    @property
    def positive_vector(self) -> FractionArray:
        """Whole numbers x with sum zero and ``x^T D x > 0``, shape (n,), which show that the type is not negative.

        Raises
        ------
        InputError
            If the metric is of negative type: then there is none.
        """
        if self.holds:
            raise InputError(f"{self!r} has no vector of positive type; `embedding` shows why.")
        wanted = np.zeros(len(self.weights), dtype=int)
        wanted[int((self.weights < 0).argmax())] = 1
        vector: FractionArray = _basis(self.parents) @ exact.solve_linear(self.factor.T, wanted)
        common = np.lcm.reduce([x.denominator for x in vector])
        divisor = np.gcd.reduce([int(x * common) for x in vector])
        first = next(x for x in vector if x != 0)
        return np.asarray(vector * Fraction(int(common), int(divisor)) * (1 if first > 0 else -1))

    def to_dict(self) -> dict[str, Any]:
        """Return what proves the type, for JSON: fractions as texts, distances left out."""
        return {
            "positive": self.n_positive,
            "parents": self.parents.tolist(),
            "factor": [[str(x) for x in row] for row in self.factor],
            "weights": [str(x) for x in self.weights],
        }

    @promise
    def verify(self) -> None:
        """Multiply the factors out again.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        if not _is_metric(self.distances):
            raise WitnessError("distances: they are not symmetric, zero on the diagonal and positive elsewhere.")
        if len(_from_root(self.parents)) != len(self.distances):
            raise WitnessError("parents: they are no tree with one root.")
        if (self.weights == 0).any():
            raise WitnessError("weights: one is zero.")
        if exact.rank(self.factor).rank != len(self.weights):
            raise WitnessError("factor: its columns are dependent.")
        product = matrix_to_flint(self.factor * self.weights) * matrix_to_flint(self.factor.T)
        if product != matrix_to_flint(_form(self.distances, self.parents)):
            raise WitnessError("factor: L diag(weights) L^T is not -D on vectors with sum zero.")


@checked
def negative_type(metric: MDP | ExactMDP | ArrayLike) -> NegativeType:
    """Decide exactly whether a metric is of negative type: ``x^T D x <= 0`` for all x with sum zero.

    Parameters
    ----------
    metric : MDP, ExactMDP, or array_like of rationals with shape (n, n)
        Distances between n points; or a deterministic world whose moves can all be taken back, such as that of an
        undirected graph, which stands for the fewest moves between its states.

    Returns
    -------
    NegativeType
        With `embedding` or `positive_vector`, and `verify`.

    Raises
    ------
    InputError, ShapeError
        If the distances are not symmetric, zero on the diagonal and positive elsewhere.
    KernelError
        If a world is not deterministic, a move cannot be taken back, or there is no way between two states: ask about
        each part alone.

    Notes
    -----
    One symmetric elimination in rational numbers, over the parts between cut points: there the form falls into blocks.
    Of negative type are trees, cycles, grids, hypercubes and complete graphs; with all states as goals that end on
    arrival, no discount in (0, 1) is exceptional there. Source: X3.

    Examples
    --------
    >>> import networkx as nx
    >>> from tabular_inversion.environments import graph
    >>> corners = negative_type(graph(nx.cycle_graph(4))).embedding
    >>> (((corners[:, None] - corners[None]) ** 2).sum(axis=2)).round(6)
    array([[0., 1., 2., 1.],
           [1., 0., 1., 2.],
           [2., 1., 0., 1.],
           [1., 2., 1., 0.]])
    """
    distances = walking_distances(metric) if isinstance(metric, MDP | ExactMDP) else fraction_array(metric)
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or not len(distances):
        raise ShapeError(f"metric has shape {distances.shape}; expected (n, n) with n at least 1.")
    if not _is_metric(distances):
        raise InputError("metric is not symmetric, zero on the diagonal and positive elsewhere; expected distances.")
    parents = _block_tree(distances)
    return NegativeType(distances, parents, *_diagonalise(_form(distances, parents)))


def metric_of(rows: Sequence[ValueRow]) -> FractionArray | None:
    """Return the distances d for which M is gamma^d, each state the goal of one row, or None where there are none."""
    steps = np.array([[_exponent(p) for p in row.coefficients] for row in rows])
    if steps.shape[0] != steps.shape[1] or (steps < 0).any() or any(row.below != (1,) for row in rows):
        return None
    goals = (steps == 0).argmax(axis=1)
    if (np.sort(goals) != np.arange(len(steps))).any():
        return None
    distances = fraction_array(steps[np.argsort(goals)])
    return distances if _is_metric(distances) else None


def _exponent(coefficients: tuple[int, ...]) -> int:
    """Return d for the polynomial gamma^d, and -1 for any other."""
    return len(coefficients) - 1 if coefficients and coefficients == (0,) * (len(coefficients) - 1) + (1,) else -1


def walking_distances(world: MDP | ExactMDP) -> FractionArray:
    """Return the fewest moves between the states of a deterministic world whose moves can all be taken back."""
    kernel = np.asarray(world.kernel if isinstance(world, ExactMDP) else world.toarray())
    moves = np.asarray((kernel == 1).any(axis=1))
    if ((kernel != 0) & (kernel != 1)).any():
        raise KernelError("the world is not deterministic; give its distances as an array.")
    if (moves != moves.T).any():
        s, t = np.argwhere(moves & ~moves.T)[0]
        raise KernelError(f"the move from state {s} to state {t} cannot be taken back; expected an undirected graph.")
    steps = shortest_path(moves.astype(float), unweighted=True)
    if np.isinf(steps).any():
        s, t = np.argwhere(np.isinf(steps))[0]
        raise KernelError(f"there is no way from state {s} to state {t}; ask about each part of the world alone.")
    return fraction_array(steps.astype(int))


def _is_metric(distances: FractionArray) -> bool:
    n = len(distances)
    off = ~np.eye(n, dtype=bool)
    return bool((distances == distances.T).all() and (distances.diagonal() == 0).all() and (distances[off] > 0).all())


def _block_tree(distances: FractionArray) -> IntArray:
    """Return a tree in which each point hangs on the cut point through which its block is reached from point 0."""
    n = len(distances)
    parents = np.full(n, -1)
    for block in blocks_of(distances):
        members = block[np.argsort(distances[0, block], kind="stable")]
        parents[members[1:]] = members[0]
    return parents


def blocks_of(distances: FractionArray) -> list[IntArray]:
    """Return the parts of a graph metric between its cut points; all points in one part where no graph has the metric.

    The determinant of gamma^D is the product of those of the parts, and positive directions add up (X3).
    """
    n = len(distances)
    if n == 1:
        return [np.arange(1)]
    unit = distances[distances > 0].min()
    steps = shortest_path((distances == unit).astype(float), unweighted=True)
    if np.isinf(steps).any() or (steps.astype(int) * unit != distances).any():
        return [np.arange(n)]
    import networkx as nx

    return [np.array(sorted(block)) for block in nx.biconnected_components(nx.from_numpy_array(distances == unit))]


def _others(parents: IntArray) -> list[int]:
    return [int(v) for v in np.flatnonzero(parents >= 0)]


def _from_root(parents: IntArray) -> list[int]:
    """Return the points that hang on the first root, each after its parent."""
    order = [int(v) for v in np.flatnonzero(parents == -1)[:1]]
    for point in order:
        order += [int(v) for v in np.flatnonzero(parents == point)]
    return order


def _basis(parents: IntArray) -> IntArray:
    """Return the vectors e_v - e_parent(v) as columns."""
    others = _others(parents)
    basis = np.zeros((len(parents), len(others)), dtype=object)
    basis[others, range(len(others))] = 1
    basis[parents[others], range(len(others))] -= 1
    return basis


def _form(distances: FractionArray, parents: IntArray) -> FractionArray:
    """Return -D in the basis of the tree: entry (v, w) is minus the second difference of the distances."""
    others = np.array(_others(parents), dtype=int)
    above = parents[others]
    second = distances[others] - distances[above]
    return np.asarray(second[:, above] - second[:, others])


def _diagonalise(form: FractionArray) -> tuple[FractionArray, FractionArray]:
    """Return L and w with ``L diag(w) L^T = form`` and independent columns of L: each one takes one off the rank."""
    n = len(form)
    rest = np.array([[fmpq(x.numerator, x.denominator) for x in row] for row in form], dtype=object).reshape(n, n)
    columns, weights = [], []
    while True:
        pivots = np.flatnonzero(rest.diagonal() != 0)
        if pivots.size:
            column, weight = rest[:, pivots[0]].copy(), rest[pivots[0], pivots[0]]
        else:  # a form without squares: e_i + e_j has the value 2 rest[i, j]
            places = np.argwhere(rest != 0)
            if not places.size:
                break
            i, j = places[0]
            column, weight = rest[:, i] + rest[:, j], 2 * rest[i, j]
        some = np.flatnonzero(column != 0)
        column[some] = column[some] / weight
        rest[np.ix_(some, some)] -= np.multiply.outer(column[some] * weight, column[some])
        columns.append(column)
        weights.append(weight)
    factor = np.array(columns, dtype=object).reshape(len(columns), n).T
    return _fractions(factor), _fractions(np.array(weights, dtype=object))


def _fractions(values: FractionArray) -> FractionArray:
    flat = [Fraction(int(x.p), int(x.q)) if isinstance(x, fmpq) else Fraction(int(x)) for x in values.ravel()]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(values.shape)
