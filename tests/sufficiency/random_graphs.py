"""Small random digraphs without sinks, goals that something leads to, and worlds on them."""

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from tabular_inversion import MDP, Goals


def random_digraph(rng: np.random.Generator, largest: int = 8) -> nx.DiGraph:
    """A digraph on 2 to `largest` nodes; every node leaves an edge."""
    n = int(rng.integers(2, largest + 1))
    adjacency = rng.random((n, n)) < rng.uniform(0.1, 0.6)
    adjacency[np.arange(n), rng.integers(0, n, n)] |= ~adjacency.any(axis=1)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(np.argwhere(adjacency).tolist())
    return graph


def entered(graph: nx.DiGraph) -> list[int]:
    """The nodes that some edge leads to."""
    return [node for node in graph if graph.in_degree(node)]


def random_states(rng: np.random.Generator, states: list[int]) -> list[int]:
    """At least one of the states, in random order."""
    return rng.choice(states, rng.integers(1, len(states) + 1), replace=False).tolist()


def random_rewards(rng: np.random.Generator, graph: nx.DiGraph, *, ending: bool) -> Goals:
    """Goals that pay in several states; the episode may end in some of those."""
    n, k = len(graph), int(rng.integers(1, 5))
    rewards = (rng.random((k, n)) < 0.4) * rng.integers(1, 9, (k, n))
    rewards[np.arange(k), rng.choice(entered(graph), k)] = 1
    ends = (rewards != 0) & (rng.random((k, n)) < 0.5) & ending
    return Goals(rewards, 1.0 - ends)


def world_on(graph: nx.DiGraph, rng: np.random.Generator, discount: float = 0.875) -> MDP:
    """One action that takes the edges with probabilities that are multiples of 1/1024."""
    n = len(graph)
    kernel = np.zeros((n, 1, n))
    for node in graph:
        followers = list(graph.successors(node))
        shares = 1 + rng.multinomial(1024 - len(followers), rng.dirichlet(np.ones(len(followers))))
        kernel[node, 0, followers] = shares / 1024
    return MDP(csr_array(kernel.reshape(n, n)), discount)


def permuted(graph: nx.DiGraph, order: np.ndarray) -> nx.DiGraph:
    """The graph whose node i is node ``order[i]`` of this one."""
    place = {int(node): i for i, node in enumerate(order)}
    result = nx.DiGraph()
    result.add_nodes_from(range(len(graph)))
    result.add_edges_from((place[u], place[v]) for u, v in graph.edges)
    return result
