"""Worlds as networkx graphs: what `MDP.to_networkx` writes comes back equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion.environments.environment import Environment
from tabular_inversion.errors import KernelError
from tabular_inversion.interop.assembly import Entries, assemble
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    import networkx as nx


@checked
def from_networkx(graph: nx.MultiDiGraph[Any], *, discount: float) -> Environment:
    """Read a directed multigraph whose edges carry a probability and are keyed by their action.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        State s is the s-th node, named by its attribute ``name`` where it has one, else by the node itself. The key of
        an edge is its action; ``probability`` is an attribute of every edge. Actions that are whole numbers keep them.
    discount : float
        In [0, 1].

    Returns
    -------
    Environment
        Of the world that `MDP.to_networkx` wrote, but for its discount and action names, which a graph does not have.

    Raises
    ------
    KernelError
        If the graph is undirected or has no keys, or an edge has no probability: `environments.graph` reads such
        graphs as deterministic worlds.

    Examples
    --------
    >>> from tabular_inversion import MDP
    >>> world = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
    >>> bool(from_networkx(world.to_networkx(), discount=0.9).mdp == world)
    True
    """
    if not (graph.is_directed() and graph.is_multigraph()):
        raise KernelError(
            f"{type(graph).__name__} has no keys for actions; expected a MultiDiGraph whose edges are keyed by action, "
            "or read it as a deterministic world: environments.graph(g)."
        )
    nodes = list(graph)
    place = {node: i for i, node in enumerate(nodes)}
    edges: list[tuple[Any, Any, Any, Any]] = list(graph.edges(keys=True, data="probability"))
    bare = next((edge for edge in edges if edge[3] is None), None)
    if bare is not None or not edges:
        what = "the graph has no edge" if bare is None else f"edge {bare[0]!r} -> {bare[1]!r} has no probability"
        raise KernelError(f"{what}; give each edge one, or read a deterministic world: environments.graph(g).")
    keys = list(dict.fromkeys(edge[2] for edge in edges))
    whole = all(isinstance(key, int) and key >= 0 for key in keys)
    order = list(range(max(keys) + 1)) if whole else keys
    actions = {key: i for i, key in enumerate(order)}
    entries = Entries(
        np.array([place[edge[0]] for edge in edges], dtype=np.intp),
        np.array([actions[edge[2]] for edge in edges], dtype=np.intp),
        np.array([place[edge[1]] for edge in edges], dtype=np.intp),
        np.array([float(edge[3]) for edge in edges]),
    )
    names = tuple(str(graph.nodes[node].get("name", node)) for node in nodes)
    places = [graph.nodes[node].get("pos") for node in nodes]
    return assemble(
        "networkx",
        entries,
        discount=discount,
        n_states=len(nodes),
        n_actions=len(order),
        state_names=None if names == tuple(map(str, range(len(nodes)))) else names,
        action_names=None if whole else tuple(map(str, order)),
        coordinates=None if any(spot is None for spot in places) else np.array(places, dtype=float),
    )
