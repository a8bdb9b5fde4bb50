"""All connected graphs with few nodes, one of each kind: by nauty's geng, or from networkx's list up to 7 nodes."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz_mat

from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.kinds import checked

if TYPE_CHECKING:
    import networkx as nx

N_CONNECTED = {2: 1, 3: 2, 4: 6, 5: 21, 6: 112, 7: 853, 8: 11117, 9: 261080}
"""How many connected graphs there are with so many nodes, up to isomorphism (OEIS A001349)."""

_LARGEST_LISTED = 7
_GENERATORS = ("geng", "nauty-geng")  # as upstream and as Debian calls it


@checked
def connected_graphs(n_nodes: int) -> list[str]:
    """Return all connected graphs with so many nodes, one of each kind, in the graph6 format.

    Parameters
    ----------
    n_nodes : int
        From 2 to 9. Up to 7 networkx has a list (Read and Wilson's atlas); beyond that nauty's geng is called.

    Raises
    ------
    InputError
        If there are too few or too many nodes, or geng is needed and not installed.

    Examples
    --------
    >>> connected_graphs(3)
    ['Bo', 'Bw']
    """
    if n_nodes not in N_CONNECTED:
        raise InputError(f"n_nodes is {n_nodes}; expected {min(N_CONNECTED)} to {max(N_CONNECTED)}.")
    found = _listed(n_nodes) if n_nodes <= _LARGEST_LISTED else _generated(n_nodes)
    if len(found) != N_CONNECTED[n_nodes]:
        raise InputError(f"{len(found)} connected graphs with {n_nodes} nodes were listed; {N_CONNECTED[n_nodes]} are.")
    return found


@checked
def check_complete(graphs: Sequence[str], n_nodes: int) -> None:
    """Raise unless these are all connected graphs with so many nodes, each kind once.

    Parameters
    ----------
    graphs : sequence of str
        In the graph6 format.
    n_nodes : int
        From 2 to 9.

    Raises
    ------
    WitnessError
        Naming a graph that is not connected, has another number of nodes or is there twice, or how many there are.

    Notes
    -----
    Whoever listed them is not trusted: no two are isomorphic, and there are as many as there are kinds.

    Examples
    --------
    >>> check_complete(["BW", "Bw"], 3)
    >>> check_complete(["BW", "Bg"], 3)
    Traceback (most recent call last):
    tabular_inversion.errors.WitnessError: graphs: 'BW' and 'Bg' are the same graph.
    """
    import networkx as nx

    alike: dict[Hashable, list[str]] = defaultdict(list)
    for text in graphs:
        network = to_network(text)
        if len(network) != n_nodes or not nx.is_connected(network):
            raise WitnessError(f"graphs: {text!r} is no connected graph with {n_nodes} nodes.")
        alike[_invariant(network)].append(text)
    for texts in alike.values():
        networks = [to_network(text) for text in texts]
        for i, first in enumerate(networks):
            for j in range(i):
                if nx.is_isomorphic(first, networks[j]):
                    raise WitnessError(f"graphs: {texts[j]!r} and {texts[i]!r} are the same graph.")
    if len(graphs) != N_CONNECTED[n_nodes]:
        raise WitnessError(f"graphs: there are {len(graphs)} with {n_nodes} nodes; expected {N_CONNECTED[n_nodes]}.")


def to_network(text: str) -> nx.Graph[Any]:
    """Return a graph in the graph6 format for networkx."""
    import networkx as nx

    try:
        network: nx.Graph[Any] = nx.from_graph6_bytes(text.encode("ascii"))
    except (ValueError, nx.NetworkXError, IndexError) as problem:
        raise InputError(f"graph {text!r} is not in the graph6 format: {problem}.") from problem
    return network


def _invariant(network: nx.Graph[Any]) -> Hashable:
    """Return what two isomorphic graphs share: characteristic polynomials of the distances, walks at each node."""
    import networkx as nx

    adjacency = nx.to_numpy_array(network).astype(np.int64)
    square = adjacency @ adjacency
    closed = [square.diagonal(), (square * adjacency).sum(axis=1), (square * square).sum(axis=1), square.sum(axis=1)]
    distances = nx.floyd_warshall_numpy(network).astype(int)
    polynomial = fmpz_mat(distances.tolist()).charpoly()
    return tuple(int(c) for c in polynomial.coeffs()), tuple(sorted(map(tuple, np.stack(closed, axis=1).tolist())))


def _listed(n_nodes: int) -> list[str]:
    import networkx as nx
    from networkx.generators.atlas import graph_atlas_g

    networks = (network for network in graph_atlas_g() if len(network) == n_nodes and nx.is_connected(network))
    return [nx.to_graph6_bytes(network, header=False).decode("ascii").strip() for network in networks]


def _generated(n_nodes: int) -> list[str]:
    program = next((found for name in _GENERATORS if (found := shutil.which(name))), None)
    if program is None:
        raise InputError(
            f"graphs with {n_nodes} nodes are listed by nauty's geng, which is not installed: install your system's "
            f"package nauty, or ask for at most {_LARGEST_LISTED} nodes."
        )
    made = subprocess.run([program, "-cq", str(n_nodes)], capture_output=True, text=True, check=True)  # noqa: S603
    return made.stdout.split()
