"""Exceptional discounts by ball arithmetic: the exact ones, laws, what stays undecided, and wrong results."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from flint import arb

from tabular_inversion import Goals, Sparse, Stochastic, Unconstrained
from tabular_inversion.discounts import LongDeterminantError, certified_discounts, exceptional_discounts
from tabular_inversion.discounts.certified import CertifiedDiscount
from tabular_inversion.discounts.regularity import Part, expand
from tabular_inversion.discounts.value_polynomials import ValueRow
from tabular_inversion.environments import chain, four_rooms, graph
from tabular_inversion.errors import InputError, KernelClassError, ShapeError
from tabular_inversion.exact import ExactGoals, ExactMDP, evaluate, fraction_array
from tabular_inversion.exact.polynomials.roots import at
from tabular_inversion.identifiability import WitnessError
from tabular_inversion.plotting import plot_discounts


def thirds(n: int, m: int, seed: int) -> ExactMDP:
    """A random world whose rows go to two states with probabilities 1/3 and 2/3."""
    rng = np.random.default_rng(seed)
    kernel = np.full((n, m, n), Fraction(0), dtype=object)
    for s in range(n):
        for a in range(m):
            first, second = rng.choice(n, 2, replace=False)
            kernel[s, a, first], kernel[s, a, second] = Fraction(1, 3), Fraction(2, 3)
    return ExactMDP(kernel, 0)


def check_against_exact(world, goals=None, **options):
    """Every exact discount lies in a certified interval or is undecided, and every interval holds an exact one."""
    exact = exceptional_discounts(world, goals, **options)
    certified = certified_discounts(world, goals, **options)
    rest = list(exact.discounts)
    for found in certified.discounts:
        assert found.upper - found.lower < Fraction(1, 2**40)
        (there,) = (x for x in rest if found.lower < x.discount.refine(Fraction(1, 2**60)).lower < found.upper)
        assert there.multiplicity == 1
        assert (there.rank, there.rank_with_ones) in {
            (found.rank, found.rank_with_ones if found.rank_with_ones is not None else there.rank_with_ones)
        }
        rest.remove(there)
    for missed in rest:
        number = missed.discount.refine(Fraction(1, 2**60))
        assert missed.multiplicity > 1
        assert any(lower <= number.lower and number.upper <= upper for lower, upper in certified.undecided)
    assert len(certified.undecided) <= len(rest)
    return certified


K33 = certified_discounts(graph(nx.complete_bipartite_graph(3, 3)))
K32 = certified_discounts(graph(nx.complete_bipartite_graph(3, 2)))


@pytest.mark.parametrize(("a", "b"), [(3, 2), (3, 3), (4, 3), (5, 5)])
def test_complete_bipartite_graphs(a, b):
    certified = check_against_exact(graph(nx.complete_bipartite_graph(a, b)))
    (found,) = certified.discounts
    assert float(found) == pytest.approx(((a - 1) * (b - 1)) ** -0.5, abs=1e-12)
    assert found.rank_with_ones == (a + b if a != b else a + b - 1)  # sides of one size can be exchanged
    certified.verify()


def test_graphs_on_up_to_6_nodes():
    graphs = [g for g in nx.graph_atlas_g() if 3 <= len(g) <= 6 and nx.is_connected(g)]
    results = [check_against_exact(graph(g)) for g in graphs[::5]]
    assert any(result.discounts for result in results)


@pytest.mark.parametrize("seed", range(6))
def test_random_worlds_of_optimal_agents(seed):
    check_against_exact(thirds(4, 2, seed)).verify()


@pytest.mark.parametrize("terminating", [True, False])
def test_fixed_policies(terminating):
    for seed in range(4):
        world = thirds(4, 2, seed)
        policy = np.full((4, 2), Fraction(1, 2), dtype=object)
        check_against_exact(world, Goals.indicator(4, terminating=terminating), policy=policy).verify()


@pytest.mark.parametrize("seed", range(6))
def test_planted_roots(seed):
    """The last goal's rewards are chosen so that at 3/5 its row of M is that of the first goal."""
    rng = np.random.default_rng(seed)
    world = ExactMDP(thirds(4, 2, seed).kernel, Fraction(3, 5))
    goals = ExactGoals(rng.integers(-3, 4, (4, 4)), fraction_array(rng.integers(0, 2, (4, 4))))
    policy = fraction_array(rng.integers(1, 4, (4, 4, 2)))
    policy = policy / policy.sum(axis=2, keepdims=True)
    row = evaluate(world, goals, policy).test_matrix[0]
    later = world.discount * goals.continuation[-1] * np.einsum("sa,sat,t->s", policy[-1], world.kernel, row)
    goals = ExactGoals(np.concatenate([goals.rewards[:-1], (row - later)[None]]), goals.continuation)
    result = check_against_exact(world, goals, policy=policy)
    assert any(found.lower < Fraction(3, 5) < found.upper for found in result.discounts)
    result.verify()


