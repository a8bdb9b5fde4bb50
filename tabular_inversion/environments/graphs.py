"""Graphs as deterministic worlds: an action chooses a neighbour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion.errors import FileFormatError, InputError, KernelError, SpecificationError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

if TYPE_CHECKING:
    import networkx as nx

NAMED_GRAPHS = "KN, KA,B, petersen, cycle:N, path:N, grid:AxB, an edge-list file, or directed:FILE"
"""The texts that `named_graph` reads."""


@checked
def graph(networkx_graph: nx.Graph[Any], *, discount: float = 0.95) -> MDP:
    """Return the deterministic world of a graph: in each node, action i goes to the i-th neighbour.

    Parameters
    ----------
    networkx_graph : networkx.Graph or a subclass
        Undirected, or directed (an action then chooses a successor). Weights are ignored, parallel edges count once,
        and a self-loop is an action that stays. State s is the s-th node; neighbours are ordered by state.
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
        If there is no node.
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
    >>> star.dense().kernel[0]
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    import networkx as nx

    nodes = list(networkx_graph)
    if not nodes:
        raise InputError("the graph has no node; a world has at least one state.")
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
        3), ``path:N``, ``grid:AxB`` (with positions), else the path of an edge-list file: two node names on each
        line, anything behind them ignored, ``#`` begins a comment. ``directed:FILE`` reads its edges as arrows.
        Whole-number names are ordered by size, other names by appearance.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    SpecificationError
        If the text names no graph and no file.
    FileFormatError
        If the file is no edge list.

    Examples
    --------
    >>> named_graph("K3,3").number_of_edges()
    9
    """
    import networkx as nx

    if text == "petersen":
        return nx.petersen_graph()
    if match := re.fullmatch(r"K([1-9]\d*(?:,[1-9]\d*)*)", text):
        parts = [int(size) for size in match[1].split(",")]
        return nx.complete_graph(parts[0]) if len(parts) == 1 else nx.complete_multipartite_graph(*parts)
    if match := re.fullmatch(r"(cycle|path):([1-9]\d*)", text):
        size = int(match[2])
        if match[1] == "cycle" and size < 3:
            raise SpecificationError(f"{text!r}: a cycle has at least 3 nodes.")
        line: nx.Graph[Any] = nx.path_graph(size) if match[1] == "path" else nx.cycle_graph(size)
        return line
    if match := re.fullmatch(r"grid:([1-9]\d*)x([1-9]\d*)", text):
        grid = nx.grid_2d_graph(int(match[1]), int(match[2]))
        nx.set_node_attributes(grid, {node: node for node in grid}, "pos")
        return grid
    directed, path = (True, text.removeprefix("directed:")) if text.startswith("directed:") else (False, text)
    if not Path(path).is_file():
        raise SpecificationError(f"{text!r} names no graph and no file; expected {NAMED_GRAPHS}.")
    return _read_edges(Path(path), directed=directed)


def _read_edges(path: Path, *, directed: bool) -> nx.Graph[Any]:
    import networkx as nx

    try:
        lines = [line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as problem:
        raise FileFormatError(f"{path} cannot be read as text ({problem}); give an edge list.") from problem
    # networkx passes over short lines in silence, and a graph that lost an edge is another world.
    short = [number for number, words in enumerate(lines, start=1) if len(words) == 1]
    edges = [(words[0], words[1]) for words in lines if len(words) > 1]
    if short or not edges:
        where = f"line {short[0]} has one name only" if short else "it holds no edge"
        raise FileFormatError(f"{path} is no edge list: {where}; write two node names on each line.")
    names = list(dict.fromkeys(name for edge in edges for name in edge))
    if all(name.isdecimal() for name in names):
        names.sort(key=int)
    result: nx.Graph[Any] = nx.DiGraph() if directed else nx.Graph()
    result.add_nodes_from(names)
    result.add_edges_from(edges)
    return result
