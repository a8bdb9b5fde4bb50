"""This very kernel: against `identify`, and the modular way against the exact one."""

import sys
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from random_graphs import entered, random_digraph, random_rewards, random_states, world_on
from windy_grids import windy_grid

from tabular_inversion import MDP, Deterministic, Goals, Status, Stochastic, Supported, exact, identify, solve
from tabular_inversion.environments import four_rooms, graph
from tabular_inversion.errors import GoalsError, InputError, PolicyError
from tabular_inversion.exact import ExactGoals, ExactMDP, modular_test_matrix
from tabular_inversion.exact.finite_field import from_flint
from tabular_inversion.sufficiency import concrete, generic, structural
from tabular_inversion.sufficiency.concrete import FixedWorld
from tabular_inversion.sufficiency.question import read_question

CONCRETE = sys.modules[FixedWorld.__module__]


def uniform_policy(world):
    return np.array([[Fraction(1, world.n_actions)] * world.n_actions] * world.n_states, dtype=object)


@pytest.mark.parametrize("kernel_class", [None, Stochastic(), Deterministic()])
def test_small_worlds_are_judged_by_identify(kernel_class):
    world = four_rooms("windy", discount=0.75)
    goals = Goals.indicator(68, [3, 30, 60])
    agent = exact.evaluate(ExactMDP.from_float(world), ExactGoals.from_float(goals), uniform_policy(world))
    expected = identify(agent, kernel_class or Supported.of(world), scope="uniform")
    found = concrete(world, [3, 30, 60], kernel_class)
    np.testing.assert_array_equal(found.row_status, expected.row_status)
    found.verify()


@pytest.mark.parametrize("seed", range(40))
def test_what_one_kernel_identifies_almost_all_do(seed):
    rng = np.random.default_rng(seed)
    digraph = random_digraph(rng, largest=6)
    goals = random_states(rng, entered(digraph)) if seed % 2 else random_rewards(rng, digraph, ending=True)
    here = concrete(world_on(digraph, rng), goals)
    almost_everywhere = generic(digraph, goals)
    assert ((here.row_status == Status.IDENTIFIED) <= (almost_everywhere.row_status == Status.IDENTIFIED)).all()
    assert here.rank <= almost_everywhere.rank


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("conditional", [False, True])
def test_the_modular_way_agrees_with_fractions(seed, conditional, monkeypatch):
    rng = np.random.default_rng(seed)
    digraph = random_digraph(rng, largest=6)
    goals = random_states(rng, entered(digraph)) if seed % 3 else random_rewards(rng, digraph, ending=seed % 2 == 0)
    world = world_on(digraph, rng)
    k = goals.n_goals if isinstance(goals, Goals) else len(goals)
    policy = np.ones((k, len(digraph), 1)) if conditional else "uniform"
    for kernel_class in (None, Stochastic(), Deterministic()):
        expected = concrete(world, goals, kernel_class, policy=policy)
        with monkeypatch.context() as patch:
            patch.setattr(CONCRETE, "MAX_EXACT_STATES", 0)
            found = concrete(world, goals, kernel_class, policy=policy)
        found.verify()
        assert found.rank == expected.rank or isinstance(kernel_class, Deterministic)
        identified = expected.row_status == Status.IDENTIFIED
        np.testing.assert_array_equal(found.row_status == Status.IDENTIFIED, identified)
        assert not ((found.row_status == Status.NOT_IDENTIFIED) & identified).any()


def test_modular_test_functions_are_those_of_the_exact_room():
    world, goals = four_rooms("windy", discount=0.75), Goals.indicator(68, [3, 30, 60])
    policy = uniform_policy(world)
    fixed = FixedWorld(read_question(world, goals, None, "generic"), world, policy, None)
    expected = modular_test_matrix(ExactMDP.from_float(world), ExactGoals.from_float(goals), policy)
    found = replace(fixed.world, one_system=False).draw(np.eye(3, dtype=np.uint64), ones=False)
    np.testing.assert_array_equal(found.functions, from_flint(expected))


