"""Automorphisms of a world that keep every goal: mirrors that make two states look the same to all agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from tabular_inversion._typing import IntArray
from tabular_inversion.errors import WitnessError
from tabular_inversion.goals import Goals
from tabular_inversion.mdp import MDP
from tabular_inversion.records import Record

MAX_NODES = 3000
"""States and rows of the worlds in which a symmetry is looked for."""

_DIGITS = 9  # probabilities that agree so far are the same


@dataclass(frozen=True, eq=False)
class Symmetry(Record):
    """A permutation of states under which kernel and goals stay the same, once actions are renamed in each state.

    Attributes
    ----------
    image : numpy.ndarray of int, shape (S,)
        Where each state goes.
    """

    image: IntArray

    def check(self, world: MDP, goals: Goals) -> None:
        """Re-check that it is one.

        Raises
        ------
        WitnessError
            Naming what is moved.
        """
        image = self.image
        if not np.array_equal(np.sort(image), np.arange(world.n_states)):
            raise WitnessError("image: it is no permutation of the states.")
        for name, values in (("rewards", goals.rewards), ("continuation", goals.continuation)):
            if not np.array_equal(values[:, image], values):
                raise WitnessError(f"image: it moves the {name} of a goal.")
        rows = world.sparse().rows
        n_actions = world.n_actions
        for state in range(world.n_states):
            here = [_row(rows, state * n_actions + a, image) for a in np.flatnonzero(world.available[state]).tolist()]
            to = int(image[state])
            there = [_row(rows, to * n_actions + a, None) for a in np.flatnonzero(world.available[to]).tolist()]
            if sorted(here) != sorted(there):
                raise WitnessError(f"image: the rows of state {state} are not those of state {to}, moved.")


def _row(rows: Any, number: int, image: IntArray | None) -> tuple[tuple[int, float], ...]:
    span = slice(rows.indptr[number], rows.indptr[number + 1])
    columns = rows.indices[span] if image is None else image[rows.indices[span]]
    entries = zip(columns.tolist(), np.round(rows.data[span], _DIGITS).tolist(), strict=True)
    return tuple(sorted((t, p) for t, p in entries if p > 0))


def find_symmetry(world: MDP, goals: Goals, first: int, second: int) -> Symmetry | None:
    """Return a symmetry that takes one state to another; None if there is none, or the world is too large.

    The world is a graph of states and rows, with the probabilities on its edges. Colours are refined by those of the
    neighbours (Weisfeiler and Leman) before `networkx` matches it with itself.

    Examples
    --------
    >>> from tabular_inversion.environments import graph
    >>> square = graph(nx.cycle_graph(4))
    >>> find_symmetry(square, Goals.indicator(4, [0]), 1, 3).image
    array([0, 3, 2, 1])
    >>> find_symmetry(square, Goals.indicator(4, [0, 1]), 1, 3) is None
    True
    """
    n, rows = world.n_states, world.sparse().rows
    index = np.flatnonzero(world.available)
    if n + len(index) > MAX_NODES or goals.action_rewards is not None:
        return None
    drawn: Any = nx.DiGraph()
    looks = np.unique(np.vstack([goals.rewards, goals.continuation]), axis=1, return_inverse=True)[1].ravel()
    drawn.add_nodes_from((state, {"colour": int(looks[state])}) for state in range(n))
    for number, row in enumerate(index.tolist()):
        drawn.add_node(n + number, colour=-1)
        drawn.add_edge(row // world.n_actions, n + number, weight=0.0)
        for t, p in _row(rows, row, None):
            drawn.add_edge(n + number, t, weight=p)
    _refine(drawn)
    if drawn.nodes[first]["colour"] != drawn.nodes[second]["colour"]:
        return None
    other = drawn.copy()
    drawn.nodes[first]["colour"] = other.nodes[second]["colour"] = "chosen"
    matcher = nx.isomorphism.DiGraphMatcher(
        drawn, other,
        node_match=lambda a, b: a["colour"] == b["colour"],
        edge_match=lambda a, b: a["weight"] == b["weight"],
    )  # fmt: skip
    mapping = next(matcher.isomorphisms_iter(), None)
    if mapping is None:
        return None
    return Symmetry(np.array([mapping[state] for state in range(n)], np.intp))


def _refine(drawn: Any) -> None:
    """Give nodes different colours where their neighbours differ, until nothing changes."""
    colours = {node: hash(data["colour"]) for node, data in drawn.nodes(data=True)}
    count = len(set(colours.values()))
    while True:
        looks = {
            node: (
                colours[node],
                tuple(sorted((data["weight"], colours[t]) for _, t, data in drawn.out_edges(node, data=True))),
                tuple(sorted((data["weight"], colours[s]) for s, _, data in drawn.in_edges(node, data=True))),
            )
            for node in drawn
        }
        numbers = {look: i for i, look in enumerate(sorted(set(looks.values())))}
        colours = {node: numbers[look] for node, look in looks.items()}
        if len(numbers) == count:
            break
        count = len(numbers)
    nx.set_node_attributes(drawn, colours, "colour")
