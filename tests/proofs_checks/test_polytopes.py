"""The brute-force oracle of the statement modules, and the enumerations, against answers that are known."""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest

from proofs_checks.digraphs import all_digraphs, generic_instance, random_edges, subsets
from proofs_checks.instance import Instance
from proofs_checks.polytopes import equivalent_rows, extreme_points, q_in, with_row
from tabular_inversion import exact
from tabular_inversion.exact import ExactGoals, ExactMDP


def test_extreme_points_of_a_square() -> None:
    # x + x' = 1 and y + y' = 1: the unit square.
    matrix = exact.fraction_array([[1, 1, 0, 0], [0, 0, 1, 1]])
    points = extreme_points(matrix, exact.fraction_array([1, 1]))
    assert {tuple(map(int, point)) for point in points} == {(1, 0, 1, 0), (1, 0, 0, 1), (0, 1, 1, 0), (0, 1, 0, 1)}


def test_an_empty_polytope_has_no_extreme_points() -> None:
    assert extreme_points(exact.fraction_array([[1, 1]]), exact.fraction_array([-1])).shape == (0, 2)


def test_degenerate_points_are_listed_once() -> None:
    matrix = exact.fraction_array([[1, 1, 1], [0, 1, 2], [0, 2, 4]])
    points = extreme_points(matrix, exact.fraction_array([1, 0, 0]))
    assert points.tolist() == [[1, 0, 0]]


def test_equivalent_rows_enclose_the_true_row_and_show_the_same_values() -> None:
    world = ExactMDP(
        exact.fraction_array([[["1/4", "1/2", "1/4"]], [["0", "1", "0"]], [["0", "0", "1"]]]), Fraction(1, 2)
    )
    instance = Instance(world, ExactGoals(exact.fraction_array([[0, 1, 3]])))
    points = equivalent_rows(instance, 0)
    assert len(points) == 2
    for point in points:
        assert np.array_equal(q_in(instance, with_row(world, 0, point)), instance.agent.q)
    wrong = with_row(world, 0, exact.fraction_array([1, 0, 0]))
    assert not np.array_equal(q_in(instance, wrong), instance.agent.q)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_digraphs_are_as_many_as_burnside_counts(n: int) -> None:
    rows = [row for row in product((False, True), repeat=n) if any(row)]
    labelled = [np.array(chosen) for chosen in product(rows, repeat=n)]
    orders = [np.ix_(order, order) for order in permutations(range(n))]
    fixed = sum(int((edges[order] == edges).all()) for edges in labelled for order in orders)
    assert len(list(all_digraphs(n))) * len(orders) == fixed


def test_drawn_instances_live_on_their_digraph() -> None:
    rng = np.random.default_rng(0)
    edges = random_edges(rng, 5, 0.3)
    instance = generic_instance(rng, edges, [0, 3], ending=True)
    assert edges.any(axis=1).all()
    assert np.array_equal(instance.world.kernel[:, 0] > 0, edges)
    assert instance.goals.continuation.sum() == 8
    assert len(list(subsets(3))) == 7
