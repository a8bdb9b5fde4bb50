"""How fast sufficiency is decided before training, beside the flint or scipy calls that no way round avoids."""

import networkx as nx
import numpy as np
import pytest
from flint import nmod_mat
from scipy.sparse import csr_array

from tabular_inversion import MDP, Goals, Status, Stochastic
from tabular_inversion.environments import random_mdp
from tabular_inversion.exact.modular import LARGEST_PRIME
from tabular_inversion.sufficiency import concrete, generic, linkage, structural

pytestmark = pytest.mark.benchmark

MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])


def windy_grid(side: int) -> MDP:
    """Half of a move's probability goes where it points, a quarter each to its left and right; a blocked one stays."""
    cells = np.argwhere(np.ones((side, side), bool))
    ahead = np.clip(cells[:, None, :] + MOVES, 0, side - 1)
    arrival = ahead[..., 0] * side + ahead[..., 1]
    reached = np.stack([arrival, np.roll(arrival, 1, axis=1), np.roll(arrival, -1, axis=1)], axis=2)
    weights = np.broadcast_to([0.5, 0.25, 0.25], reached.shape).ravel()
    rows = np.repeat(np.arange(arrival.size), 3)
    return MDP(csr_array((weights, (rows, reached.ravel())), shape=(arrival.size, len(cells))), 0.75)


def dense_solve(n: int) -> nmod_mat:
    """One dense linear system modulo the prime, with four right-hand sides."""
    rng = np.random.default_rng(0)
    matrix = nmod_mat(n, n, rng.integers(0, LARGEST_PRIME, n * n).tolist(), LARGEST_PRIME)
    return matrix.solve(nmod_mat(n, 4, rng.integers(0, LARGEST_PRIME, 4 * n).tolist(), LARGEST_PRIME))


@pytest.mark.parametrize("decide", [structural, generic, concrete])
@pytest.mark.parametrize(("side", "n_goals", "hoped"), [(40, 100, 60), (100, 200, 300)])
def test_all_rows_of_a_windy_grid(race, side, n_goals, hoped, decide):
    """The baseline, at most 1,600 states, is one dense linear system modulo the prime instead of a block one."""
    world = windy_grid(side)
    goals = np.random.default_rng(0).choice(side * side, n_goals, replace=False)

    def ours():
        verdict = structural(world, goals, settle=True) if decide is structural else decide(world, goals)
        assert verdict.status is Status.IDENTIFIED

    race(ours, lambda: dense_solve(1600), rounds=3, seconds_hoped_for=hoped, rows=4 * side * side)


def test_one_row_of_the_large_grid_by_a_flow(race):
    """Aim: under one second. The baseline is networkx's flow on the same network, a grid of 40 by 40."""
    world = windy_grid(100)
    goals = np.random.default_rng(0).choice(10_000, 200, replace=False)
    graph = nx.DiGraph()
    for state, following in enumerate(nx.to_dict_of_lists(nx.grid_2d_graph(40, 40)).values()):
        graph.add_edge(("in", state), ("out", state), capacity=1)
        graph.add_edges_from((("out", state), ("in", r * 40 + c)) for r, c in following)
    graph.add_edges_from((("out", int(goal)), "sink") for goal in goals[goals < 1600])
    graph.add_edges_from(("source", ("in", state)) for state in (820, 821, 860))
    race(
        lambda: linkage(world, goals, sources=[5050, 5051, 5150]),
        lambda: nx.maximum_flow_value(graph, "source", "sink"),
        rounds=3,
        seconds_hoped_for=1,
    )


def test_generic_rank_of_500_states_and_500_goals(race):
    """Aim: under 10 seconds. The baseline is one dense linear system of that size."""
    world, goals = random_mdp(500, 2, seed=0), Goals.generic(500, 500, seed=0)
    race(
        lambda: generic(world, goals, Stochastic()),
        lambda: dense_solve(500),
        rounds=3,
        seconds_hoped_for=10,
    )
