"""What policies show: reshaped worlds have the same advantages, and verdicts survive a forger."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from proofs_checks import instances
from tabular_inversion import MDP, Goals, exact
from tabular_inversion.errors import DiscountError, GoalsError, KernelError, ShapeError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import Status, identify_from_policies, reshape_world

HALF = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
GOALS = ExactGoals([[0, 1], [2, 1]])
SHIFT = [["1/8", "-1/8"], [0, 0]]


def test_worlds_drawn_with_zeros_and_missing_actions():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        n, m = int(rng.integers(2, 4)), int(rng.integers(1, 4))
        weights = rng.integers(0, 3, (n, m, n))
        weights[..., 0] += weights.sum(axis=2) == 0
        available = rng.random((n, m)) < 0.8
        available[:, 0] = True
        kernel = instances.fractions_of(weights) * available[..., None]
        world = ExactMDP(kernel, instances.discount(rng), available)
        discounts = (world.discount, Fraction(1, 7))[: 1 + int(rng.integers(2))]
        known = available & (rng.random((n, m)) < 0.2)
        verdict = identify_from_policies(
            world, instances.generic_goals(rng, int(rng.integers(1, n + 1)), n), discounts=discounts, known=known
        )
        verdict.verify()
        seen.add(verdict.status)
        assert verdict.dimension <= n * (n - 1)
    assert seen == {Status.IDENTIFIED, Status.NOT_IDENTIFIED, Status.UNDECIDED}


def test_reshaping_twice_is_reshaping_once_and_can_be_undone():
    x, y = exact.fraction_array(SHIFT), exact.fraction_array([[0, 0], ["1/16", "-1/16"]])
    twice = reshape_world(reshape_world(HALF, x), y)
    # (I - gamma P'') = (I - gamma P)(I - gamma X)(I - gamma Y)
    assert twice == reshape_world(HALF, x + y - HALF.discount * (x @ y))


def test_floats_are_taken_as_they_are_and_a_policy_may_be_given():
    mdp = MDP([[[0.5, 0.5], [0.25, 0.75]], [[0.75, 0.25], [1.0, 0.0]]], 0.5)
    verdict = identify_from_policies(mdp, Goals([[0.0, 1.0]]), policy=[["1/2", "1/2"], [1, 0]])
    verdict.verify()
    assert verdict.status is Status.NOT_IDENTIFIED
    assert reshape_world(mdp, [["1/64", "-1/64"], [0, 0]]).discount == Fraction(1, 2)


def test_wrong_questions_are_refused():
    with pytest.raises(GoalsError, match="may end"):
        identify_from_policies(HALF, ExactGoals([[1, 0]], [[0, 1]]))
    with pytest.raises(ShapeError, match="3 states"):
        identify_from_policies(HALF, ExactGoals([[1, 0, 0]]))
    with pytest.raises(DiscountError, match="at least one"):
        identify_from_policies(HALF, GOALS, discounts=[])
    with pytest.raises(DiscountError):
        identify_from_policies(HALF, GOALS, discounts=[Fraction(1)])
    with pytest.raises(ShapeError, match="known"):
        identify_from_policies(HALF, GOALS, known=[[1, 0], [0, 0]])
    with pytest.raises(KernelError, match="sum to zero"):
        reshape_world(HALF, [[1, 0], [0, 0]])
    with pytest.raises(KernelError, match="out of the simplex"):
        reshape_world(HALF, [[5, -5], [0, 0]])


def test_forged_verdicts_are_refused():
    verdict = identify_from_policies(HALF, GOALS)
    for forged, field in (
        (replace(verdict, status=Status.IDENTIFIED, other=None), "status"),
        (replace(verdict, dimension=1), "dimension"),
        (replace(verdict, other=None), "other"),
        (replace(verdict, other=HALF), "other"),
        (replace(verdict, other=ExactMDP(HALF.kernel[:, ::-1], HALF.discount)), "advantages"),
    ):
        with pytest.raises(WitnessError, match=field):
            forged.verify()
