"""Planning for goals that the agent never had, in one kernel and in all that its values leave open."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    evaluate,
    invert,
    plan,
    robust,
    solve,
    strategies,
    value_equivalence,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.errors import (
    ConvergenceError,
    DiscountError,
    GoalsError,
    InputError,
    KernelClassError,
    KernelError,
    ShapeError,
)
from tabular_inversion.planning import determined_goals
from tabular_inversion.policies import uniform

LP = 1e-7
"""The tolerance 1e-10 of linear programs in unit scale, times the values of these small worlds over 1 - discount."""


def at_the_limit(agent, noise, seed):
    """Return the agent with every Q-value wrong by exactly `noise`, up or down."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], agent.q.shape)
    return replace(agent, q=agent.q + noise * signs, report=None)


@st.composite
def questions(draw):
    """A world, an agent in it, a class that holds the world, the agent's noise, and a goal it never had."""
    deterministic = draw(st.sampled_from([False, False, True]))
    discounts = strategies.DISCOUNTS.filter(lambda discount: discount <= 0.9)
    mdp = draw(strategies.mdps(sparse=False, discounts=discounts, max_successors=1 if deterministic else None))
    goals = draw(strategies.goals(mdp.n_states, n_actions=mdp.n_actions))
    shown = draw(st.sampled_from(["max", "policy"]))
    agent = solve(mdp, goals) if shown == "max" else evaluate(mdp, goals, uniform(mdp.available))
    noise = draw(st.sampled_from([0.0, 0.0, 1e-4, 0.05]))
    classes = [Stochastic(), Supported.of(mdp), *([Deterministic()] if deterministic else [])]
    goal = draw(strategies.goals(mdp.n_states, n_goals=1, n_actions=mdp.n_actions))
    return mdp, at_the_limit(agent, noise, 0) if noise else agent, draw(st.sampled_from(classes)), noise, goal


@settings(max_examples=60, deadline=None)
@given(questions())
def test_the_optimal_value_lies_between_the_ends_and_both_are_attained(question):
    mdp, agent, kernel_class, noise, goal = question
    sets = value_equivalence(agent, kernel_class, noise=noise)
    found = robust(sets, goal)
    truth = solve(mdp, goal).v[0]
    assert (found.lower <= truth + LP).all()
    assert (found.upper >= truth - LP).all()
    assert (found.gap >= -LP).all()
    assert found.error < LP
    np.testing.assert_allclose(plan(found.lower_world, goal).values[0], found.lower, atol=1e-10)
    np.testing.assert_allclose(plan(found.upper_world, goal).values[0], found.upper, atol=1e-10)
    # Sets as thin as 1e-4 are left by the rounding of linear programs: their members belong to ones a percent thicker.
    around = value_equivalence(agent, kernel_class, noise=1.01 * noise)
    assert around.contains(found.lower_world).all()
    assert around.contains(found.upper_world).all()
    if determined_goals(sets, goal)[0]:
        assert (found.gap <= LP).all()
    in_the_worst = evaluate(found.lower_world, goal, found.policy).v[0]
    np.testing.assert_allclose(in_the_worst, found.lower, atol=LP)
    worlds = [mdp, *(MDP(kernel, mdp.discount, mdp.available) for kernel in sets.sample(4, seed=0))]
    for world in worlds:
        assert (evaluate(world, goal, found.policy).v[0] >= found.lower - LP).all()


def ends_by_brute_force(sets, goal):
    """Return the least and largest optimal value of each state over all products of vertices."""
    agent = sets.agent
    places = np.argwhere(agent.available).tolist()
    lists = [sets.vertices(state, action) for state, action in places]
    assert np.prod([len(points) for points in lists]) <= 5000
    lower, upper = np.full(agent.n_states, np.inf), np.full(agent.n_states, -np.inf)
    for rows in product(*lists):
        kernel = np.zeros((*agent.available.shape, agent.n_states))
        kernel[agent.available] = rows
        values = solve(MDP(kernel, agent.discount, agent.available), goal).v[0]
        lower, upper = np.minimum(lower, values), np.maximum(upper, values)
    return lower, upper


