"""What would decide is a field, not a word in a sentence: each way to stay open has its hint, and no other way."""

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Sparse, Status, Stochastic, identify, solve
from tabular_inversion.environments import random_mdp
from tabular_inversion.identifiability import Hint
from tabular_inversion.sufficiency import generic, structural


def nearly_equal_goals():
    """Two goals that differ by less than floats can tell."""
    goals = Goals([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0 + 1e-14]])
    return identify(solve(MDP(np.full((3, 1, 3), 1 / 3), 0.5), goals), Stochastic(), scope="uniform")


def noisy_values():
    agent = solve(random_mdp(4, 1, seed=0), Goals.generic(4, 4, seed=0)).with_noise(0.5, seed=0)
    return identify(agent, Stochastic(), noise=0.5)


def too_many_supports():
    agent = solve(random_mdp(20, 1, seed=0), Goals.generic(20, 8, seed=0))
    return identify(agent, Sparse(6), scope="uniform", exact=True)


OPEN = {
    Hint.EXACT: nearly_equal_goals,
    Hint.LESS_NOISE: noisy_values,
    Hint.KNOWN_SUPPORT: too_many_supports,
    Hint.DRAWS: lambda: structural(nx.star_graph(4), [1, 2, 3]),
    Hint.WORLD: lambda: generic(nx.complete_graph(6), [0, 1], Sparse(2)),
}


@pytest.mark.parametrize("hint", OPEN)
def test_what_stays_open_says_what_would_decide(hint):
    verdict = OPEN[hint]()
    assert verdict.status is Status.UNDECIDED
    assert verdict.hint is hint
    assert verdict.to_dict()["hint"] == hint.value
    verdict.verify()


def test_the_hint_is_right_where_it_can_be_followed():
    assert structural(nx.star_graph(4), [1, 2, 3], settle=True).status is Status.IDENTIFIED
    exactly = identify(nearly_equal_goals().agent, Stochastic(), scope="uniform", exact=True)
    assert exactly.status is not Status.UNDECIDED


def test_a_verdict_that_is_decided_has_no_hint():
    verdict = identify(solve(random_mdp(4, 1, seed=0), Goals.generic(4, 4, seed=0)), Stochastic())
    assert (verdict.status, verdict.hint) == (Status.IDENTIFIED, None)
