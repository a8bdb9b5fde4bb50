"""What policies show: reshaped worlds have the same advantages, and verdicts survive a forger."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from proofs_checks import instances
from tabular_inversion import MDP, Goals, Stochastic, exact, identify, invert
from tabular_inversion.errors import (
    DiscountError,
    GoalsError,
    InputError,
    KernelError,
    PolicyError,
    ShapeError,
    WitnessError,
)
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import AdvantageValues, Status, identify_from_policies, reshape_world

HALF = ExactMDP([[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["2/3", "1/3"]]], "1/2")
GOALS = ExactGoals([[0, 1], [2, 1]])
SHIFT = [["1/8", "-1/8"], [0, 0]]


def drawn_world(rng, n, m):
    weights = rng.integers(0, 3, (n, m, n))
    weights[..., 0] += weights.sum(axis=2) == 0
    if rng.random() < 0.4:
        weights[:, -1] = weights[:, 0]
    available = rng.random((n, m)) < 0.8
    available[:, 0] = True
    return ExactMDP(instances.fractions_of(weights) * available[..., None], instances.discount(rng), available)


def check_family(verdict):
    """Along each direction, as far as entries stay positive or not, advantages are the same."""
    family, agent = verdict.family, verdict.agent
    assert family.shape == (verdict.dimension, *agent.world.kernel.shape)
    assert not family[:, ~agent.world.available].any()
    assert not family[:, verdict.known].any()
    if verdict.other is not None:
        step = (verdict.other.kernel - agent.world.kernel).reshape(1, -1)
        basis = family.reshape(verdict.dimension, step.shape[1])
        assert exact.rank(np.concatenate([basis, step])).rank == exact.rank(basis).rank == verdict.dimension


def test_worlds_drawn_with_zeros_and_missing_actions():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        n, m = int(rng.integers(2, 4)), int(rng.integers(1, 4))
        world = drawn_world(rng, n, m)
        discounts = (world.discount, Fraction(1, 7))[: 1 + int(rng.integers(2))]
        known = world.available & (rng.random((n, m)) < 0.2)
        goals = instances.generic_goals(rng, int(rng.integers(1, n + 1)), n)
        verdict = identify_from_policies(AdvantageValues.of(world, goals, discounts=discounts), known=known)
        verdict.verify()
        check_family(verdict)
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
    verdict = identify_from_policies(AdvantageValues.of(mdp, Goals([[0.0, 1.0]]), policy=[["1/2", "1/2"], [1, 0]]))
    verdict.verify()
    assert verdict.status is Status.NOT_IDENTIFIED
    assert reshape_world(mdp, [["1/64", "-1/64"], [0, 0]]).discount == Fraction(1, 2)


def test_wrong_questions_are_refused():
    with pytest.raises(GoalsError, match="may end"):
        AdvantageValues.of(HALF, ExactGoals([[1, 0]], [[0, 1]]))
    with pytest.raises(ShapeError, match="3 states"):
        AdvantageValues.of(HALF, ExactGoals([[1, 0, 0]]))
    with pytest.raises(DiscountError, match="at least one"):
        AdvantageValues.of(HALF, GOALS, discounts=[])
    with pytest.raises(DiscountError):
        AdvantageValues.of(HALF, GOALS, discounts=[Fraction(1)])
    with pytest.raises(ShapeError, match="known"):
        identify_from_policies(AdvantageValues.of(HALF, GOALS), known=[[1, 0], [0, 0]])
    with pytest.raises(InputError, match="shows is 'q'"):
        AdvantageValues.of(HALF, GOALS, "q")
    for shows in ("soft policies", "hard policies", "values"):
        with pytest.raises(PolicyError, match="choose themselves"):
            AdvantageValues.of(HALF, GOALS, shows, policy=[[1, 0], [1, 0]])
    with pytest.raises(GoalsError, match="all rewards"):
        AdvantageValues.of(HALF).shown()
    with pytest.raises(InputError, match="no linear family"):
        identify_from_policies(AdvantageValues.of(HALF, shows="values")).family  # noqa: B018 - it raises
    with pytest.raises(KernelError, match="sum to zero"):
        reshape_world(HALF, [[1, 0], [0, 0]])
    with pytest.raises(KernelError, match="out of the simplex"):
        reshape_world(HALF, [[5, -5], [0, 0]])


def test_forged_verdicts_are_refused():
    verdict = identify_from_policies(AdvantageValues.of(HALF, GOALS))
    for forged, field in (
        (replace(verdict, status=Status.IDENTIFIED, other=None), "status"),
        (replace(verdict, dimension=1), "dimension"),
        (replace(verdict, other=None), "other"),
        (replace(verdict, other=HALF), "other"),
        (replace(verdict, other=ExactMDP(HALF.kernel[:, ::-1], HALF.discount)), "advantages"),
    ):
        with pytest.raises(WitnessError, match=field):
            forged.verify()


def test_hard_soft_and_all_rewards():
    """Soft policies show as much as advantages; hard ones no more; finite soft goals prove nothing in fractions."""
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(30):
        n, m = int(rng.integers(2, 4)), int(rng.integers(1, 4))
        world = drawn_world(rng, n, m)
        goals = instances.generic_goals(rng, n, n)
        known = world.available & (rng.random((n, m)) < 0.3)
        kinds = ("advantages", "soft policies", "hard policies")
        every = {shows: identify_from_policies(AdvantageValues.of(world, None, shows), known=known) for shows in kinds}
        some = {shows: identify_from_policies(AdvantageValues.of(world, goals, shows), known=known) for shows in kinds}
        for verdict in (*every.values(), *some.values()):
            verdict.verify()
            assert verdict.other == every["advantages"].other
        status = every["advantages"].status
        assert status is every["soft policies"].status
        if status is Status.IDENTIFIED:
            assert every["hard policies"].status is some["soft policies"].status is Status.UNDECIDED
        seen.add(status)
    assert seen == {Status.IDENTIFIED, Status.NOT_IDENTIFIED}
    world = reshape_world(HALF, SHIFT)
    for shows, tolerance in (("soft policies", 1e-9), ("hard policies", 0), ("advantages", 0)):
        agent = AdvantageValues.of(HALF, GOALS, shows, discounts=[HALF.discount])
        np.testing.assert_allclose(
            *(np.asarray(shown[0], dtype=float) for shown in (agent.shown(), agent.shown(world))), atol=tolerance
        )
    assert (np.asarray(AdvantageValues.of(HALF, GOALS, "soft policies").shown()[0]).sum(axis=2).round(9) == 1).all()


def brute_force_hulls(world, known):
    """Whether rows of some state can change, or be exchanged, without a change of its hull, row by row."""
    for state in range(world.n_states):
        actions = np.flatnonzero(world.available[state])
        rows = [tuple(row) for row in world.kernel[state, actions]]
        if len(set(rows)) == 1:
            continue
        unknown = [i for i, a in enumerate(actions) if not known[state, a]]
        for i in unknown:
            others = exact.fraction_array([r for k, r in enumerate(rows) if k != i])
            ones = exact.fraction_array(np.ones((1, len(others)), int))
            right = exact.fraction_array([*rows[i], 1])
            if exact.find_nonnegative_solution(np.concatenate([others.T, ones]), right).solution is not None:
                return True
        if len({rows[i] for i in unknown}) > 1:
            return True
    return False


def test_values_alone_show_hulls():
    rng = np.random.default_rng(2)
    seen = set()
    for _ in range(40):
        n, m = int(rng.integers(2, 4)), int(rng.integers(1, 5))
        world = drawn_world(rng, n, m)
        known = world.available & (rng.random((n, m)) < rng.choice([0.0, 0.5, 0.8]))
        verdict = identify_from_policies(AdvantageValues.of(world, shows="values"), known=known)
        verdict.verify()
        assert (verdict.status is Status.NOT_IDENTIFIED) == brute_force_hulls(world, known)
        seen.add(verdict.status)
        goals = instances.generic_goals(rng, 2, n)
        given = identify_from_policies(AdvantageValues.of(world, goals, "values"), known=known)
        given.verify()
        assert given.status is (Status.UNDECIDED if verdict.other is None else Status.NOT_IDENTIFIED)
    assert seen == {Status.IDENTIFIED, Status.NOT_IDENTIFIED}
    rows = [["1", "0"], ["0", "1"], ["1/2", "1/2"], ["1/4", "3/4"]]
    four = ExactMDP([rows, rows], "1/2")
    verdict = identify_from_policies(AdvantageValues.of(four, shows="values"))
    assert verdict.dimension == 4  # two rows in each segment
    for wrong in (
        [["1", "0"], ["1/2", "1/2"], ["1/2", "1/2"], ["1/4", "3/4"]],  # a smaller hull
        [["1", "0"], ["1/8", "7/8"], ["1/2", "1/2"], ["1/4", "3/4"]],
    ):
        with pytest.raises(WitnessError, match="other values"):
            replace(verdict, other=ExactMDP([wrong, rows], "1/2")).verify()


def test_identify_refuses_what_is_no_q():
    agent = AdvantageValues.of(HALF, GOALS)
    for question in (identify, invert):
        with pytest.raises(InputError) as refused:
            question(agent, Stochastic())
        assert "AdvantageValues" in str(refused.value)
        assert "\n" not in str(refused.value)
