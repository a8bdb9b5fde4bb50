"""Exceptional discounts: known graphs, other methods, laws, and wrong answers that must be caught."""

from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, Goals, Sparse, Stochastic, Unconstrained, policies, solve
from tabular_inversion.discounts import (
    AlgebraicNumber,
    exceptional,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.discounts.regularity import is_regular
from tabular_inversion.environments import chain, four_rooms, graph, random_mdp
from tabular_inversion.errors import DiscountError, GoalsError, InputError, KernelClassError, KernelError, ShapeError
from tabular_inversion.exact import ExactGoals, ExactMDP, fraction_array, rank
from tabular_inversion.exact.polynomials import matrices as polynomial_matrices
from tabular_inversion.exact.polynomials.roots import show_polynomial
from tabular_inversion.identifiability import WitnessError


def connected_graphs(*sizes):
    return [g for g in nx.graph_atlas_g() if len(g) in sizes and nx.is_connected(g)]


def thirds(n: int, m: int, seed: int) -> ExactMDP:
    """A random world whose rows go to two states with probabilities 1/3 and 2/3."""
    rng = np.random.default_rng(seed)
    kernel = np.full((n, m, n), Fraction(0), dtype=object)
    for s in range(n):
        for a in range(m):
            first, second = rng.choice(n, 2, replace=False)
            kernel[s, a, first], kernel[s, a, second] = Fraction(1, 3), Fraction(2, 3)
    return ExactMDP(kernel, 0)


def oracle(matrix: sympy.Matrix, symbol: sympy.Symbol) -> list[float]:
    """Roots in (0, 1) of the numerator of a determinant, by sympy."""
    table = matrix.to_DM(domain=sympy.QQ.frac_field(symbol))
    polynomial = sympy.Poly(sympy.numer(table.domain.to_sympy(table.det())), symbol)
    if polynomial.degree() < 1:
        return []
    intervals = (interval for interval, _ in polynomial.intervals(eps=Fraction(1, 2**50), inf=0, sup=1))
    return [float(low) for low, high in intervals if high > 0 and low < 1]


@pytest.mark.parametrize(("a", "b"), [(3, 2), (3, 3), (4, 2), (4, 3), (5, 2), (4, 4), (5, 5)])
def test_complete_bipartite_graphs(a, b):
    result = exceptional_discounts(graph(nx.complete_bipartite_graph(a, b)))
    (found,) = result.discounts
    assert float(found.discount) == pytest.approx(((a - 1) * (b - 1)) ** -0.5, abs=1e-15)
    assert found.rank == a + b - 1
    assert found.rank_with_ones == (a + b - 1 if a == b else a + b)
    result.verify()


def test_known_roots_are_exact():
    def of(*parts):
        return exceptional_discounts(graph(nx.complete_multipartite_graph(*parts))).discounts[0].discount

    assert of(3, 3).value == Fraction(1, 2)
    assert show_polynomial(of(3, 2).minimal_polynomial) == "2x^2 - 1"
    assert of(3, 2).value is None


@pytest.mark.parametrize("world", [nx.petersen_graph(), nx.cycle_graph(7), nx.path_graph(6), nx.complete_graph(5)])
def test_graphs_without_exceptional_discounts(world):
    result = exceptional_discounts(graph(world))
    assert result.discounts == ()
    assert result.suffices_elsewhere(Unconstrained())
    result.verify()


def test_29_of_the_141_connected_graphs_on_3_to_6_nodes():
    results = [exceptional_discounts(graph(g)) for g in connected_graphs(3, 4, 5, 6)]
    assert len(results) == 141
    assert sum(bool(result.for_class(Unconstrained())) for result in results) == 29
    assert sum(bool(result.for_class(Stochastic())) for result in results) == 4
    for result in results:
        for found in result.discounts:
            assert result.sigma_min([float(found.discount)])[0] < 1e-12
            if found.rank_with_ones < result.n_states:
                assert result.sigma_min([float(found.discount)], Stochastic())[0] < 1e-12


def test_graphs_on_up_to_5_nodes_against_sympy():
    x = sympy.symbols("x")
    for g in connected_graphs(3, 4, 5):
        steps = dict(nx.all_pairs_shortest_path_length(g))
        matrix = sympy.Matrix(len(g), len(g), lambda i, j, steps=steps: x ** steps[i][j])
        result = exceptional_discounts(graph(g))
        assert [float(found.discount) for found in result.discounts] == pytest.approx(oracle(matrix, x), abs=1e-12)


@pytest.mark.slow
def test_graphs_on_7_nodes():
    results = [exceptional_discounts(graph(g)) for g in connected_graphs(7)]
    assert len(results) == 853
    assert sum(bool(result.for_class(Unconstrained())) for result in results) == 401
    assert sum(bool(result.for_class(Stochastic())) for result in results) == 38
    for result in results:
        result.verify()


def test_directed_graphs_and_some_goals():
    arrows = nx.DiGraph([(0, 1), (1, 2), (2, 0), (1, 0), (3, 0), (2, 3)])
    world = graph(arrows)
    for goals in (Goals.indicator(4), Goals.indicator(4, [0, 1, 2]), Goals.indicator(4, [1, 3])):
        result = exceptional_discounts(world, goals)
        result.verify()
        assert result.suffices_elsewhere(Stochastic()) == (goals.n_goals >= 3)
        assert result.suffices_elsewhere(Unconstrained()) == (goals.n_goals == 4)


def test_three_goals_on_four_states_lose_rank_where_sympy_says():
    world, x = graph(nx.complete_bipartite_graph(2, 2)), sympy.symbols("x")
    steps = dict(nx.all_pairs_shortest_path_length(nx.complete_bipartite_graph(2, 2)))
    matrix = sympy.Matrix(4, 4, lambda i, j: x ** steps[i][j] if i < 3 else 1)
    result = exceptional_discounts(world, Goals.indicator(4, [0, 1, 2]))
    assert [float(found.discount) for found in result.discounts] == pytest.approx(oracle(matrix, x))


def test_repeated_goals_change_nothing():
    world = graph(nx.complete_bipartite_graph(3, 3))
    twice = Goals.indicator(6).join(Goals.indicator(6))
    assert [str(x.discount) for x in exceptional_discounts(world, twice).discounts] == ["1/2"]


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(6)), st.sampled_from(connected_graphs(6)[::9]))
def test_names_of_states_do_not_matter(order, undirected):
    world = graph(undirected)
    one, other = exceptional_discounts(world), exceptional_discounts(world.permute_states(order))
    assert [(x.discount, x.multiplicity, x.rank, x.rank_with_ones) for x in one.discounts] == [
        (x.discount, x.multiplicity, x.rank, x.rank_with_ones) for x in other.discounts
    ]


