"""Float verdicts against exact ones: no row may be decided differently, certified or numeric.

Worlds, goals, discount and policy are numbers that floats hold exactly, so that floats judge the same question; the
values are then rounded. Goals and states are paid in units from 2^-60 to 2^60, probabilities rare, discounts near 1.
"""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import (
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    exact,
    identify,
    invert,
)
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.identifiability import Evidence, Status
from tabular_inversion.identifiability.accuracy import entry_errors
from tabular_inversion.inversion import result as inversion
from tabular_inversion.recovery.equations import TINY, UNIT
from tabular_inversion.recovery.misfits import explains
from tabular_inversion.recovery.system import RowSystem

KINDS = ("plain", "degenerate", "near-singular", "goal units", "state units", "constants", "rare")
NEAR_ONE = [1 - Fraction(1, 2**e) for e in (3, 7, 20, 30)]


def rewards_of(kind, rng, k, n):
    """Integer rewards, with what the kind says done to them; all floats hold exactly."""
    whole = rng.integers(-9, 10, (k, n))
    rewards = np.array([[Fraction(int(x)) for x in row] for row in whole], dtype=object)
    if kind in {"degenerate", "near-singular"}:
        if rng.random() < 0.5:
            rewards[-1] = rewards[0]
        else:
            rewards[:, -1] = rewards[:, 0]
    if kind == "near-singular":
        rewards[-1, -1] += Fraction(1, 2 ** int(rng.integers(20, 48)))
    if kind == "goal units":
        rewards = rewards * np.array([[Fraction(2) ** int(e)] for e in rng.integers(-60, 61, k)], dtype=object)
    if kind == "state units":
        rewards = rewards * np.array([Fraction(2) ** int(e) for e in rng.integers(-60, 61, n)], dtype=object)
    if kind == "constants":
        rewards = rewards + np.array([[Fraction(2) ** int(e)] for e in rng.integers(10, 48, k)], dtype=object)
    return rewards


def rows_of(kind, rng, n, m, branching):
    """Rows with random supports; where they are rare, some entries are as small as 1e-3 to 1e-11."""
    kernel = np.empty((n, m, n), dtype=object)
    for s in range(n):
        for a in range(m):
            weights = [Fraction(int(w)) for w in rng.integers(1, 5, n)]
            if kind == "rare":
                weights = [w / 10 ** int(e) for w, e in zip(weights, rng.choice([0, 3, 7, 10, 11], n), strict=True)]
            chosen = rng.permutation(n)[: int(rng.integers(1, branching + 1))]
            total = sum(weights[i] for i in chosen)
            kernel[s, a] = [weights[i] / total if i in chosen else Fraction(0) for i in range(n)]
    return kernel


def draw(rng):
    kind = KINDS[rng.integers(len(KINDS))]
    n, m, k = int(rng.integers(1, 5)), int(rng.integers(1, 3)), int(rng.integers(1, 5))
    branching = int(rng.integers(1, n + 1))
    discount = Fraction(int(rng.integers(0, 16)), 16) if rng.random() < 0.8 else NEAR_ONE[rng.integers(4)]
    world = ExactMDP(rows_of(kind, rng, n, m, branching), discount)
    continuation = None
    if rng.random() < 0.3:
        continuation = [[Fraction(int(x)) for x in row] for row in rng.integers(0, 2, (k, n))]
    goals = ExactGoals(rewards_of(kind, rng, k, n), continuation)
    given = [[[Fraction(1, 4), Fraction(3, 4)][:m] if m == 2 else [Fraction(1)]][0]] * n
    agent = exact.solve(world, goals) if rng.random() < 0.5 else exact.evaluate(world, goals, given)
    classes = [Unconstrained(), Stochastic(), Supported(world.kernel != 0), Sparse(branching)]
    kernel_class = Deterministic() if branching == 1 else classes[rng.integers(len(classes))]
    return kind, world, agent, kernel_class, ("instance", "uniform")[rng.integers(2)]


