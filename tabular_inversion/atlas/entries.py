"""One graph of the atlas: whether its metric is of negative type, and its exceptional discounts, with their proofs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from tabular_inversion.atlas.graphs import to_network
from tabular_inversion.discounts import (
    AlgebraicNumber,
    ExceptionalDiscounts,
    NegativeType,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.discounts.search import ExceptionalDiscount, with_ones
from tabular_inversion.environments import graph
from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.exact.polynomials.matrices import null_vectors
from tabular_inversion.exact.rationals import FractionArray, fraction_array
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record, promise, same


@checked
@dataclass(frozen=True, eq=False)
class AtlasWitness(Record):
    """Two rows of a further action with the same values for every goal, which no goal prefers to walking.

    Attributes
    ----------
    state : int
        Where the action is added.
    first : numpy.ndarray of Fraction, shape (n,)
        The row in one of the two worlds.
    direction : tuple of tuple of Fraction
        A polynomial for each node, by its coefficients, constant first. Their values at the discount sum to zero, and M
        sends them to zero.
    step : Fraction
        The row in the other world is the first plus this multiple of the direction.

    Examples
    --------
    >>> found, = atlas_entry("EFz_").discounts
    >>> found.witness.state, found.witness.step, [str(entry[0]) for entry in found.witness.direction]
    (0, Fraction(1, 24), ['-1', '-1', '-1', '1', '1', '1'])
    """

    state: int
    first: FractionArray
    direction: tuple[tuple[Fraction, ...], ...]
    step: Fraction


@checked
@dataclass(frozen=True, eq=False)
class AtlasDiscount(Record):
    """A discount at which all nodes as goals together do not determine every row.

    Attributes
    ----------
    discount : AlgebraicNumber
        Where.
    multiplicity : int
        How often it is a root of det M.
    nullity, nullity_with_ones : int
        Of M and of [M;1]: both proved by a basis in the field of the discount.
    witness : AtlasWitness or None
        Two stochastic worlds with the same values, where [M;1] has a nullity and a pair was found.

    Examples
    --------
    >>> found, = atlas_entry("DFw").discounts
    >>> found.discount.minimal_polynomial, found.multiplicity, found.nullity, found.nullity_with_ones
    ((-1, 0, 2), 1, 1, 0)
    """

    discount: AlgebraicNumber
    multiplicity: int
    nullity: int
    nullity_with_ones: int
    witness: AtlasWitness | None


@checked
@dataclass(frozen=True, eq=False, repr=False)
class AtlasEntry(Record):
    """A graph whose nodes are all goals, and the discounts at which that is not enough.

    Attributes
    ----------
    graph6 : str
        The graph, in the graph6 format.
    negative_type : NegativeType
        Of its distances: there is a discount below if and only if it does not hold (X3).
    discounts : tuple of AtlasDiscount
        All in (0, 1), ascending.

    Examples
    --------
    >>> atlas_entry("DFw")
    AtlasEntry('DFw', n_positive=1, discounts=[0.7071067812, root of 2x^2 - 1])
    """

    graph6: str
    negative_type: NegativeType
    discounts: tuple[AtlasDiscount, ...]

    def __repr__(self) -> str:
        shown = ", ".join(str(found.discount) for found in self.discounts)
        return f"AtlasEntry({self.graph6!r}, n_positive={self.negative_type.n_positive}, discounts=[{shown}])"

    @promise
    def verify(self) -> None:
        """Compute the entry again, and check the proofs of all that it rests on.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        result = _result(self.graph6)
        result.verify()
        self.negative_type.verify()
        again = _entry(self.graph6, result, proved=True)
        for name in ("negative_type", "discounts"):
            if not same(getattr(self, name), getattr(again, name)):
                raise WitnessError(f"{name}: it is not that of graph {self.graph6!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the entry for JSON; `from_dict` reads it. Fractions are texts."""
        found = [_discount_to_dict(found) for found in self.discounts]
        return {"graph": self.graph6, **self.negative_type.to_dict(), "discounts": found}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> AtlasEntry:
        """Return the entry that `to_dict` wrote down; distances are measured anew.

        Raises
        ------
        InputError
            If something is missing, or of another kind.
        """
        try:
            distances = _distances(stored["graph"])
            weights = fraction_array(np.array(stored["weights"], dtype=object))
            factor = fraction_array(np.array(stored["factor"], dtype=object)).reshape(len(distances) - 1, len(weights))
            metric = NegativeType(distances, np.array(stored["parents"]), factor, weights)
            discounts = tuple(_discount_from_dict(found) for found in stored["discounts"])
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise InputError(f"an entry of the atlas cannot be read: {problem!r}.") from problem
        if stored["positive"] != metric.n_positive:
            raise InputError(
                f"graph {stored['graph']!r}: {stored['positive']} positive directions are stated, not shown."
            )
        return cls(stored["graph"], metric, discounts)


@checked
def atlas_entry(graph6: str) -> AtlasEntry:
    """Return what the atlas says of one graph, computed exactly.

    Parameters
    ----------
    graph6 : str
        A connected graph in the graph6 format, with at least 2 nodes.

    Raises
    ------
    InputError
        If the text is in another format.
    KernelError
        If the graph is not connected.

    Notes
    -----
    Agents walk along edges, each node is a goal that pays 1 on arrival and ends there: ``M[g, s] = gamma^d(g, s)``.
    Source: X1, X3.

    Examples
    --------
    >>> found, = atlas_entry("EFz_").discounts  # K_{3,3}
    >>> str(found.discount), found.nullity, found.nullity_with_ones, found.witness.first.astype(str).tolist()
    ('1/2', 1, 1, ['7/12', '1/12', '1/12', '1/12', '1/12', '1/12'])
    """
    return _entry(graph6, _result(graph6), proved=False)


def _result(graph6: str) -> ExceptionalDiscounts:
    return exceptional_discounts(graph(to_network(graph6)))


def _entry(graph6: str, result: ExceptionalDiscounts, *, proved: bool) -> AtlasEntry:
    metric = result.negative_type
    if metric is None:
        raise InputError(f"graph {graph6!r} has no metric: it is not connected.")
    nullities: dict[tuple[int, ...], tuple[int, int]] = {}  # conjugate numbers share them
    found = []
    for place in result.discounts:
        number = place.discount
        if number.minimal_polynomial not in nullities:
            matrix = result.matrix(number)
            pair = (len(null_vectors(matrix, number)), len(null_vectors(with_ones(matrix), number)))
            nullities[number.minimal_polynomial] = pair
        with_row = nullities[number.minimal_polynomial]
        witness = _witness(result, place, proved=proved) if with_row[1] else None
        found.append(AtlasDiscount(number, place.multiplicity, *with_row, witness))
    return AtlasEntry(graph6, metric, tuple(found))


def _witness(result: ExceptionalDiscounts, place: ExceptionalDiscount, *, proved: bool) -> AtlasWitness | None:
    try:
        pair = indistinguishable_kernels(result, place)
    except InputError:  # some goal prefers every noisy action that was tried
        return None
    if proved:
        pair.verify()
    return AtlasWitness(pair.state, pair.first, pair.direction, pair.step)


def _distances(graph6: str) -> FractionArray:
    import networkx as nx

    network = to_network(graph6)
    steps = [dict(nx.single_source_shortest_path_length(network, node)) for node in network]
    return fraction_array([[row[node] for node in network] for row in steps])


def _texts(values: Any) -> list[str]:
    return [str(x) for x in values]


def _discount_to_dict(found: AtlasDiscount) -> dict[str, Any]:
    number, witness = found.discount, found.witness
    stored: dict[str, Any] = {
        "minimal_polynomial": list(number.minimal_polynomial),
        "interval": _texts([number.lower, number.upper]),
        "multiplicity": found.multiplicity,
        "nullity": found.nullity,
        "nullity_with_ones": found.nullity_with_ones,
    }
    if witness is not None:
        stored["witness"] = {
            "state": witness.state,
            "first": _texts(witness.first),
            "direction": [_texts(entry) for entry in witness.direction],
            "step": str(witness.step),
        }
    return stored


def _discount_from_dict(stored: dict[str, Any]) -> AtlasDiscount:
    lower, upper = (Fraction(end) for end in stored["interval"])
    number = AlgebraicNumber(tuple(stored["minimal_polynomial"]), lower, upper)
    witness = None
    if "witness" in stored:
        held = stored["witness"]
        direction = tuple(tuple(Fraction(c) for c in entry) for entry in held["direction"])
        first = fraction_array(np.array(held["first"], dtype=object))
        witness = AtlasWitness(held["state"], first, direction, Fraction(held["step"]))
    return AtlasDiscount(number, stored["multiplicity"], stored["nullity"], stored["nullity_with_ones"], witness)