def test_rank_falls_at_the_root_and_nowhere_near():
    result = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
    assert rank(result.agent(Fraction(1, 2)).test_matrix).rank == 5
    for k in (2, 20, 60):
        for sign in (1, -1):
            assert result.ranks_at(Fraction(1, 2) + sign * Fraction(1, 2**k)) == (6, 6)


@pytest.mark.parametrize("terminating", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_fixed_policies_against_sympy(seed, terminating):
    world, x = thirds(3, 2, seed), sympy.symbols("x")
    rng = np.random.default_rng(seed)
    policy = fraction_array(rng.integers(1, 4, (3, 3, 2)))
    policy = policy / policy.sum(axis=2, keepdims=True)
    rewards = rng.integers(-2, 3, (3, 3))
    continuation = 1 - np.eye(3, dtype=int) if terminating else np.ones((3, 3), int)
    result = exceptional_discounts(world, ExactGoals(rewards, continuation), policy=policy)
    rows = []
    for g in range(3):
        chain_ = continuation[g][:, None] * (policy[g][:, :, None] * world.kernel).sum(axis=1)
        table = sympy.Matrix(3, 3, lambda i, j, c=chain_: sympy.Rational(c[i, j].numerator, c[i, j].denominator))
        rows.append(list((sympy.eye(3) - x * table).solve(sympy.Matrix(rewards[g].tolist()))))
    assert [float(f.discount) for f in result.discounts] == pytest.approx(oracle(sympy.Matrix(rows), x), abs=1e-10)
    result.verify()


def test_unconditional_policies_with_all_indicators_have_none():
    # T3b: M = R N^T with N invertible, at every discount.
    for seed in range(3):
        world = thirds(4, 2, seed)
        result = exceptional_discounts(world, policy=[["1/2", "1/2"]] * 4)
        assert result.discounts == ()
        assert result.suffices_elsewhere(Unconstrained())
        result.verify()


def two_ways() -> ExactMDP:
    """A short risky way and a long safe one to state 3: which is better changes with the discount."""
    kernel = np.full((5, 2, 5), Fraction(0), dtype=object)
    for s, a, t, p in [
        (0, 0, 3, "1/2"), (0, 0, 4, "1/2"), (0, 1, 1, 1), (1, 0, 2, 1), (1, 1, 0, 1), (2, 0, 3, 1), (2, 1, 2, 1),
        (3, 0, 0, 1), (3, 1, 4, 1), (4, 0, 4, "1/2"), (4, 0, 0, "1/2"), (4, 1, 4, 1),
    ]:  # fmt: skip
        kernel[s, a, t] += Fraction(p)
    return ExactMDP(kernel, 0)


def test_optimal_policies_change_where_values_meet():
    world = two_ways()
    result = exceptional_discounts(world, ExactGoals.from_float(Goals.indicator(5, [3])))
    ends = [piece.upper for piece in result.pieces]
    assert ends[-1].value == 1
    assert len(ends) > 1
    for end in ends[:-1]:
        low, high = (exceptional_side(world, end, side) for side in (-1, 1))
        assert low != high
    result.verify()


def exceptional_side(world: ExactMDP, end: AlgebraicNumber, side: int) -> list[int]:
    """Return the best actions for goal 3 just beside a breakpoint."""
    near = end.refine(Fraction(1, 10**9))
    discount = (near.lower if side < 0 else near.upper) + side * Fraction(1, 10**9)
    result = exceptional_discounts(world, ExactGoals.from_float(Goals.indicator(5, [3])))
    return list(result.agent(discount).q[0].argmax(axis=1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("goals", [None, Goals.indicator(4, terminating=False), Goals([[1, 0, -1, 2], [0, 1, 1, 0]])])
def test_pieces_of_random_worlds_agree_with_the_forward_code(seed, goals):
    result = exceptional_discounts(thirds(4, 3, seed), goals)
    result.verify()
    ends = [piece.lower for piece in result.pieces] + [result.pieces[-1].upper]
    assert ends == sorted(ends)
    assert (ends[0].value, ends[-1].value) == (0, 1)
    assert all(first.upper == second.lower for first, second in zip(result.pieces, result.pieces[1:], strict=False))
    curve = result.sigma_min(np.linspace(0.05, 0.95, 19))
    assert ((curve < 1e-13) == (result.ranks[0][0] < 4)).all() or result.discounts


def test_action_rewards_count():
    world = thirds(3, 2, 0)
    rho = np.arange(18).reshape(3, 3, 2)
    goals = ExactGoals(np.eye(3, dtype=int), action_rewards=rho)
    for policy in (None, [["1/3", "2/3"]] * 3):
        exceptional_discounts(world, goals, policy=policy).verify()


def test_a_world_of_floats_is_taken_as_it_is():
    halves = MDP([[[0.5, 0.5]], [[0.25, 0.75]]], discount=0.9)
    assert exceptional_discounts(halves).suffices_elsewhere(Unconstrained())
    with pytest.raises(KernelError, match="limit_denominator"):
        exceptional_discounts(MDP([[[1 / 3, 1 / 3, 1 / 3]]] * 3, discount=0.9))


def test_zero_goals_values_are_no_surprise():
    result = exceptional_discounts(chain(3), Goals([[0.0, 0.0, 0.0]]))
    assert (result.discounts, result.ranks) == ((), ((0, 1),))
    assert not result.suffices_elsewhere(Stochastic())
    result.verify()


K33 = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
K32 = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 2)))


