"""Ensembles: intervals that hold the truth, sets to plan over, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from tabular_inversion import (
    AgentValues,
    Deterministic,
    Goals,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    identify,
    invert,
    invert_ensemble,
    policies,
    robust,
    solve,
    training_needed,
)
from tabular_inversion.ensembles import Ensemble, bootstrap, sampling_noise
from tabular_inversion.environments import random_mdp, river_swim
from tabular_inversion.errors import AgentValuesError, InputError, TabularInversionError
from tabular_inversion.learning import SeedBatch, Simulator


def noisy_members(exact, count, scale, *, seed, correlated=False):
    """Members whose errors are normal, of uneven size; or the same error in all values of a goal, and a little more."""
    rng = np.random.default_rng(seed)
    sizes = scale * np.exp(rng.normal(size=exact.q.shape))
    errors = sizes * rng.normal(size=(count, *exact.q.shape))
    if correlated:
        errors = scale * (rng.normal(size=(count, exact.n_goals, 1, 1)) + 0.1 * errors / sizes)
    return [replace(exact, q=exact.q + error, report=None) for error in errors]


def hits(seeds, level, *, narrow=1.0, correlated=False):
    """Count, over seeds, whether one drawn entry of the kernel lies in its interval."""
    inside = 0
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        n = int(rng.integers(2, 6))
        world = random_mdp(n, 2, discount=float(rng.choice([0.0, 0.5, 0.95])), seed=seed)
        exact = evaluate(
            world, Goals.generic(n, n + int(rng.integers(0, 4)), seed=seed), policies.uniform(world.available)
        )
        count = int(rng.choice([2, 3, 5, 10]))
        found = invert_ensemble(noisy_members(exact, count, 1e-5, seed=seed, correlated=correlated), Stochastic())
        entry = (int(rng.integers(n)), int(rng.integers(2)), int(rng.integers(n)))
        half = narrow * found.ensemble.quantile(level) * found.error[entry]
        inside += bool(abs(found.centre[entry] - world.kernel[entry]) <= half)
    return inside


def wrong_rate(inside, count, level):
    """Whether an exact binomial test at 1e-6 finds that intervals do not hold the truth as often as stated."""
    return binomtest(inside, count, level).pvalue < 1e-6


@pytest.mark.parametrize("correlated", [False, True])
def test_intervals_hold_the_truth_as_often_as_stated(correlated):
    count = 150
    assert not wrong_rate(hits(range(count), 0.9, correlated=correlated), count, 0.9)


@pytest.mark.slow
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_intervals_hold_the_truth_as_often_as_stated_in_many_worlds(level, correlated):
    assert not wrong_rate(hits(range(2000), level, correlated=correlated), 2000, level)


def test_an_interval_that_is_too_narrow_is_caught():
    assert wrong_rate(hits(range(150), 0.9, narrow=0.4), 150, 0.9)


def test_learners_of_every_rule_are_covered():
    world = river_swim(4, discount=0.8).dense()
    goals = Goals.indicator(4)
    for rule in ("q-learning", "sarsa", "fitted-q"):
        batch = SeedBatch(Simulator(world), goals, 0.8, rule=rule, learners=60, seed=1)
        batch.run(600)
        agents = batch.agents
        inside = []
        for start in range(0, 60, 10):
            found = invert_ensemble(agents[start : start + 10], Supported.of(world))
            lower, upper = found.interval(0.9)
            open_entries = (world.kernel > 0) & (world.kernel < 1)
            inside.append(((lower <= world.kernel) & (world.kernel <= upper))[open_entries].mean())
        assert 0.8 < np.mean(inside) < 0.98, rule


def test_joint_intervals_contain_single_ones_and_the_robust_plan_holds_the_truth():
    world = river_swim(5, discount=0.9).dense()
    goals = Goals.indicator(5)
    batch = SeedBatch(Simulator(world), goals, 0.9, rule="fitted-q", learners=20, seed=0)
    batch.run(2000)
    found = invert_ensemble(batch.agents, Stochastic())
    one, row, whole = (found.interval(0.95, joint=joint) for joint in ("entry", "row", "kernel"))
    assert (whole.lower <= row.lower + 1e-15).all()
    assert (row.lower <= one.lower + 1e-15).all()
    assert found.contains(world, 0.95, joint="kernel").all()
    task = Goals([[0.0, 0.0, 0.3, 0.0, 1.0]])
    assert np.abs(found.to_mdp().kernel - world.kernel).max() < 0.02
    planned = robust(found.sets(0.95), task)
    true = solve(world, task).v[0]
    assert (planned.lower <= true).all()
    assert (true <= planned.upper).all()
    assert np.ptp(planned.gap) < 10


def test_interval_sets_against_linear_programs():
    from scipy.optimize import linprog

    rng = np.random.default_rng(0)
    world = random_mdp(5, 2, discount=0.9, seed=0)
    found = invert_ensemble(noisy_members(solve(world, Goals.generic(5, 6, seed=0)), 5, 1e-3, seed=0), Stochastic())
    sets = found.sets(0.9)
    weights = rng.normal(size=5)
    ends = sets.functional_bounds(weights)
    rows = np.arange(10)
    for sign, end in ((1, ends.lower), (-1, ends.upper)):
        for row in rows:
            box = list(zip(sets.lower[row], sets.upper[row], strict=True))
            best = linprog(sign * weights, A_eq=np.ones((1, 5)), b_eq=[1.0], bounds=box).fun
            np.testing.assert_allclose(sign * best, end.ravel()[row], atol=1e-9)
    assert sets.contains(sets.nearest(np.full(5, 0.2))).all()
    assert sets.contains(sets.extreme_kernel(weights, largest=True)).all()
    assert not sets.contains(np.tile(np.eye(5)[0], (5, 2, 1))).all()


@pytest.mark.parametrize("count", [0, 1])
def test_one_member_is_refused_with_the_reason(count):
    agent = solve(river_swim(3), Goals.indicator(3))
    with pytest.raises(InputError, match=r"an ensemble of (1: one agent shows no spread|none)"):
        invert_ensemble([agent] * count, Stochastic())


def test_members_that_learned_something_else_are_refused():
    world = river_swim(3)
    agent = solve(world, Goals.indicator(3))
    with pytest.raises(AgentValuesError, match="member 1 differs from member 0 in its goals"):
        Ensemble((agent, solve(world, Goals.indicator(3, [2, 1, 0]))))
    with pytest.raises(AgentValuesError, match="values of shape"):
        Ensemble((agent, agent.select_goals([0, 1])))
    with pytest.raises(AgentValuesError, match=r"operator|policy"):
        Ensemble((agent, evaluate(world, Goals.indicator(3), policies.uniform(world.available))))
    with pytest.raises(InputError, match="no averages"):
        invert_ensemble([agent, agent], Deterministic())


def test_missing_equations_and_undetermined_entries():
    world = random_mdp(4, 2, discount=0.5, seed=0)
    exact = evaluate(world, Goals.generic(4, 6, seed=0), policies.uniform(world.available))
    members = noisy_members(exact, 8, 1e-4, seed=0)
    members = [AgentValues(each.q, each.goals, 0.5, v=each.v) for each in members]
    holes = []
    for number, each in enumerate(members):
        q = each.q.copy()
        q[number % 2, 1, 0] = np.nan  # one goal or the other: missing from both in the ensemble
        q[:5, 3, 1] = np.nan  # one equation is left: the entries are open
        holes.append(replace(each, q=q))
    found = invert_ensemble(holes, Stochastic())
    lower, upper = found.interval(0.999, joint="kernel")
    assert ((lower <= world.kernel) & (world.kernel <= upper)).all()
    assert (upper - lower)[3, 1].min() == 1.0
    assert not found.determined[3, 1].any()
    assert found.determined[0].all()
    assert found.sets(0.99).contains(world).all()


def test_statistical_verdict_from_an_ensemble():
    world = random_mdp(4, 2, discount=0.5, seed=1)
    exact = evaluate(world, Goals.generic(4, 8, seed=1), policies.uniform(world.available))
    outside = 0
    for seed in range(200):
        ensemble = Ensemble(tuple(noisy_members(exact, 10, 1e-6, seed=seed)))
        noise = ensemble.noise(0.9)
        outside += bool((np.abs(ensemble.agent.q - exact.q) > noise).any())
    assert binomtest(outside, 200, 0.1, alternative="greater").pvalue > 1e-6
    assert outside > 0  # Bonferroni for independent errors is not far from sharp
    verdict = identify(ensemble.agent, Stochastic(), noise=noise, confidence=0.9)
    assert (verdict.status.name, verdict.evidence.name) == ("IDENTIFIED", "STATISTICAL")


def test_bootstrap_covers_what_seeds_of_one_data_set_do_not_show():
    world = river_swim(4, discount=0.8).dense()
    goals = Goals.indicator(4)
    inside, errors = [], []
    for seed in range(12):
        batch = SeedBatch(Simulator(world), goals, 0.8, rule="fitted-q", learners=1, seed=seed)
        batch.run(800)
        replicates = bootstrap(batch.counts[0], goals, discount=0.8, replicates=40, seed=seed)
        found = invert_ensemble(replicates, Supported.of(world))
        lower, upper = found.interval(0.9)
        chosen = (world.kernel > 0) & (world.kernel < 1)
        inside.append(((lower <= world.kernel) & (world.kernel <= upper))[chosen].mean())
        errors.append(found.error[chosen].mean())
        # Agents that fit the same data agree: an ensemble of them would be certain.
        same = invert_ensemble([replicates.original] * 3, Supported.of(world))
        assert np.nanmax(same.error) < 1e-9
    assert 0.75 < np.mean(inside) <= 1.0
    assert 0.005 < np.mean(errors) < 0.1


@pytest.mark.parametrize("wrong", ["negative", "half", "flat", "one"])
def test_bootstrap_refuses(wrong):
    counts = np.ones((2, 1, 2))
    counts = {"negative": -counts, "half": counts / 2, "flat": counts[0], "one": counts}[wrong]
    with pytest.raises(TabularInversionError):
        bootstrap(counts, Goals.indicator(2), discount=0.5, replicates=1 if wrong == "one" else 5)


def test_a_row_never_tried_is_named():
    counts = np.ones((2, 2, 2))
    counts[1, 0] = 0
    with pytest.raises(InputError, match="action 0 of state 1 was never tried"):
        bootstrap(counts, Goals.indicator(2), discount=0.5)


def test_counts_bound_the_error_of_fitted_values():
    world = river_swim(4, discount=0.5).dense()
    goals = Goals.generic(4, 5, seed=0)
    exact = solve(world, goals)
    batch = SeedBatch(Simulator(world), goals, 0.5, rule="fitted-q", learners=200, seed=0)
    batch.run(60)
    outside = 0
    for agent, visits in zip(batch.agents, batch.visits, strict=True):
        noise = sampling_noise(agent, visits, confidence=0.9)
        outside += bool((np.abs(agent.q - exact.q) > noise).any())
        assert noise.max() < 50 * np.abs(agent.q - exact.q).max()
    assert outside <= 20


def test_training_needed_predicts_the_noise_at_which_rows_are_identified():
    world = random_mdp(5, 2, discount=0.5, seed=2)
    agent = evaluate(world, Goals.generic(5, 8, seed=2), policies.uniform(world.available))
    needed = training_needed(agent, Stochastic(), steps=[1e3, 1e5], errors=[1.0, 0.1])
    assert needed.rate == pytest.approx(0.5)
    level = float(needed.noise.min())
    assert identify(agent, Stochastic(), noise=0.99 * level).status.name == "IDENTIFIED"
    np.testing.assert_allclose(needed.steps, 1e3 * (1.0 / needed.noise) ** 2, rtol=1e-9)
    assert np.isinf(training_needed(agent, Stochastic(), steps=[1e3, 1e5], errors=[1e3, 1e4]).steps).all()
    with pytest.raises(InputError, match="both or neither"):
        training_needed(agent, Stochastic(), steps=[1.0])


@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained()], ids=lambda each: each.name)
def test_a_good_prior_helps_and_a_bad_one_does_no_harm(kernel_class):
    errors = np.zeros(3)
    for seed in range(12):
        world = random_mdp(6, 2, discount=0.9, seed=seed)
        exact = evaluate(world, Goals.generic(6, 8, seed=seed), policies.uniform(world.available))
        noisy = noisy_members(exact, 1, 0.05, seed=seed)[0]
        scale = 0.05 * np.exp(np.random.default_rng(seed).normal(size=exact.q.shape))
        near = 0.98 * world.kernel.reshape(-1, 6) + 0.02 / 6
        far = np.eye(6)[np.zeros(12, int)]
        errors[0] += invert(noisy, kernel_class).mse(world)
        errors[1] += invert(noisy, kernel_class, noise=scale, prior=near).mse(world)
        errors[2] += invert(noisy, kernel_class, noise=scale, prior=far).mse(world)
    assert errors[1] < 0.2 * errors[0]
    assert errors[2] < 1.1 * errors[0]


def test_weights_draw_rows_by_their_counts():
    world = river_swim(4, discount=0.9).dense()
    batch = SeedBatch(Simulator(world), Goals.indicator(4), 0.9, rule="fitted-q", learners=100, seed=0)
    batch.run(20)
    plain = drawn = 0.0
    for agent, visits in zip(batch.agents, batch.visits, strict=True):
        plain += invert(agent, Supported.of(world)).mse(world)
        drawn += invert(agent, Supported.of(world), weights=visits).mse(world)
    assert drawn < 0.95 * plain
    agent, visits = batch.agents[0], batch.visits[0].copy()
    visits[2, 1] = 0
    found = invert(agent, Stochastic(), weights=visits)
    np.testing.assert_allclose(found.kernel[2, 1], 0.25)
    assert found.pull[2, 1] == 1.0
    with pytest.raises(InputError, match="T3d bounds least squares"):
        found.error_bound(1e-3)
    with pytest.raises(InputError, match="weights is -1 at state 0, action 1"):
        invert(agent, Stochastic(), weights=np.where(np.arange(2) == 1, -1, visits))
    with pytest.raises(InputError, match="no use"):
        invert(agent, Deterministic(), weights=visits)