@pytest.mark.parametrize("seed", range(7))
def test_the_ends_are_those_of_all_products_of_vertices(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(3, 2, discount=0.7, seed=seed)
    noise = 0.1 if seed % 4 == 3 else 0.0
    agent = solve(mdp, Goals.generic(3, 1, seed=seed))
    sets = value_equivalence(at_the_limit(agent, noise, seed) if noise else agent, Stochastic(), noise=noise)
    goal = Goals(rng.standard_normal((1, 3)), rng.random((1, 3)), rng.standard_normal((1, 3, 2)) if seed % 2 else None)
    found = robust(sets, goal)
    lower, upper = ends_by_brute_force(sets, goal)
    np.testing.assert_allclose(found.lower, lower, atol=LP)
    np.testing.assert_allclose(found.upper, upper, atol=LP)
    assert found.gap.max() > 1e-3  # or the comparison would show nothing


@pytest.mark.parametrize("seed", [4, 6])
def test_the_policy_is_the_best_guarantee_of_all(seed):
    mdp = random_mdp(3, 2, discount=0.7, seed=seed)
    sets = value_equivalence(solve(mdp, Goals.generic(3, 1, seed=seed)), Stochastic())
    goal = Goals.generic(3, 1, seed=seed + 9)
    found = robust(sets, goal)
    lists = [sets.vertices(state, action) for state in range(3) for action in range(2)]
    worlds = [MDP(np.reshape(rows, (3, 2, 3)), 0.7) for rows in product(*lists)]
    worst = {}
    for actions in product(range(2), repeat=3):
        policy = np.eye(2)[list(actions)]
        worst[actions] = np.min([evaluate(world, goal, policy).v[0] for world in worlds], axis=0)
    chosen = tuple(found.policy.argmax(axis=1).tolist())
    np.testing.assert_allclose(worst[chosen], found.lower, atol=LP)
    for values in worst.values():
        assert (values <= found.lower + LP).all()
    # What is best in the best world is another policy, worth less when the world is not the best.
    hopeful = plan(found.upper_world, goal).policy[0]
    assert (worst[tuple(hopeful.argmax(axis=1).tolist())] < found.lower - 0.1).any()


@pytest.mark.parametrize("kernel_class", ["supported", Deterministic()])
def test_where_the_kernel_is_identified_both_ends_are_the_optimal_value(kernel_class):
    mdp = four_rooms("deterministic")
    agent = solve(mdp, Goals.generic(68, 3, seed=0))
    sets = value_equivalence(agent, Supported.of(mdp) if kernel_class == "supported" else kernel_class)
    goal = Goals.indicator(68, [40])
    truth = solve(mdp, goal).v[0]
    found = robust(sets, goal)
    assert not found.iterations
    np.testing.assert_allclose(found.lower, truth, atol=1e-9)
    np.testing.assert_allclose(found.upper, truth, atol=1e-9)
    np.testing.assert_allclose(evaluate(mdp, goal, found.policy).v[0], truth, atol=1e-9)


def test_enough_goals_leave_no_gap_and_fewer_leave_more():
    mdp = random_mdp(8, 3, discount=0.9, seed=2)
    agent = solve(mdp, Goals.generic(8, 8, seed=2))
    goal = Goals.generic(8, 1, seed=5)
    plans = [robust(value_equivalence(agent.select_goals(range(k)), Stochastic()), goal) for k in (1, 3, 5, 7)]
    for wider, narrower in pairwise(plans):
        assert (narrower.lower >= wider.lower - LP).all()
        assert (narrower.upper <= wider.upper + LP).all()
    np.testing.assert_allclose(plans[-1].lower, solve(mdp, goal).v[0], atol=LP)
    np.testing.assert_allclose(plans[-1].upper, plans[-1].lower, atol=LP)
    assert plans[0].gap.max() > 0.1
    noisy = [robust(value_equivalence(agent, Stochastic(), noise=eps), goal) for eps in (0.1, 0.01, 0.001)]
    for wider, narrower in pairwise(noisy):
        assert (narrower.gap <= wider.gap + LP).all()


def test_a_goal_that_the_agent_had_is_settled():
    # The optimal Q of an old goal solves both robust equations: M p = q pins what each row gives under it.
    mdp = random_mdp(6, 2, discount=0.9, seed=1)
    goals = Goals.generic(6, 2, seed=1)
    agent = solve(mdp, goals)
    sets = value_equivalence(agent, Stochastic())
    assert (sets.dimension == 3).all()
    for number in range(2):
        found = robust(sets, goals.select([number]))
        np.testing.assert_allclose(found.lower, agent.v[number], atol=LP)
        np.testing.assert_allclose(found.upper, agent.v[number], atol=LP)
    assert robust(sets, Goals.generic(6, 1, seed=7)).gap.max() > 0.1


def test_goals_with_one_q_are_those_that_the_agent_had_and_others_made_of_them():
    mdp = random_mdp(6, 2, discount=0.9, seed=1)
    goals = Goals.generic(6, 2, seed=1)
    sets = value_equivalence(solve(mdp, goals), Stochastic())
    made = np.vstack([goals.rewards, 3.0 * goals.rewards[0] - 2.0, np.ones(6)])
    asked = Goals(np.vstack([made, goals.rewards.sum(axis=0), -goals.rewards[0], np.eye(6)]))
    determined = determined_goals(sets, asked)
    np.testing.assert_array_equal(determined, np.arange(12) < 4)
    kernels = sets.sample(3, seed=0)
    q = np.stack([solve(MDP(kernel, 0.9), asked).q for kernel in kernels])
    np.testing.assert_array_equal(np.ptp(q, axis=0).max(axis=(1, 2)) < LP, determined)
    assert not determined_goals(value_equivalence(sets.agent, Stochastic(), noise=1e-3), goals).any()
    settled = value_equivalence(solve(mdp, Goals.generic(6, 5, seed=1)), Stochastic())
    assert determined_goals(settled, asked).all()


def test_known_classes_determine_every_goal_of_a_cycle():
    kernel = np.roll(np.eye(6), 1, axis=1)[:, None]
    agent, indicators = solve(MDP(kernel, 0.5), Goals.generic(6, 1, seed=0)), Goals.indicator(6)
    for kernel_class in (Supported(kernel > 0), Deterministic()):
        assert determined_goals(value_equivalence(agent, kernel_class), indicators).all()
    assert not determined_goals(value_equivalence(agent, Stochastic()), indicators).any()
    blind = value_equivalence(solve(MDP(kernel, 0.5), Goals(np.ones((1, 6)))), Deterministic())
    assert not determined_goals(blind, indicators).any()


@pytest.mark.parametrize("discount", [0.0, 0.9])
def test_determined_goals_have_no_gap_over_one_step(discount):
    mdp = random_mdp(6, 2, discount=discount, seed=3)
    agent = solve(mdp, Goals.generic(6, 2, seed=3))
    sets = value_equivalence(agent, Stochastic())
    once = np.zeros((1, 6))  # continuation 0: the reward of one step is all
    known = Goals(np.array([[1.0, -2.0]]) @ agent.test_matrix + 5.0, once)
    assert sets.determined_functionals(known.rewards).all()
    found = robust(sets, known)
    np.testing.assert_allclose(found.lower, found.upper, atol=LP)
    np.testing.assert_allclose(found.lower, solve(mdp, known).v[0], atol=LP)
    unknown = Goals(np.eye(6)[:1], once)
    assert not sets.determined_functionals(unknown.rewards).any()
    lower, upper = sets.bounds()
    found = robust(sets, unknown)
    np.testing.assert_allclose(found.lower, lower[:, :, 0].max(axis=1), atol=LP)
    np.testing.assert_allclose(found.upper, upper[:, :, 0].max(axis=1), atol=LP)
    assert (found.gap > 1e-3).any()


def test_the_ends_move_with_the_unit_and_the_origin_of_reward():
    mdp = random_mdp(5, 2, discount=0.8, seed=4)
    sets = value_equivalence(solve(mdp, Goals.generic(5, 1, seed=4)), Stochastic())
    rewards = np.random.default_rng(4).standard_normal((1, 5))
    found = robust(sets, Goals(rewards))
    for scale in (1e200, 1e-200):
        scaled = robust(sets, Goals(rewards * scale))
        np.testing.assert_allclose(scaled.lower / scale, found.lower, atol=LP)
        np.testing.assert_allclose(scaled.upper / scale, found.upper, atol=LP)
    moved = robust(sets, Goals(rewards + 3.0))
    np.testing.assert_allclose(moved.lower, found.lower + 15.0, atol=LP)
    np.testing.assert_allclose(moved.upper, found.upper + 15.0, atol=LP)


def test_the_ends_move_with_the_names_of_states():
    mdp = random_mdp(5, 2, discount=0.8, seed=4)
    agent, goal = solve(mdp, Goals.generic(5, 1, seed=4)), Goals.generic(5, 1, seed=8)
    order = np.array([3, 1, 4, 0, 2])
    found = robust(value_equivalence(agent, Stochastic()), goal)
    moved = robust(value_equivalence(agent.permute_states(order), Stochastic()), goal.permute_states(order))
    np.testing.assert_allclose(moved.lower, found.lower[order], atol=LP)
    np.testing.assert_allclose(moved.upper, found.upper[order], atol=LP)
    np.testing.assert_array_equal(moved.policy, found.policy[order])


def test_a_constant_goal_and_a_goal_of_nothing():
    sets = value_equivalence(solve(random_mdp(4, 2, discount=0.5, seed=0), Goals(np.zeros((1, 4)))), Stochastic())
    for reward in (0.0, 1.0):
        found = robust(sets, Goals(np.full((1, 4), reward)))
        np.testing.assert_allclose(found.lower, 2.0 * reward, atol=1e-12)
        np.testing.assert_allclose(found.upper, 2.0 * reward, atol=1e-12)


def test_values_that_say_nothing_leave_the_best_and_the_worst_world():
    agent = solve(random_mdp(4, 2, discount=0.5, seed=0), Goals(np.zeros((1, 4))))
    found = robust(value_equivalence(agent, Stochastic()), Goals([[0.0, 1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(found.lower, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.upper, 6.0, atol=1e-9)
    assert repr(found).startswith("<RobustPlan over 4 states: largest gap 6, ")


def test_actions_that_do_not_exist_are_never_chosen():
    kernel = np.zeros((3, 2, 3))
    kernel[:, 0] = [[0.0, 0.5, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    kernel[1, 1] = [1.0, 0.0, 0.0]
    mdp = MDP(kernel, 0.9, [[True, False], [True, True], [True, False]])
    found = robust(value_equivalence(solve(mdp, Goals.generic(3, 1, seed=0)), Stochastic()), Goals([[-1.0, 0.0, 1.0]]))
    assert not found.policy[~mdp.available].any()
    np.testing.assert_array_equal(found.lower_world.available, mdp.available)


def test_a_discount_next_to_one():
    mdp = random_mdp(4, 2, discount=1.0 - 1e-9, seed=0)
    agent = solve(mdp, Goals.generic(4, 1, seed=0))
    goal = Goals.indicator(4, [2])
    found = robust(value_equivalence(agent, Stochastic()), goal)
    truth = solve(mdp, goal).v[0]
    assert (found.lower <= truth + found.error + LP).all()
    assert (found.upper >= truth - found.error - LP).all()


def test_a_plan_in_a_recovered_kernel_is_optimal_in_the_true_one():
    mdp = random_mdp(10, 3, discount=0.9, seed=0)
    recovered = invert(solve(mdp, Goals.generic(10, 9, seed=0)), Stochastic()).kernel
    goals = Goals.generic(10, 3, seed=1)
    truth = solve(mdp, goals)
    found = plan(recovered, goals, discount=0.9)
    np.testing.assert_allclose(found.values, truth.v, atol=1e-7)
    np.testing.assert_allclose(found.values_in(mdp), truth.v, atol=1e-7)
    assert found.policy.shape == (3, 10, 3)
    assert (plan(mdp, goals).values == truth.v).all()
    np.testing.assert_allclose(plan(mdp.sparse(), goals).values, truth.v, atol=1e-9)
    still = plan(mdp, goals, discount=0.0)
    np.testing.assert_allclose(still.values, (goals.rewards @ mdp.kernel.reshape(30, 10).T).reshape(3, 10, 3).max(2))
    assert repr(found).startswith("<Plan for 3 goals in MDP")


def test_a_plan_in_a_wrong_kernel_falls_short():
    true, believed = random_mdp(6, 3, discount=0.9, seed=0), random_mdp(6, 3, discount=0.9, seed=1)
    goals = Goals.generic(6, 2, seed=0)
    worth, best = plan(believed, goals).values_in(true), solve(true, goals).v
    assert (worth <= best + 1e-9).all()
    assert (worth < best - 0.1).any()


def test_wrong_input_is_named():
    mdp = random_mdp(4, 2, discount=0.9, seed=0)
    agent = solve(mdp, Goals.generic(4, 1, seed=0))
    sets, goal = value_equivalence(agent, Stochastic()), Goals.indicator(4, [0])
    smaller = random_mdp(3, 2, seed=0)
    rooms = four_rooms("windy")
    slow = value_equivalence(solve(rooms, Goals.generic(68, 1, seed=0)), Supported.of(rooms))
    far = Goals.generic(68, 1, seed=9)
    free, sparse = value_equivalence(agent, Unconstrained()), value_equivalence(agent, Sparse(4))
    undiscounted = value_equivalence(solve(mdp.with_discount(1.0), Goals.indicator(4)), Stochastic())
    wrong = [
        (GoalsError, "got 2", lambda: robust(sets, Goals.generic(4, 2, seed=0))),
        (GoalsError, "not finite", lambda: robust(sets, Goals([[np.nan, 0.0, 0.0, 0.0]]))),
        (ShapeError, "on 3 states and the agent on 4", lambda: robust(sets, Goals.indicator(3, [0]))),
        (ShapeError, "action_rewards", lambda: robust(sets, Goals(np.ones((1, 4)), None, np.ones((1, 4, 3))))),
        (InputError, "tolerance is 0", lambda: robust(sets, goal, tolerance=0.0)),
        (InputError, "tolerance is nan", lambda: robust(sets, goal, tolerance=np.nan)),
        (InputError, "max_iterations is -1", lambda: robust(sets, goal, max_iterations=-1)),
        (ConvergenceError, "raise max_iterations", lambda: robust(slow, far, max_iterations=0)),
        (KernelClassError, r"unconstrained.*Stochastic", lambda: robust(free, goal)),
        (KernelClassError, r"sparse:4.*Stochastic", lambda: robust(sparse, goal)),
        (KernelClassError, r"sparse:4.*Stochastic", lambda: determined_goals(sparse, goal)),
        (KernelClassError, r"unconstrained", lambda: determined_goals(free, goal)),
        (ShapeError, "on 3 states and the agent on 4", lambda: determined_goals(sets, Goals.indicator(3, [0]))),
        (InputError, "give discount=", lambda: plan(mdp.kernel, goal)),
        (DiscountError, "discount", lambda: plan(mdp.kernel, goal, discount=1.5)),
        (DiscountError, "discount is 1: a member", lambda: robust(undiscounted, goal)),
        (InputError, "available is given", lambda: plan(mdp, goal, available=mdp.available)),
        (KernelError, "state 0, action 0|\\(s, a\\)", lambda: plan(2.0 * mdp.kernel, goal, discount=0.9)),
        (ShapeError, "states", lambda: plan(mdp, Goals.indicator(3, [0]))),
        (ShapeError, "worlds differ", lambda: plan(mdp, goal).values_in(smaller)),
    ]  # fmt: skip
    for error, text, call in wrong:
        with pytest.raises(error, match=text):
            call()


def test_a_single_state():
    agent = AgentValues([[[2.0, 2.0]]], Goals([[1.0]]), discount=0.5)
    found = robust(value_equivalence(agent, Stochastic()), Goals([[3.0]]))
    np.testing.assert_allclose((found.lower, found.upper), 6.0)
