"""The arithmetic that several statements share: thresholds without roots, limits in fractions, sums of exponentials."""

from fractions import Fraction

import numpy as np
import pytest

from proofs_checks import instances
from proofs_checks.p1_gaussian_goal import sums_of_exponentials_differ
from proofs_checks.polynomials import adjugate, determinant, identity, symbol_arrays, vanishes
from proofs_checks.rational_norms import constant_power, is_below, least_distance_power, power
from proofs_checks.t1_closed_form import limit
from tabular_inversion import exact
from tabular_inversion.error_bounds import perturbation_constant


@pytest.mark.parametrize("constant", [1, 2, 3, 4])
@pytest.mark.parametrize("gamma", [Fraction(0), Fraction(1, 2), Fraction(9, 10)])
def test_the_threshold_of_the_two_norm_is_decided_on_both_sides_of_the_irrational_number(constant, gamma):
    eps = Fraction(3, 7)
    threshold = 2 * (1 + float(gamma) * constant**0.5) * float(eps)
    for share in (1 - 1e-9, 1 + 1e-9):
        distance = Fraction(threshold * share)
        assert is_below(distance**2, eps**2, Fraction(constant), gamma, 2) is (share > 1)


def test_the_threshold_itself_is_not_below():
    half = Fraction(1, 2)
    assert not is_below(Fraction(3), Fraction(1), Fraction(1), half, 1)
    assert not is_below(Fraction(16), Fraction(1), Fraction(4), half, 2)  # 4 = 2 (1 + 2 / 2)
    assert is_below(Fraction(16) + Fraction(1, 10**9), Fraction(1), Fraction(4), half, 2)


def test_norms_agree_with_floats():
    generator = np.random.default_rng(0)
    matrix = exact.fraction_array(generator.integers(-9, 10, (3, 5)))
    floats = matrix.astype(float)
    for norm, order in ((0, np.inf), (1, 1), (2, 2)):
        root = 1 if norm == 0 else 1 / norm
        np.testing.assert_allclose(power(matrix, norm).astype(float) ** root, np.linalg.norm(floats, order, axis=0))
        gaps = [np.linalg.norm(floats[:, i] - floats[:, j], order) for i in range(5) for j in range(i)]
        np.testing.assert_allclose(float(least_distance_power(matrix, norm)) ** root, min(gaps))


def test_the_constant_is_that_of_the_package_for_each_kind_of_agent():
    ends = exact.fraction_array([[1, "1/2"], ["1/2", 1], [0, 1]])
    goals = exact.ExactGoals(exact.fraction_array(np.ones((3, 2), int)), ends)
    kernel = np.full((2, 2, 2), Fraction(1, 2))
    kernel[1, 1] = Fraction(0)
    world = exact.ExactMDP(kernel, "1/2", [[True, True], [True, False]])
    shared, own = (
        np.array([["1/3", "2/3"], [1, 0]]),
        np.array([[[1, 0], [1, 0]], [[0, 1], [1, 0]], [["1/2"] * 2, [1, 0]]]),
    )
    agents = [exact.solve(world, goals), exact.evaluate(world, goals, shared), exact.evaluate(world, goals, own)]
    for agent in agents:
        for norm, order in ((0, np.inf), (1, 1), (2, 2)):
            found = float(constant_power(agent, norm)) ** (1 if norm == 0 else 1 / norm)
            np.testing.assert_allclose(found, perturbation_constant(agent.to_float(), norm=order), rtol=1e-14)


def test_limits_in_fractions_are_those_of_the_pseudo_inverse_for_every_rank():
    generator = np.random.default_rng(1)
    for k, n, rank in ((2, 3, 1), (2, 3, 2), (4, 3, 3), (3, 4, 2)):
        factors = generator.integers(-3, 4, (k, rank)), generator.integers(-3, 4, (rank, n))
        matrix, truth, start = factors[0] @ factors[1], generator.random((n, 2)), generator.random((n, 2))
        found = limit(
            exact.fraction_array(matrix),
            exact.fraction_array(matrix) @ exact.fraction_array(truth, allow_float=True),
            exact.fraction_array(start, allow_float=True),
        )
        inverse = np.linalg.pinv(matrix)
        expected = inverse @ matrix @ truth + start - inverse @ matrix @ start
        np.testing.assert_allclose(found.astype(float), expected, atol=1e-12)


def test_sums_of_exponentials_are_compared_by_their_powers():
    one, two = Fraction(1), Fraction(2)
    assert sums_of_exponentials_differ([one, two, -one], [one, two, one])
    assert not sums_of_exponentials_differ([one, two, -one, -two], [one, two, one, two])


def test_the_adjugate_of_symbols_inverts_up_to_the_determinant():
    a = symbol_arrays(a=(3, 3))["a"]
    assert vanishes(adjugate(a) @ a - identity(3) * determinant(a))
    assert not vanishes(adjugate(a) @ a)


def test_instances_are_hard_by_default():
    """Discount 0 and near 1, a state that nothing reaches, actions alike, actions never taken, several actions."""
    rng, seen = np.random.default_rng(0), set()
    for _ in range(200):
        n, m = instances.sizes(rng, largest=5)
        world = instances.world(rng, n, m)
        policy = instances.policy(rng, n, m)
        assert (policy.sum(axis=1) == 1).all()
        assert (world.kernel.sum(axis=2) == 1).all()
        seen |= {f"discount {world.discount}"} & {"discount 0", "discount 99/100"}
        seen |= {"unreached"} if (world.kernel == 0).all(axis=(0, 1)).any() else set()
        seen |= {"ties"} if m > 1 and (world.kernel[:, 0] == world.kernel[:, 1]).all() else set()
        seen |= {"untaken"} if m > 1 and (policy == 0).any() else set()
        seen |= {f"{m} actions"}
    assert seen == {
        "discount 0",
        "discount 99/100",
        "unreached",
        "ties",
        "untaken",
        "1 actions",
        "2 actions",
        "3 actions",
    }