def test_large_worlds_are_settled_modulo_a_prime_by_cuts_and_by_counts():
    world = windy_grid(16)
    full = concrete(world, [0, 100, 255], policy="uniform")
    assert full.status is Status.IDENTIFIED
    full.verify()
    short = concrete(world, [100], policy="uniform")
    assert short.status is Status.NOT_IDENTIFIED
    assert short.witness.value_gap < 1e-12
    short.verify()
    policy = np.eye(4)[np.random.default_rng(0).integers(0, 4, (1, 256))]
    by_count = concrete(world, [100], policy=policy)
    assert by_count.row(100, 0) is Status.NOT_IDENTIFIED
    by_count.verify()
    assert concrete(world, [100], Stochastic()).status is Status.NOT_IDENTIFIED


def test_symmetry_that_no_cut_sees_stays_undecided_in_large_worlds():
    """One goal in the corner of a symmetric grid gives mirrored cells the same column."""
    verdict = concrete(windy_grid(16), [0], Deterministic(), policy="uniform")
    assert verdict.status is Status.UNDECIDED
    assert "does not prove" in verdict.reason
    assert generic(windy_grid(16), [0], Deterministic(), policy="generic").status is Status.IDENTIFIED


def test_the_bipartite_graph_at_one_half_is_exceptional():
    world = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    verdict = concrete(world, range(6), Stochastic(), policy="optimal")
    assert (verdict.status, verdict.rank) == (Status.NOT_IDENTIFIED, 5)
    assert concrete(world, range(6), Stochastic(), policy="optimal", scope="instance").status is Status.IDENTIFIED
    assert concrete(world, range(6), Stochastic()).status is Status.NOT_IDENTIFIED
    assert generic(world, range(6), Stochastic(), policy="optimal").status is Status.IDENTIFIED


def test_thirds_are_thirds_or_dyadic_rationals_without_a_limit_on_denominators(monkeypatch):
    world = MDP([[[1 / 3, 2 / 3]], [[0.9, 0.1]]], discount=0.9)
    assert concrete(world, [0]).status is Status.IDENTIFIED
    assert concrete(ExactMDP([[["1/3", "2/3"]], [["9/10", "1/10"]]], "9/10"), [0]).status is Status.IDENTIFIED
    assert concrete(world, [0], limit_denominator=None).status is Status.IDENTIFIED  # dyadic, rows made to sum to one
    monkeypatch.setattr(CONCRETE, "MAX_EXACT_STATES", 0)
    assert concrete(world, [0], limit_denominator=10).status is Status.IDENTIFIED
    assert concrete(world, [0], limit_denominator=None).status is Status.IDENTIFIED


@pytest.mark.parametrize("states", [200, 0])
def test_floats_that_stand_for_no_small_fraction_are_not_moved_to_one(monkeypatch, states):
    """The fraction nearest to 0.50001 is 1/2, which is another world."""
    monkeypatch.setattr(CONCRETE, "MAX_EXACT_STATES", states)
    near = 0.5 + 2.0**-17
    world = MDP([[[near, 1 - near]], [[0.5, 0.5]]], discount=0.5)
    verdict = concrete(world, [0])
    assert verdict.status is Status.IDENTIFIED
    if states:
        expected = solve(world, Goals.indicator(2, [0])).q
        np.testing.assert_allclose(verdict.agent.q.astype(float), expected, atol=1e-12)
    assert concrete(world, [0], limit_denominator=None).status is Status.IDENTIFIED
    assert concrete(world, [0], limit_denominator=2**17).status is Status.IDENTIFIED