def test_more_goals_than_states():
    world = thirds(4, 3, 1)
    goals = Goals.indicator(4).join(Goals.indicator(4, [0, 2], terminating=False))
    result = certified_discounts(world, goals)
    assert all(part.status != "root" for parts in result.parts for part in parts)
    exact = exceptional_discounts(world, goals)
    for found in exact.discounts:
        assert any(lower <= found.discount.lower <= upper for lower, upper in result.undecided)


def test_a_double_root_stays_undecided_in_a_narrow_interval():
    twice = nx.disjoint_union(nx.complete_bipartite_graph(3, 3), nx.complete_bipartite_graph(3, 3))
    result = check_against_exact(graph(twice))
    ((lower, upper),) = result.undecided
    assert lower < Fraction(1, 2) < upper < lower + Fraction(1, 2**20)
    assert not result.discounts
    result.verify()


def test_parts_are_gapless_and_classes_are_counted():
    parts = K33.parts[0]
    assert (parts[0].lower, parts[-1].upper) == (0, 1)
    assert all(before.upper == after.lower for before, after in pairwise(parts))
    assert (len(K33.for_class(Unconstrained())), len(K33.for_class(Stochastic()))) == (1, 1)
    assert (len(K32.for_class(Unconstrained())), len(K32.for_class(Stochastic()))) == (1, 0)
    assert K32.suffices_elsewhere(Stochastic())
    with pytest.raises(KernelClassError):
        K32.for_class(Sparse(2))


@pytest.mark.parametrize("width", [Fraction(1, 512), Fraction(1, 16), Fraction(1, 3)])
def test_expansions_hold_the_functions_and_their_slopes(width):
    """Each row is multiplied by one polynomial: quotients of its entries are those of the numerators."""
    piece = certified_discounts(thirds(5, 3, 0)).pieces[0]
    rows = [ValueRow.of([*row.numerators, row.denominator], row.denominator) for row in piece.rows]
    lower, upper = Fraction(3, 5), Fraction(3, 5) + width
    expansion = expand(rows, lower, upper)
    places = [-1.0, -0.25, 0.5, 1.0]
    held = []
    for t in places:
        values = sum((term * arb(t) ** k for k, term in enumerate(expansion.terms)), expansion.rest * arb(0, 1))
        held.append(values)
        x = (lower + upper) / 2 + Fraction(t) * (upper - lower) / 2
        for g, row in enumerate(rows):
            exact = [arb(at(p, x)) for p in row.numerators]
            for s in range(len(exact)):
                assert (values[g, s] * exact[-1] - values[g, len(exact) - 1] * exact[s]).contains(0)
                assert expansion.ball()[g, s].overlaps(values[g, s])
    for first, second in pairwise(range(len(places))):
        change = held[second] - held[first] - expansion.slope() * arb(places[second] - places[first])
        assert all(entry.contains(0) for entry in change.entries())