@pytest.mark.parametrize("result", [K33, K32], ids=["rational", "irrational"])
@pytest.mark.parametrize(
    "change",
    [
        {"discount": AlgebraicNumber.rational(Fraction(1, 3))},
        {"discount": AlgebraicNumber((-1, 2), Fraction(1, 3), Fraction(1, 3))},
        {"discount": AlgebraicNumber((-1, 0, 3), Fraction(0), Fraction(1))},
        {"discount": AlgebraicNumber((-1, 0, 2), Fraction(0), Fraction(1, 2))},
        {"discount": AlgebraicNumber((1, 0, -4, 0, 4), Fraction(1, 2), Fraction(1))},
        {"discount": AlgebraicNumber((-2, 0, 4), Fraction(1, 2), Fraction(1))},
        {"rank": 3},
        {"rank": 6},
        {"rank_with_ones": 4},
    ],
)
def test_wrong_roots_are_caught(result, change):
    wrong = replace(result.discounts[0], **change)
    with pytest.raises(WitnessError):
        replace(result, discounts=(wrong,)).verify()


def test_missing_and_invented_roots_are_caught():
    with pytest.raises(WitnessError, match="finds 1"):
        replace(K33, discounts=()).verify()
    with pytest.raises(WitnessError):
        replace(K33, discounts=K33.discounts * 2).verify()
    petersen = exceptional_discounts(graph(nx.petersen_graph()))
    with pytest.raises(WitnessError):
        replace(petersen, discounts=(replace(K33.discounts[0], rank=9, rank_with_ones=9),)).verify()


