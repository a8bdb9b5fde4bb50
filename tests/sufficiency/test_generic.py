"""Ranks at random draws: the arithmetic against whole numbers, the ranks against fractions and theorems."""

from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import entered, permuted, random_digraph, random_rewards, random_states, world_on
from scipy.sparse import csr_array
from windy_grids import windy_grid

from tabular_inversion import (
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    exact,
    policies,
    solve,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.errors import InputError, KernelClassError, PolicyError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.finite_field import (
    PRIME,
    column_ranks,
    from_flint,
    inverses,
    minus,
    plus,
    random_residues,
    rational_residues,
    reduced,
    subset_ranks,
    sums,
    times,
    to_flint,
)
from tabular_inversion.exact.modular_elimination import Levels, solve_sparse
from tabular_inversion.sufficiency import generic
from tabular_inversion.sufficiency import proofs as proof_kinds
from tabular_inversion.sufficiency.by_draws.draws import Chance
from tabular_inversion.sufficiency.question import read_question

residues = st.one_of(st.integers(0, PRIME - 1), st.integers(PRIME - 5, PRIME - 1), st.integers(0, 5))


def as_residues(*values):
    return np.array(values, np.uint64)


@given(residues, residues)
def test_arithmetic_agrees_with_whole_numbers(left, right):
    a, b = as_residues(left), as_residues(right)
    assert int(times(a, b)[0]) == left * right % PRIME
    assert int(plus(a, b)[0]) == (left + right) % PRIME
    assert int(minus(a, b)[0]) == (left - right) % PRIME
    if left:
        assert int(inverses(a)[0]) == pow(left, -1, PRIME)


def test_numbers_at_the_ends_are_reduced():
    np.testing.assert_array_equal(reduced(as_residues(PRIME, 2**64 - 1, 0)), [0, (2**64 - 1) % PRIME, 0])
    assert int(sums(np.full(1000, PRIME - 1, np.uint64), np.array([0]))[0]) == -1000 % PRIME
    with pytest.raises(ZeroDivisionError):
        inverses(as_residues(0, 1))


@given(st.fractions(max_denominator=10**6))
def test_fractions_become_residues(value):
    found = int(rational_residues(np.array([value], dtype=object))[0])
    assert found * value.denominator % PRIME == value.numerator % PRIME


@pytest.mark.parametrize("seed", range(30))
def test_stacked_ranks_agree_with_flint(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 7, 2)
    inner = int(rng.integers(1, 7))
    left, right = random_residues((rows, inner), rng), random_residues((inner, columns), rng)
    matrix = from_flint(to_flint(left) * to_flint(right))
    matrix[rng.random(matrix.shape) < 0.2] = 0
    supports = csr_array(rng.random((12, columns)) < 0.6)
    expected = [to_flint(matrix[:, row]).rank() if row.any() else 0 for row in supports.toarray()]
    np.testing.assert_array_equal(column_ranks(matrix, supports), expected)


def test_large_sets_go_through_flint():
    matrix = random_residues((30, 40), np.random.default_rng(0))
    matrix[:, 39] = plus(matrix[:, 0], matrix[:, 1])
    sets = np.array([np.arange(30), np.append(np.arange(29), 39)])
    np.testing.assert_array_equal(subset_ranks(matrix, sets), [30, 29])


@pytest.mark.parametrize("seed", range(20))
def test_sparse_elimination_agrees_with_flint(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng, largest=14)
    pattern = nx.to_scipy_sparse_array(graph, format="csr") + np.eye(len(graph))
    matrix = csr_array(pattern).astype(np.uint64)
    matrix.data = random_residues(matrix.nnz, rng)
    right = random_residues((len(graph), 3), rng)
    found = solve_sparse(matrix, right, Levels.of(matrix.astype(bool)))
    np.testing.assert_array_equal(found, from_flint(to_flint(matrix.toarray()).solve(to_flint(right))))


def test_levels_couple_neighbours_only_and_grids_have_thin_ones():
    question = read_question(windy_grid(12), [0], None, None)
    levels = Levels.of(question.edges)
    level = np.empty(144, int)
    level[levels.order] = np.repeat(np.arange(len(levels.starts) - 1), np.diff(levels.starts))
    edges = question.edges.tocoo()
    assert np.abs(level[edges.row] - level[edges.col]).max() == 1
    assert np.diff(levels.starts).max() <= 12


def test_graphs_that_are_too_wide_are_refused(monkeypatch):
    monkeypatch.setattr("tabular_inversion.exact.modular_elimination.MAX_WORK", 10.0)
    with pytest.raises(InputError, match="too many to eliminate"):
        generic(nx.complete_graph(5), [0])


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("kind", ["indicator", "going on", "several", "several, ending"])
def test_draws_agree_with_fractions_at_a_random_world(seed, kind):
    """Rational worlds with weights up to 1024 are as generic as small ranks need, in all cases tried."""
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng, largest=6)
    if kind.startswith("several"):
        goals = random_rewards(rng, graph, ending="ending" in kind)
    else:
        goals = Goals.indicator(len(graph), random_states(rng, entered(graph)), terminating=kind == "indicator")
    world = ExactMDP.from_float(world_on(graph, rng))
    agent = exact.evaluate(world, ExactGoals.from_float(goals), np.ones((len(graph), 1), int))
    matrix = np.vstack([agent.test_matrix, np.full((1, len(graph)), Fraction(1), dtype=object)])
    verdict = generic(graph, goals)
    assert verdict.rank == exact.rank(matrix).rank
    for node in graph:
        followers = list(graph.successors(node))
        full = exact.rank(matrix[:, followers]).rank == len(followers)
        assert verdict.row(node, 0) is (Status.IDENTIFIED if full else Status.NOT_IDENTIFIED)
    verdict.verify()


