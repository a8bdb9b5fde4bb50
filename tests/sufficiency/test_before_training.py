"""What is said before training against fractions, both ways: one world with generic numbers on the graph decides."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import MDP, Goals, Sparse, Stochastic, Supported
from tabular_inversion.exact import ExactMDP
from tabular_inversion.identifiability import Status
from tabular_inversion.sufficiency import concrete, generic, structural

LARGE = 10**6
SEEDS = (18, 248, 333)
"""Of worlds in which the even policy over sure moves sees less than almost every policy does."""

DISCOUNTS = ("1/12", "1/3", "1/2", "9/10", "99/100")


def shares(weights):
    """Rows of whole numbers over their sums, in fractions."""
    return weights * np.vectorize(Fraction, otypes=[object])(1) / weights.sum(axis=-1, keepdims=True)


def random_support(rng, n, m):
    """Which states each action may lead to: one or few, so that different policies see different ranks."""
    support = rng.random((n, m, n)) < rng.uniform(0, 0.35) * rng.integers(2)
    if rng.random() < 0.3:
        support[..., n - 1] = False  # as a rule nothing reaches the last state
    first = np.arange(n) == rng.integers(0, n, (n, m))[..., None]
    return support | (first & ~support.any(axis=2, keepdims=True))


def random_goals(rng, support):
    """Indicator goals that end on arrival, or goals that pay in several states and end in some of those."""
    n, entered = support.shape[2], np.flatnonzero(support.any(axis=(0, 1)))
    k = int(rng.integers(1, len(entered) + 1))
    if rng.integers(2):
        return Goals.indicator(n, rng.choice(entered, k, replace=False))
    rewards = (rng.random((k, n)) < 0.4) * rng.integers(1, LARGE, (k, n))
    rewards[np.arange(k), rng.choice(entered, k)] = rng.integers(1, LARGE, k)
    return Goals(rewards.astype(float), 1.0 - ((rewards != 0) & (rng.random((k, n)) < 0.5)))


def random_policies(rng, k, n, m):
    """Optimal agents; the even policy; one that never takes some actions; one for each goal."""
    some, own = rng.integers(0, 3, (n, m)), rng.integers(0, 3, (k, n, m))
    for weights in (some, own):
        weights[..., 0] += weights.sum(axis=-1) == 0
    return {"optimal": "optimal", "even": shares(np.ones((n, m), int)), "some": shares(some), "own": shares(own)}


def random_class(rng, support):
    """The support, a support for all actions together, sparse rows, or any distribution."""
    together = np.broadcast_to(support.any(axis=1, keepdims=True), support.shape)
    return (None, Supported(together), Sparse(2), Stochastic())[int(rng.integers(4))]


def sides(seed, *, generic_instead=False):
    """How often each answer before training met each answer of a world: {(function, policy, before, there): rows}.

    With `generic_instead` a given policy is taken for almost every policy on its actions, which is wrong (G1).
    """
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    support = random_support(rng, n, m)
    goals, kernel_class = random_goals(rng, support), random_class(rng, support)
    kernel = shares(support * rng.integers(1, LARGE, support.shape))
    world = ExactMDP(kernel, Fraction(DISCOUNTS[rng.integers(len(DISCOUNTS))]))
    met = Counter()
    for name, policy in random_policies(rng, goals.n_goals, n, m).items():
        there = concrete(world, goals, kernel_class, policy=policy, limit_denominator=LARGE * n)
        given = policy if isinstance(policy, str) else policy.astype(float)
        if generic_instead and name in ("even", "some"):
            given = np.asarray(policy > 0, dtype=bool)
        for judge, settle in ((structural, {}), (structural, {"settle": True}), (generic, {})):
            before = judge(world.to_float(), goals, kernel_class, policy=given, **settle)
            pairs = zip(before.row_status.ravel().tolist(), there.row_status.ravel().tolist(), strict=True)
            met.update((judge.__name__, name, Status(x).name, Status(y).name) for x, y in pairs)
    return met


def contradictions(met):
    """What was said before training and is not so in the world, or the other way round."""
    opposite = {("IDENTIFIED", "NOT_IDENTIFIED"), ("NOT_IDENTIFIED", "IDENTIFIED")}
    return {key: count for key, count in met.items() if key[2:] in opposite}


def test_answers_before_training_hold_in_generic_worlds_and_both_answers_occur():
    met = sum((sides(seed) for seed in range(25)), Counter())
    assert contradictions(met) == {}
    for name in ("optimal", "even", "some", "own"):
        for status in ("IDENTIFIED", "NOT_IDENTIFIED"):
            assert met["generic", name, status, status] > 0


@pytest.mark.slow
def test_answers_before_training_hold_in_many_generic_worlds():
    met = sum((sides(seed) for seed in range(100, 1100)), Counter())
    assert contradictions(met) == {}
    assert sum(met.values()) > 60_000


@pytest.mark.parametrize("judge", ["structural", "generic"])
def test_the_campaign_notices_a_given_policy_that_is_taken_for_a_generic_one(judge):
    met = sum((sides(seed, generic_instead=True) for seed in SEEDS), Counter())
    assert any(key[0] == judge and key[2:] == ("IDENTIFIED", "NOT_IDENTIFIED") for key in contradictions(met))


@pytest.mark.parametrize(("policy", "words"), [("optimal", "optimal agents"), ("uniform", "the uniform policy")])
def test_answers_name_the_policy(policy, words):
    world = MDP(np.full((3, 2, 3), 1 / 3), 0.5)
    for judge in (structural, generic):
        assert words in repr(judge(world, [0, 1], policy=policy))
    given = "optimal agents" if policy == "optimal" else "a given policy"
    assert given in repr(concrete(world, [0, 1], policy=policy))