def errors(system, truth, found):
    """Return errors of rows, each beside what uncertainty and rounding in its system, on its support, can make it.

    Zero for rows that do not explain their values: least squares in the units of Q may miss a certain goal for the sake
    of one that is uncertain.
    """
    matrix, n = system.matrix, system.n_states
    result, fits = np.zeros(len(truth)), explains(system, found)
    for row in np.flatnonzero(fits):
        p, other = truth[row], found[row]
        on = np.abs(p) > 0 if system.sums_to_one else np.ones(n, bool)
        unit = np.maximum(np.abs(matrix[:, on]).max(axis=0), TINY)
        if np.linalg.cond(matrix[:, on] / unit) > 1e13:
            continue  # floats cannot say what the inverse of such a matrix allows
        inverse = np.abs(np.linalg.pinv(matrix[:, on] / unit, rcond=0.0)) / unit[:, None]
        weight = np.abs(p) + np.abs(other)
        solved = 20 * sum(matrix.shape) * UNIT
        missed = (1.01 * system.uncertainty + solved * np.abs(matrix)) @ weight
        missed += 2.02 * system.value_uncertainty[:, row] + solved * np.abs(system.values[:, row])
        missed += np.abs(matrix[:, ~on]) @ np.abs(other[~on])  # weight that is taken as zero moves the rest
        result[row] = (np.abs(p - other)[on] / (inverse @ missed + UNIT)).max()
    return result


def compare(seed, instances):
    """Return counts of rows by (kind, class, scope, float status, evidence, exact status), and the largest error.

    Errors of rows that are called identified are in units of what the data allow. They are within the accuracy stated.
    """
    rng = np.random.default_rng(seed)
    counts, worst, accuracies = Counter(), 0.0, []
    for _ in range(instances):
        kind, world, agent, kernel_class, scope = draw(rng)
        exactly = identify(agent, kernel_class, scope=scope)
        floats = agent.to_float()
        if scope == "instance":
            found = invert(floats, kernel_class)
            verdict, truth = found.verdict, world.to_float().kernel
            kernel = found.kernel if isinstance(found.kernel, np.ndarray) else found.kernel.toarray()
            pairs = (array.reshape(-1, truth.shape[2]) for array in (truth, kernel))
            identified = verdict.row_status.ravel() == Status.IDENTIFIED
            error = errors(RowSystem.of_agent(floats, sums_to_one=kernel_class.sums_to_one), *pairs)
            worst = max(worst, float(error[identified].max(initial=0.0)))
            missed, stated = exact_errors(world.kernel, kernel)[identified], found.accuracy.ravel()[identified]
            assert (missed <= stated).all(), (kind, kernel_class, missed, stated)
            accuracies += [(kind, number) for number in stated]
        else:
            verdict = identify(floats, kernel_class, scope=scope)
        parts = (exactly.row_status.flat, verdict.row_status.flat, verdict.row_evidence.flat)
        for e, f, strength in zip(*parts, strict=True):
            counts[kind, kernel_class.name, scope, Status(f).name, Evidence(strength).name, Status(e).name] += 1
    plain = [number for kind, number in accuracies if kind == "plain"]
    # Where M is exact, fractions may have decided what no float bounds.
    assert np.isfinite([number for _, number in accuracies]).mean() > 0.998
    assert np.quantile(plain, 0.8) < 1e-10
    return counts, worst


def exact_errors(truth, found):
    """Return ``max |p - p*|`` of each row, a fraction."""
    rows = zip(truth.reshape(-1, truth.shape[-1]), found.reshape(-1, truth.shape[-1]), strict=True)
    worst = [max(abs(Fraction(float(x)) - y) for x, y in zip(p, true, strict=True)) for true, p in rows]
    return np.array(worst, dtype=object)


def judge(counts, undecided=0.25):
    for (kind, name, scope, floats, evidence, exactly), number in counts.items():
        assert floats in {"UNDECIDED", exactly}, (kind, name, scope, floats, evidence, exactly, number)
    total = sum(number for key, number in counts.items() if key[0] == "plain")
    open_rows = sum(number for key, number in counts.items() if key[0] == "plain" and key[3] == "UNDECIDED")
    assert open_rows <= undecided * total, (open_rows, total)


@pytest.mark.parametrize("chunk", range(4))
def test_floats_never_decide_a_row_differently(chunk):
    counts, worst = compare([51, chunk], 150)
    judge(counts)
    assert worst < 1.0
    assert {key[0] for key in counts} == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(40))
def test_floats_never_decide_a_row_differently_at_length(chunk):
    counts, worst = compare([52, chunk], 2000)
    judge(counts)
    assert worst < 1.0


def in_other_units(rng, agent):
    """The same agent, each goal paid in another unit: a power of two, so that no digit changes."""
    factors = np.ldexp(1.0, rng.integers(-60, 61, (agent.n_goals, 1)))
    goals = Goals(agent.goals.rewards * factors, agent.goals.continuation)
    return replace(agent, q=agent.q * factors[:, :, None], goals=goals)


