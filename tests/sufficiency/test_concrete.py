"""This very kernel: against `identify`, and the modular way against the exact one."""

import sys
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from random_graphs import entered, random_digraph, random_rewards, random_states, world_on
from windy_grids import windy_grid

from tabular_inversion import MDP, Deterministic, Goals, Status, Stochastic, Supported, exact, identify
from tabular_inversion.environments import four_rooms, graph
from tabular_inversion.errors import GoalsError, InputError, KernelError, PolicyError
from tabular_inversion.exact import ExactGoals, ExactMDP, modular_test_matrix
from tabular_inversion.exact.finite_field import from_flint
from tabular_inversion.sufficiency import concrete, generic
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
    policy = np.ones((k, len(digraph), 1)) if conditional else None
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
    fixed = FixedWorld(read_question(world, goals, None, None), world, policy, None)
    expected = modular_test_matrix(ExactMDP.from_float(world), ExactGoals.from_float(goals), policy)
    found = replace(fixed.world, one_system=False).draw(np.eye(3, dtype=np.uint64), ones=False)
    np.testing.assert_array_equal(found.functions, from_flint(expected))


def test_large_worlds_are_settled_modulo_a_prime_by_cuts_and_by_counts():
    world = windy_grid(16)
    full = concrete(world, [0, 100, 255])
    assert full.status is Status.IDENTIFIED
    full.verify()
    short = concrete(world, [100])
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
    verdict = concrete(windy_grid(16), [0], Deterministic())
    assert verdict.status is Status.UNDECIDED
    assert "does not prove" in verdict.reason
    assert generic(windy_grid(16), [0], Deterministic()).status is Status.IDENTIFIED


def test_the_bipartite_graph_at_one_half_is_exceptional():
    world = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    verdict = concrete(world, range(6), Stochastic(), policy="optimal")
    assert (verdict.status, verdict.rank) == (Status.NOT_IDENTIFIED, 5)
    assert concrete(world, range(6), Stochastic(), policy="optimal", scope="instance").status is Status.IDENTIFIED
    assert generic(world, range(6), Stochastic(), policy="optimal").status is Status.IDENTIFIED


def test_thirds_need_a_limit_on_denominators(monkeypatch):
    world = MDP([[[1 / 3, 2 / 3]], [[0.9, 0.1]]], discount=0.9)
    assert concrete(world, [0]).status is Status.IDENTIFIED
    assert concrete(ExactMDP([[["1/3", "2/3"]], [["9/10", "1/10"]]], "9/10"), [0]).status is Status.IDENTIFIED
    with pytest.raises(KernelError):
        concrete(world, [0], limit_denominator=None)
    monkeypatch.setattr(CONCRETE, "MAX_EXACT_STATES", 0)
    assert concrete(world, [0], limit_denominator=10).status is Status.IDENTIFIED
    with pytest.raises(KernelError, match="limit_denominator"):
        concrete(world, [0], limit_denominator=None)


@pytest.mark.parametrize("states", [200, 0])
def test_floats_that_stand_for_no_small_fraction_are_not_moved_to_one(monkeypatch, states):
    """The fraction nearest to 0.50001 is 1/2, which is another world."""
    monkeypatch.setattr(CONCRETE, "MAX_EXACT_STATES", states)
    near = 0.5 + 2.0**-17
    world = MDP([[[near, 1 - near]], [[0.5, 0.5]]], discount=0.5)
    with pytest.raises(InputError, match=r"0\.49999237\d+ is no fraction with a denominator of at most 10000"):
        concrete(world, [0])
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
        ({"world": nx.path_graph(3)}, InputError, "probabilities matter"),
        ({"world": windy_grid(16), "policy": "optimal"}, InputError, "as an array"),
        ({"world": windy_grid(16), "scope": "instance"}, InputError, "uniform scope"),
        ({"scope": "global"}, InputError, "scope"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    world = arguments.pop("world", windy_grid(3))
    goals = arguments.pop("goals", [0])
    with pytest.raises(error, match=message):
        concrete(world, goals, **arguments)
