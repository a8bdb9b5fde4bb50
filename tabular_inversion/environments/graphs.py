"""Graphs as deterministic worlds: an action chooses a neighbour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion.environments._edge_lists import read_edges
from tabular_inversion.errors import InputError, KernelError, SpecificationError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

if TYPE_CHECKING:
    import networkx as nx

NAMED_GRAPHS = "KN, KA,B, petersen, cycle:N, path:N, grid:AxB, an edge-list file, or directed:FILE"
"""The texts that `named_graph` reads."""

_MOST_EDGES = 2**21
"""networkx takes about half a kilobyte for each."""


@checked
def graph(networkx_graph: nx.Graph[Any], *, discount: float = 0.95) -> MDP:
    """Return the deterministic world of a graph: in each node, action i goes to the i-th neighbour.

    Parameters
    ----------
    networkx_graph : networkx.Graph or a subclass
        Undirected, or directed (an action then chooses a successor). Weights are ignored, parallel edges count once,
        and a self-loop is an action that stays. Edges with a ``probability``, such as those of `MDP.to_networkx`, are
        refused: `interop.from_networkx` reads them. State s is the s-th node; neighbours are ordered by state.
    discount : float
        In [0, 1].

    Returns
    -------
    MDP
        As many actions as the largest (out-)degree; a node of smaller degree has only its first actions available.
        States are named by their nodes, and lie at the node attribute ``pos`` where every node has one. Sparse.

    Raises
    ------
    InputError
        If there is no node, or an edge has a probability.
    KernelError
        If a node has no neighbour, or two nodes have the same name.

    Examples
    --------
    >>> import networkx as nx
    >>> star = graph(nx.star_graph(2))
    >>> star.available
    array([[ True,  True],
           [ True, False],
           [ True, False]])
    >>> star.toarray()[0]
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    import networkx as nx

    nodes = list(networkx_graph)
    if not nodes:
        raise InputError("the graph has no node; a world has at least one state.")
    edges: list[tuple[Any, Any, Any]] = list(networkx_graph.edges(data="probability"))
    for start, end, probability in edges:
        if probability is not None:
            raise InputError(
                f"edge {start!r} -> {end!r} has probability {probability}, and here an action chooses its edge; read "
                "this graph by interop.from_networkx."
            )
    adjacency = csr_array(nx.to_scipy_sparse_array(networkx_graph, nodelist=nodes, weight=None, format="csr"))
    adjacency.sort_indices()
    degree = np.diff(adjacency.indptr)
    alone = np.flatnonzero(degree == 0)
    if alone.size:
        node = nodes[int(alone[0])]
        kind = "leaves no edge (a sink)" if networkx_graph.is_directed() else "is isolated"
        raise KernelError(f"node {node!r} {kind}, so it has no action; add a self-loop: graph.add_edge(node, node).")
    n, m = len(nodes), int(degree.max())
    actions = np.arange(len(adjacency.indices)) - np.repeat(adjacency.indptr[:-1], degree)
    rows = np.repeat(np.arange(n), degree) * m + actions
    kernel = csr_array((np.ones(len(rows)), (rows, adjacency.indices)), shape=(n * m, n))
    places = [networkx_graph.nodes[node].get("pos") for node in nodes]
    return MDP(
        kernel,
        discount,
        np.arange(m) < degree[:, None],
        state_names=tuple(str(node) for node in nodes),
        coordinates=None if any(place is None for place in places) else np.array(places, dtype=float),
    )


@checked
def named_graph(text: str) -> nx.Graph[Any]:
    """Return the graph that a text names.

    Parameters
    ----------
    text : str
        ``K5`` (complete), ``K3,3`` (complete bipartite; more parts likewise), ``petersen``, ``cycle:N`` (N at least
        3), ``path:N``, ``grid:AxB`` (with positions), else the path of an edge-list file as networkx writes it: two
        node names on each line, separated by blanks or by one comma; behind them nothing, a dictionary, or on every
        line one number, which is a weight and says nothing of what an action does; ``#`` begins a comment.
        ``directed:FILE`` reads its edges as arrows. Whole-number names are ordered by size, others by appearance.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    SpecificationError
        If the text names no graph and no file, or a graph of more than 2^21 nodes or edges.
    FileFormatError
        If the file is no edge list; the error names the line.

    Examples
    --------
    >>> named_graph("K3,3").number_of_edges()
    9
    """
    import networkx as nx

    if text == "petersen":
        return nx.petersen_graph()
    if match := re.fullmatch(r"K([1-9]\d*(?:,[1-9]\d*)*)", text):
        parts = [_size(text, size) for size in match[1].split(",")]
        _check_size(text, sum(parts) ** 2)
        return nx.complete_graph(parts[0]) if len(parts) == 1 else nx.complete_multipartite_graph(*parts)
    if match := re.fullmatch(r"(cycle|path):([1-9]\d*)", text):
        size = _size(text, match[2])
        if match[1] == "cycle" and size < 3:
            raise SpecificationError(f"{text!r}: a cycle has at least 3 nodes.")
        line: nx.Graph[Any] = nx.path_graph(size) if match[1] == "path" else nx.cycle_graph(size)
        return line
    if match := re.fullmatch(r"grid:([1-9]\d*)x([1-9]\d*)", text):
        height, width = _size(text, match[1]), _size(text, match[2])
        _check_size(text, height * width)
        grid = nx.grid_2d_graph(height, width)
        nx.set_node_attributes(grid, {node: node for node in grid}, "pos")
        return grid
    directed, path = (True, text.removeprefix("directed:")) if text.startswith("directed:") else (False, text)
    if not Path(path).is_file():
        raise SpecificationError(f"{text!r} names no graph and no file; expected {NAMED_GRAPHS}.")
    return read_edges(Path(path), directed=directed)


def _size(text: str, number: str) -> int:
    """Read a number of nodes that a graph in memory can have."""
    if len(number) > len(str(_MOST_EDGES)):
        raise SpecificationError(
            f"{text[:40]!r}: a size has {len(number)} digits; at most {_MOST_EDGES} nodes are made."
        )
    size = int(number)
    _check_size(text, size)
    return size


def _check_size(text: str, size: int) -> None:
    if size > _MOST_EDGES:
        raise SpecificationError(f"{text!r} has more than {_MOST_EDGES} nodes or edges; choose a smaller graph.")