def check_units(seed, instances):
    """Decide in two units; neither status nor evidence, rank or accuracy of what is decided may depend on them."""
    rng = np.random.default_rng(seed)
    for _ in range(instances):
        kind, _, agent, kernel_class, scope = draw(rng)
        floats = agent.to_float()
        if rng.random() < 0.2:  # values that perhaps nothing explains
            floats = floats.with_noise(float(10.0 ** -rng.integers(1, 16)), seed=rng)
        first, second = (
            identify(values, kernel_class, scope=scope) for values in (floats, in_other_units(rng, floats))
        )
        for name in ("row_status", "row_evidence", "rank", "sigma_min"):
            one, other = getattr(first, name), getattr(second, name)
            np.testing.assert_array_equal(one, other, err_msg=f"{kind} {kernel_class!r} {scope} {name}")


@pytest.mark.parametrize("chunk", range(2))
def test_the_unit_of_a_goal_changes_nothing_at_all(chunk):
    check_units([53, chunk], 200)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(10))
def test_the_unit_of_a_goal_changes_nothing_at_all_at_length(chunk):
    check_units([54, chunk], 2000)


def check_constants(seed, instances):
    """Pay a constant beside a goal's rewards, wherever one arrives: what was decided is not decided differently."""
    rng, compared = np.random.default_rng(seed), 0
    while instances > 0:
        _, world, agent, kernel_class, scope = draw(rng)
        rewards, continuation = agent.goals.rewards, agent.goals.continuation
        if len(set(map(tuple, continuation.T.tolist()))) > 1:
            continue  # the constant counts more in one state than in another
        constants = np.array([[Fraction(2) ** int(e)] for e in rng.integers(0, 48, len(rewards))], dtype=object)
        if any(Fraction(float(x)) != x for x in (rewards + constants).flat):
            continue  # floats would be given other rewards
        instances -= 1
        goals = ExactGoals(rewards + constants, continuation)
        moved = exact.solve(world, goals) if agent.policy is None else exact.evaluate(world, goals, agent.policy)
        first, second = (identify(values.to_float(), kernel_class, scope=scope) for values in (agent, moved))
        decided = (first.row_status != Status.UNDECIDED) & (second.row_status != Status.UNDECIDED)
        if not isinstance(kernel_class, Unconstrained):  # whose rows are not told their sum
            np.testing.assert_array_equal(first.row_status[decided], second.row_status[decided])
            compared += int(decided.sum())
    assert compared > 100


@pytest.mark.parametrize("chunk", range(2))
def test_a_constant_reward_flips_no_verdict(chunk):
    check_constants([55, chunk], 100)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(10))
def test_a_constant_reward_flips_no_verdict_at_length(chunk):
    check_constants([56, chunk], 1000)


def test_an_accuracy_that_is_too_small_is_caught(monkeypatch):
    monkeypatch.setattr(inversion, "entry_errors", lambda *arguments: 1e-3 * entry_errors(*arguments))
    with pytest.raises(AssertionError):
        compare([51, 0], 150)


def test_the_accuracy_covers_rows_that_miss_their_values():
    """It is about the rows at hand, not about those that a solver should have found."""
    rng = np.random.default_rng(57)
    covered = 0
    for _ in range(150):
        _, world, agent, kernel_class, _ = draw(rng)
        found = invert(agent.to_float(), kernel_class)
        kernel = found.kernel if isinstance(found.kernel, np.ndarray) else found.kernel.toarray()
        share = 10.0 ** -float(rng.integers(0, 14))
        moved = (1.0 - share) * kernel + share * rng.permuted(kernel, axis=-1)
        if isinstance(kernel_class, Supported) or found.verdict.status is Status.INCONSISTENT:
            continue
        again = replace(found, kernel=moved)
        identified = found.verdict.row_status.ravel() == Status.IDENTIFIED
        missed = exact_errors(world.kernel, moved)[identified]
        assert (missed <= again.accuracy.ravel()[identified]).all()
        covered += int((missed > Fraction(1, 10**12)).sum())
    assert covered > 50


def test_a_row_decided_differently_is_caught():
    right = Counter({("plain", "stochastic", "instance", "IDENTIFIED", "CERTIFIED", "IDENTIFIED"): 9})
    judge(right)
    wrong = Counter({("rare", "stochastic", "instance", "IDENTIFIED", "NUMERIC", "NOT_IDENTIFIED"): 1})
    with pytest.raises(AssertionError, match="rare"):
        judge(right + wrong)
