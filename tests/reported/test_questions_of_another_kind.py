"""Kind: a question that cannot be asked as it stands is answered as another one, or ends in an error of Python."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    TabularInversionError,
    Unconstrained,
    exact,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.environments import chain, graph, random_mdp
from tabular_inversion.error_bounds import error_bound
from tabular_inversion.sufficiency import concrete, generic, minimal, order_goals, structural

WORLD = random_mdp(4, 2, branching=2, seed=0, discount=0.5)
GOALS = Goals.generic(4, 4, seed=0)
AGENT = solve(WORLD, GOALS)
EXACT = exact.solve(exact.ExactMDP.from_float(chain(3, discount=0.5)), exact.ExactGoals.from_float(Goals.indicator(3)))


@dataclass(frozen=True)
class Lazy(Stochastic):
    """A user's own subclass, of which no function knows anything."""


SLIPS = {
    "a class without parentheses": lambda: identify(AGENT, Deterministic),
    "Sparse without its number": lambda: identify(AGENT, Sparse),
    "the name of a class": lambda: identify(AGENT, "deterministic"),
    "an unknown subclass": lambda: identify(AGENT, Lazy()),
    "an unknown subclass, inverted": lambda: invert(AGENT, Lazy()),
    "no class": lambda: identify(AGENT, None),
    "a world for an agent": lambda: identify(WORLD, Stochastic()),
    "an array for an agent": lambda: invert(AGENT.q, Stochastic()),
    "a world for goals": lambda: solve(WORLD, WORLD),
    "an array for goals": lambda: solve(WORLD, np.eye(4)),
    "an array for a world": lambda: solve(WORLD.dense().kernel, GOALS),
    "goals and world exchanged": lambda: solve(GOALS, WORLD),
    "agent and class exchanged": lambda: identify(Stochastic(), AGENT),
    "an exact agent inverted": lambda: invert(EXACT, Stochastic()),
    "an exact agent's noise": lambda: identify(EXACT, Stochastic(), noise=0.1),
    "an exact agent's polytope": lambda: value_equivalence(EXACT, Stochastic()),
    "a float world in fractions": lambda: exact.solve(WORLD, GOALS),
    "a norm where none is used": lambda: invert(AGENT, Stochastic(), norm=2.0),
    "a prior where none is used": lambda: invert(AGENT, Deterministic(), prior=np.full(4, 0.25)),
    "a word for noise": lambda: identify(AGENT, Stochastic(), noise="much"),
    "a class for the bound": lambda: error_bound(AGENT, Stochastic, 1e-3),
    "a class for paths": lambda: structural(WORLD, GOALS, Stochastic),
    "a class for draws": lambda: generic(WORLD, GOALS, Stochastic),
    "a class for this world": lambda: concrete(WORLD, GOALS, Stochastic),
    "a class for smallest sets": lambda: minimal(WORLD, GOALS, Stochastic),
    "a class for the order": lambda: order_goals(AGENT, Stochastic),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_one_line_that_says_what_was_expected(slip):
    with pytest.raises(TabularInversionError) as caught:
        slip()
    assert "\n" not in str(caught.value)


def test_a_class_without_parentheses_is_told_how_it_is_written():
    with pytest.raises(TabularInversionError, match=r"Deterministic\(\)"):
        identify(AGENT, Deterministic)


def two_coins():
    """Two states with a sure action to each of two goals."""
    kernel = np.zeros((4, 2, 4))
    kernel[:2, 0, 2] = kernel[:2, 1, 3] = kernel[2, :, 2] = kernel[3, :, 3] = 1.0
    return MDP(kernel, 0.5)


@pytest.mark.parametrize("decide", [concrete, lambda *a, **o: minimal(*a, **o)], ids=["concrete", "minimal"])
def test_an_omitted_policy_is_the_optimal_one(decide):
    """On K(3,3) at 1/2, all goals leave the kernel open for optimal agents, and determine it under even policies."""
    world, goals = graph(nx.complete_bipartite_graph(3, 3), discount=0.5), Goals.indicator(6)

    def answer(**policy):
        try:
            return str(decide(world, goals, Stochastic(), **policy))
        except TabularInversionError as problem:
            return str(problem)

    assert answer() == answer(policy="optimal") != answer(policy="uniform")


def test_the_policy_is_named_in_every_answer():
    world, goals = two_coins(), Goals.indicator(4, [2, 3])
    for decide in (structural, generic):
        for policy, words in (("optimal", "optimal"), ("uniform", "uniform"), (np.full((4, 2), 0.5), "given")):
            assert words in decide(world, goals, Stochastic(), policy=policy).to_dict()["policy"]


@pytest.mark.parametrize("policy", ["optimal", "uniform", np.full((4, 2), 0.5)], ids=["optimal", "uniform", "given"])
@pytest.mark.parametrize("decide", [structural, generic])
def test_what_no_kernel_has_is_not_said_of_almost_all(decide, policy):
    """Two disjoint paths lead to two goals, and under one given policy columns 0 and 1 of M agree for every kernel."""
    world, goals = two_coins(), Goals.indicator(4, [2, 3])
    known = Supported(np.repeat(np.kron(np.eye(2), np.ones((2, 2)))[:, None], 2, axis=1) > 0)  # 0 or 1; 2 or 3
    refuted = concrete(world, goals, known, policy=policy)
    assert refuted.row(0, 0).name == "NOT_IDENTIFIED"
    assert decide(world, goals, known, policy=policy).row(0, 0).name != "IDENTIFIED"
    assert decide(world, goals, known, policy="generic").row(0, 0).name == "IDENTIFIED"


def test_the_largest_residual_is_in_the_units_of_q():
    """Values that are off by 1/8 everywhere miss their equations by the same amount in every unit."""
    for unit in (1.0, 2.0**40):
        goals = Goals(np.array([[0.0, 1.0, 5.0]]) * unit)
        agent = solve(chain(3, discount=0.0), goals)
        wrong = type(agent)(agent.q + 8.0 * unit, goals, 0.0)
        assert identify(wrong, Stochastic()).largest_residual == pytest.approx(8.0 * unit)
    assert identify(AGENT, Unconstrained()).largest_residual < 1e-12