def test_few_intervals_leave_the_rest_undecided():
    result = certified_discounts(graph(nx.complete_bipartite_graph(3, 3)), max_intervals=3)
    assert not result.discounts
    assert result.undecided[-1][-1] == 1
    assert any(lower < Fraction(1, 2) < upper for lower, upper in result.undecided)
    assert f"undecided={len(result.undecided)}" in repr(result)
    result.verify()


def moved(result, **changes):
    return replace(result, discounts=(replace(result.discounts[0], **changes),))


def with_parts(result, parts):
    return replace(result, parts=(tuple(parts),))


WRONG = {
    "a forgotten root": lambda r: replace(r, discounts=()),
    "an invented root": lambda r: replace(
        r, discounts=(CertifiedDiscount(Fraction(1, 8), Fraction(1, 7), 5, 6), *r.discounts)
    ),
    "another place": lambda r: moved(r, lower=Fraction(2, 3), upper=Fraction(3, 4)),
    "another rank": lambda r: moved(r, rank=r.n_states - 2),
    "another rank with ones": lambda r: moved(r, rank_with_ones=None),
    "a root called regular": lambda r: with_parts(r, (replace(p, status="regular") for p in r.parts[0])),
    "a root forgotten among the parts": lambda r: replace(
        with_parts(r, (replace(p, status="regular") for p in r.parts[0])), discounts=()
    ),
    "regular called a root": lambda r: with_parts(r, (replace(p, status="root") for p in r.parts[0])),
    "a wide interval": lambda r: with_parts(r, [Part(Fraction(0), Fraction(1), "regular")]),
    "a gap": lambda r: with_parts(r, r.parts[0][:1] + r.parts[0][2:]),
    "no end": lambda r: with_parts(r, r.parts[0][:-1]),
    "no parts": lambda r: replace(r, parts=()),
    "rows in another order": lambda r: replace(r, pieces=(replace(r.pieces[0], rows=r.pieces[0].rows[::-1]),)),
    "half of the discounts": lambda r: replace(r, pieces=(replace(r.pieces[0], upper=r.pieces[0].lower),)),
}


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG.keys())
def test_wrong_results_are_rejected(damage):
    with pytest.raises(WitnessError):
        damage(K33).verify()


def test_a_gap_between_pieces_is_rejected():
    result = certified_discounts(thirds(4, 3, 3))
    assert len(result.pieces) > 2
    result.verify()
    with pytest.raises(WitnessError, match="pieces"):
        replace(
            result, pieces=result.pieces[:1] + result.pieces[2:], parts=result.parts[:1] + result.parts[2:]
        ).verify()


def test_unfit_questions_are_refused():
    with pytest.raises(InputError, match="give more goals"):
        certified_discounts(chain(4), Goals.indicator(4, [0, 1]))
    with pytest.raises(ShapeError):
        certified_discounts(chain(4), Goals.indicator(5))
    with pytest.raises(LongDeterminantError, match="certified_discounts"):
        exceptional_discounts(thirds(4, 2, 0), max_digits=20)


def test_pictures_and_plain_numbers():
    answer = K32.to_dict()
    assert answer["evidence"] == "certified"
    assert answer["undecided"] == []
    (found,) = answer["discounts"]
    assert Fraction(found["interval"][0]) ** 2 < Fraction(1, 2) < Fraction(found["interval"][1]) ** 2
    lines = [line.get_label() for line in plot_discounts(K32, points=20).lines if line.get_gid() == "exceptional"]
    assert lines == ["0.7071"]


@pytest.mark.slow
def test_windy_four_rooms_has_none():
    """Neither do its floats: det M keeps its sign, and the smallest singular value its distance from zero."""
    result = certified_discounts(four_rooms("windy"))
    assert (result.discounts, result.undecided) == ((), ())
    assert result.sigma_min(1 - np.geomspace(1, 1e-4, 20)).min() > 1e-5


@pytest.mark.slow
def test_the_root_of_teleporting_four_rooms():
    (found,) = certified_discounts(four_rooms("teleport")).discounts
    assert float(found) == pytest.approx(0.9522246844826827, abs=1e-12)