def test_known_numbers_of_generic_goals_suffice():
    world = random_mdp(12, 2, branching=4, seed=0)
    for k, status in ((3, Status.IDENTIFIED), (2, Status.NOT_IDENTIFIED)):
        assert generic(world, Goals.generic(12, k, seed=0), rewards="generic").status is status
    for k, status in ((11, Status.IDENTIFIED), (10, Status.NOT_IDENTIFIED)):
        assert generic(world, Goals.generic(12, k, seed=0), Stochastic()).status is status
    for k, status in ((12, Status.IDENTIFIED), (11, Status.NOT_IDENTIFIED)):
        assert generic(world, Goals.generic(12, k, seed=0), Unconstrained()).status is status
    for k, status in ((3, Status.IDENTIFIED), (2, Status.UNDECIDED), (1, Status.NOT_IDENTIFIED)):
        assert generic(world, Goals.generic(12, k, seed=0), Sparse(2)).status is status
    assert generic(world, Goals.generic(12, 1, seed=0), Deterministic()).status is Status.IDENTIFIED


def test_goals_that_pay_the_same_everywhere_say_nothing():
    constant = Goals(np.ones((5, 6)))
    assert generic(nx.cycle_graph(6), constant, Stochastic()).rank == 1
    drawn = generic(nx.cycle_graph(6), constant, Stochastic(), rewards="generic")
    assert drawn.status is Status.IDENTIFIED
    equal = generic(nx.cycle_graph(6), constant, Deterministic())
    assert equal.status is Status.NOT_IDENTIFIED
    assert equal.witness.value_gap == 0.0
    equal.verify()


