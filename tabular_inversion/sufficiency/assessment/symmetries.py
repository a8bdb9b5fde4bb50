"""Automorphisms of a world that keep every goal: mirrors and turns that make states look the same to all agents."""

from __future__ import annotations

import time
from collections.abc import Callable
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

SECONDS = 2.0
"""How long each search may take: matching graphs has no good bound in the worst case."""

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

    def moved(self, name: Callable[[int], str], first: int) -> str:
        """Return in words where a state goes: a mirror that exchanges two, or a turn through more."""
        orbit = [first, int(self.image[first])]
        while int(self.image[orbit[-1]]) != first:
            orbit.append(int(self.image[orbit[-1]]))
        if len(orbit) == 2:
            return f"mirror {name(orbit[0])} <-> {name(orbit[1])}"
        return (
            "turn "
            + " -> ".join(name(state) for state in [*orbit[:6], *orbit[:1][: len(orbit) <= 6]])
            + (" -> ..." * (len(orbit) > 6))
        )


def _row(rows: Any, number: int, image: IntArray | None) -> tuple[tuple[int, float], ...]:
    span = slice(rows.indptr[number], rows.indptr[number + 1])
    columns = rows.indices[span] if image is None else image[rows.indices[span]]
    entries = zip(columns.tolist(), np.round(rows.data[span], _DIGITS).tolist(), strict=True)
    return tuple(sorted((t, p) for t, p in entries if p > 0))


def find_symmetry(
    world: MDP, goals: Goals, first: int, targets: list[int] | int, *, seconds: float = SECONDS
) -> Symmetry | None:
    """Return an automorphism that takes one state to another, or to one of several; None if none is found.

    The world is a graph of states and rows, with the probabilities on its edges. Colours are refined by those of the
    neighbours (Weisfeiler and Leman) before `networkx` matches it with itself. Automorphisms of any order are found:
    mirrors, turns and others.

    Parameters
    ----------
    world : MDP
        At most `MAX_NODES` states and rows; in larger ones nothing is found.
    goals : Goals
        Each is kept: rewards and continuation.
    first : int
        A state.
    targets : int or list of int
        Where it may go.
    seconds : float
        After so long the search is given up.

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
    end = time.monotonic() + seconds
    drawn: Any = nx.DiGraph()
    looks = np.unique(np.vstack([goals.rewards, goals.continuation]), axis=1, return_inverse=True)[1].ravel()
    drawn.add_nodes_from((state, {"colour": int(looks[state])}) for state in range(n))
    for number, row in enumerate(index.tolist()):
        drawn.add_node(n + number, colour=-1)
        drawn.add_edge(row // world.n_actions, n + number, weight=0.0)
        for t, p in _row(rows, row, None):
            drawn.add_edge(n + number, t, weight=p)
    _refine(drawn)
    for second in [targets] if isinstance(targets, int) else targets:
        if drawn.nodes[first]["colour"] != drawn.nodes[second]["colour"]:
            continue
        mapping = _matched(drawn, first, second, end)
        if mapping is not None:
            return Symmetry(np.array([mapping[state] for state in range(n)], np.intp))
    return None


class _OutOfTimeError(Exception):
    """Raised inside of networkx."""


def _matched(drawn: Any, first: int, second: int, end: float) -> dict[int, int] | None:
    """Match a coloured graph with itself so that one node goes to another; None also if time runs out."""
    here, there = drawn.copy(), drawn.copy()
    here.nodes[first]["colour"] = there.nodes[second]["colour"] = "chosen"

    def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
        if time.monotonic() > end:
            raise _OutOfTimeError
        return bool(one["colour"] == other["colour"])

    matcher = nx.isomorphism.DiGraphMatcher(
        here, there, node_match=alike, edge_match=lambda one, other: one["weight"] == other["weight"]
    )
    try:
        return next(matcher.isomorphisms_iter(), None)
    except _OutOfTimeError:
        return None


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