def test_policies_that_do_not_sum_to_one_exactly_are_refused():
    thirds = np.tile([1 / 3, 1 / 3, 1 / 6, 1 / 6], (256, 1))
    assert concrete(windy_grid(16), [0, 100, 255], policy=thirds).status is Status.IDENTIFIED
    with pytest.raises(PolicyError):
        concrete(windy_grid(16), [0], policy=thirds, limit_denominator=None)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"goals": [9]}, GoalsError, "states contains 9"),
        ({"policy": "best"}, PolicyError, "'best'"),
        ({"world": nx.path_graph(3)}, InputError, "expected MDP"),
        ({"world": windy_grid(16), "scope": "instance"}, InputError, "uniform scope"),
        ({"scope": "global"}, InputError, "scope"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    world = arguments.pop("world", windy_grid(3))
    goals = arguments.pop("goals", [0])
    with pytest.raises(error, match=message):
        concrete(world, goals, **arguments)


def two_coins():
    """States 0 and 1 with two sure actions each, to 2 and to 3, which stay: the graph of theory's G1 counterexample."""
    kernel = np.zeros((4, 2, 4))
    kernel[:2, 0, 2] = kernel[:2, 1, 3] = 1.0
    kernel[2, :, 2] = kernel[3, :, 3] = 1.0
    return MDP(kernel, discount=0.5)


def test_a_given_policy_is_not_taken_for_almost_every_policy():
    """Two disjoint paths lead to two goals, and the even policy has rank 1 in columns 0 and 1 of every such world."""
    world, even, goals = two_coins(), np.full((4, 2), 0.5), Goals.indicator(4, [2, 3])
    known = Supported(np.repeat(np.kron(np.eye(2), np.ones((2, 2)))[:, None], 2, axis=1) > 0)  # 0 or 1; 2 or 3
    refuted = concrete(world, goals, known, policy=even)
    assert refuted.row(0, 0) is Status.NOT_IDENTIFIED
    assert generic(world, goals, known, policy="generic").status is Status.IDENTIFIED
    assert structural(world, goals, known, policy="generic").status is Status.IDENTIFIED
    assert generic(world, goals, known, policy=even).row(0, 0) is Status.NOT_IDENTIFIED
    assert structural(world, goals, known, policy=even).row(0, 0) is Status.UNDECIDED
    assert structural(world, goals, known).row(0, 0) is Status.UNDECIDED  # optimal agents are no question of paths
    assert structural(world, goals, known, policy=even).to_dict()["policy"] == "the given policy"


@pytest.mark.parametrize("seed", range(60))
def test_what_is_identified_before_the_world_is_known_is_identified_in_worlds(seed):
    """Graph and draws against fractions: several actions, given policies and optimal agents, ties and masks."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 6)), int(rng.integers(1, 4))
    support = rng.random((n, m, n)) < 0.5
    support[..., 0] |= ~support.any(axis=2)
    weights = rng.choice([1, 2, 3, 5, 7, 11, 13], (n, m, n)) * support
    kernel = np.vectorize(Fraction)(weights) / weights.sum(axis=2, keepdims=True)
    world = ExactMDP(kernel, Fraction(int(rng.integers(1, 10)), 10))
    targets = np.flatnonzero(support.any(axis=(0, 1)))
    goals = Goals.indicator(n, rng.choice(targets, int(rng.integers(1, len(targets) + 1)), replace=False))
    even = np.full((n, m), Fraction(1, m), dtype=object)
    for policy in ("optimal", even):
        truth = concrete(world, goals, policy=policy)
        drawn = generic(world.to_float(), goals, policy=policy if isinstance(policy, str) else even.astype(float))
        by_paths = structural(world.to_float(), goals, policy=policy if isinstance(policy, str) else even.astype(float))
        for before in (drawn, by_paths):
            refuted = before.row_status == Status.NOT_IDENTIFIED
            assert not (refuted & (truth.row_status == Status.IDENTIFIED)).any()
        if m == 1:
            continue
        assert not ((by_paths.row_status == Status.IDENTIFIED) & (drawn.row_status != Status.IDENTIFIED)).any()


def test_optimal_agents_of_large_worlds_with_ties_are_judged_and_said_to_be_what_floats_find():
    world = windy_grid(16)  # 256 states, with ties wherever two ways are equally long
    verdict = concrete(world, [0, 17, 100, 255])
    assert "as floats find them" in verdict.question.policy
    assert verdict.rows_identified > 900