def test_values_of_another_world_are_caught():
    with pytest.raises(WitnessError, match="pieces"):
        replace(K33, pieces=exceptional_discounts(graph(nx.cycle_graph(6))).pieces).verify()


def test_the_forward_code_disagrees_where_polynomials_are_wrong(monkeypatch):
    """If the polynomials of policies were computed wrongly, and wrongly again, the forward code would notice."""
    wrong = exceptional_discounts(graph(nx.cycle_graph(6))).pieces
    monkeypatch.setattr(exceptional, "find_pieces", lambda *_: wrong)
    with pytest.raises(WitnessError, match="forward code"):
        replace(K33, pieces=wrong).verify()


def test_the_pair_on_k33():
    pair = indistinguishable_kernels(K33, K33.discounts[0])
    moved = np.abs(pair.second - pair.first)
    assert (moved == Fraction(1, 24)).all()
    assert (pair.added, pair.first.sum(), pair.second.sum()) == (True, 1, 1)
    pair.verify()


def test_pairs_at_irrational_discounts():
    irrational = 0
    for g in connected_graphs(6):
        result = exceptional_discounts(graph(g))
        for found in result.for_class(Stochastic()):
            pair = indistinguishable_kernels(result, found)
            pair.verify()
            irrational += found.discount.value is None
            assert float(np.abs(pair.second - pair.first).sum()) > 1e-4
    assert irrational == 3


def test_pairs_of_fixed_policies_and_of_worlds_with_full_rows():
    goals = ExactGoals([[1, 0, 0], [0, 1, 0]], [[0, 1, 1], [1, 0, 1]])
    rows = fraction_array([["1/2", "1/4", "1/4"], ["1/4", "1/2", "1/4"], ["1/4", "1/4", "1/2"]])
    world = ExactMDP(rows[:, None, :], 0)
    result = exceptional_discounts(world, goals, policy=[[1]] * 3)
    for found in result.for_class(Stochastic()):
        pair = indistinguishable_kernels(result, found)
        assert not pair.added
        pair.verify()


def test_wrong_pairs_are_caught():
    pair = indistinguishable_kernels(K33, K33.discounts[0])
    for change in (
        {"step": Fraction(1, 2)},
        {"step": Fraction(0)},
        {"direction": (*pair.direction[:5], pair.direction[0])},
        {"direction": tuple(0 * entry for entry in pair.direction)},
        {"discount": AlgebraicNumber.rational(Fraction(1, 3))},
    ):
        with pytest.raises(WitnessError):
            replace(pair, **change).verify()


def test_there_is_no_pair_where_stochastic_kernels_are_identified():
    with pytest.raises(InputError, match="no two stochastic kernels"):
        indistinguishable_kernels(K32, K32.discounts[0])


@pytest.mark.slow
def test_four_rooms():
    result = exceptional_discounts(four_rooms())
    assert [round(float(found.discount), 6) for found in result.discounts] == [0.812344, 0.899337]
    assert [(f.discount.degree, f.rank, f.rank_with_ones) for f in result.discounts] == [(34, 66, 67)] * 2
    assert (result.sigma_min([float(f.discount) for f in result.discounts]) < 1e-12).all()