@pytest.mark.parametrize("seed", range(10))
def test_one_system_serves_goals_that_end_where_they_pay(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    question = read_question(graph, random_states(rng, entered(graph)), None, None)
    chance = Chance(question, None, generic_rewards=False)
    assert chance.one_system
    world = chance._world(rational_residues(question.goals.rewards), rng)
    each = np.eye(question.goals.n_goals, dtype=np.uint64)
    together = world.draw(each, ones=True)
    apart = replace(world, one_system=False).draw(each, ones=True)
    assert together.rank == apart.rank
    crossed = times(together.functions[:-1, :, None], apart.functions[:-1, None, :])
    np.testing.assert_array_equal(crossed, np.swapaxes(crossed, 1, 2))  # each row a multiple of the other's


@pytest.mark.parametrize("seed", range(20))
def test_one_system_serves_generic_rewards_that_end_where_they_pay(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    question = read_question(graph, random_rewards(rng, graph, ending=True), None, None)
    chance = Chance(question, None, generic_rewards=True)
    k, n = question.goals.rewards.shape
    rewards = np.where(question.goals.rewards != 0, random_residues((k, n), rng), np.uint64(0))
    world = chance._world(rewards, rng)
    together = world.draw(np.eye(k, dtype=np.uint64), ones=True)
    apart = replace(world, one_system=False).draw(np.eye(k, dtype=np.uint64), ones=True)
    assert together.rank == apart.rank
    supports = question.row_supports
    np.testing.assert_array_equal(column_ranks(together.functions, supports), column_ranks(apart.functions, supports))


def test_deficits_carry_their_probability_and_a_witness_in_fractions():
    verdict = generic(nx.star_graph(5), [1, 2, 3, 1], draws=1)
    assert verdict.row(0, 0) is Status.NOT_IDENTIFIED
    assert 0 < verdict.error_probability < 1e-12
    assert generic(nx.star_graph(5), [1, 2, 3, 1], draws=2).error_probability < 1e-25
    assert isinstance(verdict.witness.first[0], Fraction)
    assert verdict.witness.value_gap == 0.0
    assert verdict.to_dict()["sigma_min"] is None
    verdict.verify()
    assert generic(nx.star_graph(5), [1]).error_probability == 0.0  # too few equations: no draw is needed


def test_large_worlds_have_witnesses_in_floats():
    verdict = generic(windy_grid(12), [70])
    assert verdict.witness.first.dtype == float
    assert verdict.witness.value_gap < 1e-12
    verdict.verify()


def test_optimal_policies_of_a_concrete_world():
    world, goals = four_rooms("windy"), [0, 20, 40, 60]
    verdict = generic(world, goals, policy="optimal")
    assert verdict.rank == 5
    verdict.verify()
    short = generic(world, goals, Stochastic(), policy="optimal")
    assert short.status is Status.NOT_IDENTIFIED
    short.verify()


def test_optimal_agents_see_more_of_a_room_than_it_has_doors():
    """The bottleneck bound needs an unconditional policy: each goal's own policy reaches the doors in its own way."""
    world = four_rooms("windy")
    inside = np.flatnonzero((world.coordinates < 5).all(axis=1))
    outside = np.flatnonzero((world.coordinates > 5).any(axis=1))
    goals = Goals.indicator(68, outside)
    question = read_question(world, goals, None, None)
    best = policies.greedy(solve(world, goals).q, world.available)
    ranks = [
        subset_ranks(chance.draw(np.random.default_rng(0), ones=False, n_functions=16).functions, inside[None])[0]
        for chance in (Chance(question, None, generic_rewards=False), Chance(question, best, generic_rewards=False))
    ]
    assert ranks == [2, 10]


@pytest.mark.parametrize("seed", range(10))
def test_permuting_states_and_adding_goals(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    goals, order = random_states(rng, entered(graph)), rng.permutation(len(graph))
    before = generic(graph, goals)
    after = generic(permuted(graph, order), np.argsort(order)[goals])
    np.testing.assert_array_equal(after.row_status, before.row_status[order])
    more = generic(graph, [*goals, entered(graph)[0]])
    assert ((before.row_status == Status.IDENTIFIED) <= (more.row_status == Status.IDENTIFIED)).all()
    assert more.rank >= before.rank


def test_wrong_claims_about_draws_are_caught():
    verdict = generic(nx.star_graph(4), [1, 2, 1, 2])
    right = [proof for proof in verdict.proofs if isinstance(proof, proof_kinds.DrawProof)]
    assert {proof.full for proof in right} == {True, False}
    for proof in right:
        proof.verify()
        with pytest.raises(WitnessError):
            replace(proof, full=not proof.full).verify()
    with pytest.raises(WitnessError):
        proof_kinds.CountProof(np.array([0]), 3, np.array([3])).verify()
    constant = Chance(read_question(nx.cycle_graph(4), Goals(np.ones((1, 4))), None, None), None, generic_rewards=False)
    with pytest.raises(WitnessError):
        proof_kinds.DistinctProof(np.array([0]), constant, 0).verify()


def test_wrong_witnesses_are_caught():
    verdict = generic(nx.star_graph(4), [1])
    proof = verdict.proofs[-1]
    proof.verify()
    other = np.array([Fraction(int(state == 1)) for state in range(5)], dtype=object)
    with pytest.raises(WitnessError):
        replace(proof, witness=replace(verdict.witness, first=other)).verify()
    with pytest.raises(WitnessError):
        replace(proof, witness=replace(verdict.witness, first=verdict.witness.second)).verify()
    floats = generic(windy_grid(12), [70]).proofs[-1]
    floats.verify()
    states = np.flatnonzero(floats.witness.first + floats.witness.second)
    other = np.eye(144)[states[0]]
    claimed = replace(floats.witness, first=other)  # on the support, but of other values than claimed
    with pytest.raises(WitnessError):
        replace(floats, witness=claimed).verify()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rewards": "random"}, InputError, "rewards is 'random'"),
        ({"draws": 0}, InputError, "draws is 0"),
        ({"policy": "optimal"}, PolicyError, "only an MDP"),
        ({"policy": np.ones((2, 3, 1))}, InputError, "shape"),
        ({"kernel_class": Supported(np.ones((2, 1, 2), bool))}, KernelClassError, "shape"),
        ({"goals": Goals(np.eye(3), None, np.ones((3, 3, 1)))}, InputError, "action_rewards"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    goals = arguments.pop("goals", [0])
    with pytest.raises(error, match=message):
        generic(nx.path_graph(3), goals, **arguments)


def test_unknown_policies_are_refused():
    with pytest.raises(PolicyError, match="'best'"):
        generic(four_rooms(), [0], policy="best")
    with pytest.raises(KernelClassError, match="too many"):
        generic(four_rooms(), [0], Sparse(4))