@pytest.mark.slow
def test_four_rooms_is_verified_and_has_a_pair():
    result = exceptional_discounts(four_rooms())
    result.verify()
    for found in result.discounts:
        indistinguishable_kernels(result, found).verify()


def test_unfit_input_is_refused():
    world = graph(nx.path_graph(3))
    with pytest.raises(ShapeError, match="goals are on 4"):
        exceptional_discounts(world, Goals.indicator(4))
    with pytest.raises(ShapeError):
        exceptional_discounts(world, policy=[["1/2", "1/2"]])
    with pytest.raises(InputError, match="float"):
        exceptional_discounts(world, policy=policies.uniform(world.available))
    with pytest.raises(KernelClassError, match="not implemented for the class Sparse"):
        K33.for_class(Sparse(2))
    with pytest.raises(DiscountError):
        K33.sigma_min([1.0])
    with pytest.raises(DiscountError):
        K33.sigma_min([float("nan")])
    with pytest.raises(DiscountError):
        K33.ranks_at(Fraction(1))
    with pytest.raises(KernelError, match="isolated"):
        graph(nx.empty_graph(3))
    extra = ExactGoals(np.eye(3, dtype=int), action_rewards=np.zeros((3, 3, 2), int))
    few = exceptional_discounts(world, extra.select([0]), policy=[[1, 0], ["1/2", "1/2"], [1, 0]])
    with pytest.raises(GoalsError, match="action rewards"):
        indistinguishable_kernels(few, K33.discounts[0])


def test_random_worlds_of_floats_have_dyadic_numbers():
    world = random_mdp(4, 2, branching=1, seed=0)
    exceptional_discounts(world).verify()


def test_determinants_that_are_too_long_are_refused_early():
    with pytest.raises(InputError, match="max_digits is 100"):
        exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)), max_digits=100)
    done = []
    with pytest.raises(InputError, match="max_digits is 20"):
        exceptional_discounts(thirds(4, 2, 0), max_digits=20, progress=lambda goals, _: done.append(goals))
    assert done[-1:] != [4]


def test_the_ways_of_computing_determinants_agree(monkeypatch):
    worlds = [graph(g) for g in connected_graphs(5)[::4]] + [thirds(4, 3, seed) for seed in range(3)]
    usual = [exceptional_discounts(world) for world in worlds]
    monkeypatch.setattr(polynomial_matrices, "_MANY_DIGITS", 0)  # now by interpolation, after a look at intervals
    for world, before in zip(worlds, usual, strict=True):
        after = exceptional_discounts(world)
        assert [found.discount for found in after.discounts] == [found.discount for found in before.discounts]
        after.verify()


def test_intervals_with_a_root_are_never_called_regular():
    (piece,) = K33.pieces
    assert not is_regular(piece)
    low, high, above = (AlgebraicNumber.rational(Fraction(x)) for x in ("0", "0.499", "0.501"))
    assert is_regular(replace(piece, lower=low, upper=high))
    assert not is_regular(replace(piece, lower=high, upper=above))


@pytest.mark.parametrize(
    ("variant", "found", "sides"),
    [
        ("deterministic", 0.8123443070559523, 1),
        ("deterministic", 0.8993368140079104, 1),
        ("teleport", 0.9522246844826827, -1),
    ],
)
def test_floats_agree_with_the_exceptional_discounts_of_four_rooms(variant, found, sides):
    """The exact search finds these; in the teleporting variant (``max_digits=2**22``, minutes) it has degree 90."""
    world, goals = four_rooms(variant), Goals.indicator(68)
    matrices = [solve(world.with_discount(found + gap), goals).test_matrix for gap in (-1e-4, 0.0, 1e-4)]
    before, there, after = (np.linalg.svd(matrix, compute_uv=False)[-1] for matrix in matrices)
    assert there < 1e-14 < 1e-8 < min(before, after)
    signs = [np.linalg.slogdet(matrix)[0] for matrix in matrices]
    assert signs[0] == sides * signs[2]  # the multiplicity is 2 in the deterministic variant
