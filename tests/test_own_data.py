"""Values that no code of this package made, or that do not show everything: what is known of each row counts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    Verdict,
    evaluate,
    identify,
    invert,
    robust,
    solve,
    value_equivalence,
)
from tabular_inversion.environments import chain, random_mdp
from tabular_inversion.error_bounds import error_bound
from tabular_inversion.errors import AgentValuesError, InputError
from tabular_inversion.exact.linear_programs import find_nonnegative_solution

CLASSES = {
    "unconstrained": lambda _: Unconstrained(),
    "stochastic": lambda _: Stochastic(),
    "supported": Supported.of,
    "sparse": lambda _: Sparse(2),
    "deterministic": lambda _: Deterministic(),
}


def world(seed: int = 0, n: int = 5, m: int = 2, branching: int = 2) -> MDP:
    return random_mdp(n, m, branching=branching, discount=0.9, seed=seed).dense()


def with_holes(agent: AgentValues, seed: int, share: float = 0.3) -> AgentValues:
    """Return the agent without some of its values; state values are known apart."""
    lost = np.random.default_rng(seed).random(agent.q.shape) < share
    return replace(agent, q=np.where(lost, np.nan, agent.q), v=agent.v, policy=None, temperature=None, report=None)


def alone(agent: AgentValues, state: int, action: int) -> AgentValues:
    """Return the agent of the goals that know one row, with any number where these do not know others."""
    own = agent.select_goals(np.flatnonzero(agent.known[:, state, action]))
    return replace(own, q=np.where(np.isnan(own.q), 0.0, own.q))


# --- missing equations


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("seed", range(4))
def test_rows_with_missing_equations_are_decided_as_each_row_alone(name: str, seed: int) -> None:
    mdp = world(seed)
    agent = with_holes(solve(mdp, Goals.generic(5, 5, seed=seed)), seed)
    kernel_class = CLASSES[name](mdp)
    if name == "deterministic":
        agent = with_holes(solve(world(seed, branching=1), Goals.generic(5, 3, seed=seed)), seed)
    verdict = identify(agent, kernel_class)
    for state, action in np.argwhere(agent.available):
        if not agent.known[:, state, action].any():
            assert verdict.row(state, action) is Status.NOT_IDENTIFIED or name == "supported"
            continue
        other = identify(alone(agent, state, action), kernel_class, rows=[state * 2 + action])
        assert verdict.row(state, action) is other.row(state, action)
    verdict.verify()


@pytest.mark.parametrize("name", ["stochastic", "supported"])
def test_inversion_sets_and_error_bounds_honour_missing_equations(name: str) -> None:
    mdp = world(1)
    agent = with_holes(solve(mdp, Goals.generic(5, 5, seed=1)), 1, share=0.7)
    kernel_class = CLASSES[name](mdp)
    result, sets = invert(agent, kernel_class), value_equivalence(agent, kernel_class)
    known = result.verdict.row_status == Status.IDENTIFIED
    kernel = result.kernel if name == "stochastic" else result.kernel.toarray().reshape(5, 2, 5)
    np.testing.assert_allclose(kernel[known], mdp.kernel[known], atol=1e-9)
    assert known.any()
    assert not known.all()
    assert sets.contains(mdp).all()
    assert sets.contains(result.kernel).all()
    lower, upper = sets.bounds()
    assert (lower <= mdp.kernel + 1e-9).all()
    assert (upper >= mdp.kernel - 1e-9).all()
    assert ((upper - lower).max(axis=2)[known] < 1e-6).all()
    np.testing.assert_array_equal(sets.dimension[known], 0)
    some = np.zeros((5, 2), bool)
    some[2] = True
    part = sets.bounds(some)
    np.testing.assert_allclose(part.lower[some], lower[some], atol=1e-12)
    assert np.isnan(part.lower[~some]).all()
    bound = error_bound(agent, kernel_class, 1e-6)
    for state, action in np.argwhere(known):
        other = error_bound(alone(agent, state, action), kernel_class, 1e-6)
        assert bound.rows[state, action] == other.rows[state, action]


def test_a_wrong_row_among_missing_equations_is_found() -> None:
    mdp = world(2)
    agent = with_holes(solve(mdp, Goals.generic(5, 5, seed=2)), 2)
    q = agent.q.copy()
    goals = np.flatnonzero(agent.known[:, 3, 1])
    q[goals, 3, 1] += 10.0
    verdict = identify(replace(agent, q=q), Stochastic())
    assert verdict.row(3, 1) is Status.INCONSISTENT
    assert (verdict.row_status == Status.INCONSISTENT).sum() == 1
    assert verdict.least_noise > 1.0


def episodic_q_learner(mdp: MDP, goals: Goals, sweeps: int) -> np.ndarray:
    """Learn by sweeps over all pairs; as in an episode, nothing is ever done in a goal, whose entries stay 0."""
    q = np.zeros((goals.n_goals, mdp.n_states, mdp.n_actions))
    for _ in range(sweeps):
        best = q.max(axis=2)
        target = np.einsum("sat,gt->gsa", mdp.kernel, goals.rewards + mdp.discount * goals.continuation * best)
        for goal in range(goals.n_goals):
            for state in range(mdp.n_states):
                if goals.continuation[goal, state] > 0:
                    q[goal, state] = target[goal, state]
    return q


def test_an_episodic_learner_that_never_trains_its_goals_is_right_about_its_world() -> None:
    mdp = chain(6, discount=0.9).dense()
    goals = Goals.indicator(6)
    q = episodic_q_learner(mdp, goals, 600)
    assert identify(AgentValues(q, goals, 0.9), Stochastic(), noise=1e-9).status is Status.INCONSISTENT
    agent = AgentValues.episodic(q, goals, 0.9, noise=1e-9)
    verdict = identify(agent, Stochastic())
    assert verdict.status is Status.IDENTIFIED
    np.testing.assert_allclose(invert(agent, Stochastic()).kernel, mdp.kernel, atol=1e-6)
    verdict.verify()


def test_a_missing_state_value_that_matters_is_one_error_that_names_it() -> None:
    agent = solve(chain(3), Goals.generic(3, 2, seed=0))
    q = agent.q.copy()
    q[1, 2, 0] = np.nan
    holed = AgentValues(q, agent.goals, agent.discount, state_names=["a", "b", "c"])
    with pytest.raises(AgentValuesError, match="value of state c under goal 1 is unknown"):
        identify(holed, Stochastic())
    assert identify(replace(holed, v=agent.v), Stochastic(), noise=0.0).row(0, 0) is not None
    # What a given policy never does, it need not know.
    policy = np.zeros((3, 2))
    policy[:, 1] = 1.0
    acted = evaluate(chain(3), agent.goals, policy)
    lost = acted.q.copy()
    lost[:, 0, 0] = np.nan
    np.testing.assert_array_equal(replace(acted, q=lost).v, acted.v)


# --- own state values, systems, discounts, rewards


@pytest.mark.parametrize("seed", range(3))
def test_values_of_a_sweep_before_give_the_equations_of_unconverged_iteration(seed: int) -> None:
    mdp, goals = world(seed), Goals.generic(5, 4, seed=seed)
    v = np.zeros((4, 5))
    for _ in range(3):
        q = np.einsum("sat,gt->gsa", mdp.kernel, goals.rewards + mdp.discount * v)
        before, v = v, q.max(axis=2)
    assert identify(AgentValues(q, goals, 0.9), Stochastic()).status is Status.INCONSISTENT
    agent = AgentValues(q, goals, 0.9, v=before, noise=1e-13)
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    assert invert(agent, Stochastic()).max_error(mdp) < 1e-8
    again = replace(agent, q=q + 1.0)
    assert again.operator == "given"
    np.testing.assert_array_equal(again.v, before)
    assert replace(solve(mdp, goals), q=q).v.tolist() == q.max(axis=2).tolist()


def test_each_goal_may_have_its_own_discount() -> None:
    mdp, goals = world(3), Goals.generic(5, 4, seed=3)
    discounts = np.array([0.0, 0.5, 0.9, 0.99])
    q = np.concatenate([
        solve(mdp.with_discount(float(each)), goals.select(goal)).q for goal, each in enumerate(discounts)
    ])  # fmt: skip
    assert identify(AgentValues(q, goals, 0.9), Stochastic()).status is Status.INCONSISTENT
    agent = AgentValues(q, goals, discounts, noise=1e-10)
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    assert invert(agent, Stochastic()).max_error(mdp) < 1e-7
    part = agent.select_goals([1, 3])
    assert (part.discount, part.discounts.tolist()) == (0.99, [0.5, 0.99])
    with pytest.raises(AgentValuesError, match=r"discount is 0\.5"):
        replace(agent, discount=0.5)


@pytest.mark.parametrize("form", ["dense", "sparse", "function"])
@pytest.mark.parametrize("name", ["stochastic", "supported"])
def test_rewards_of_transitions_give_each_row_its_own_test_functions(form: str, name: str) -> None:
    mdp, goals = world(4), Goals.generic(5, 4, seed=4)
    rng = np.random.default_rng(4)
    rewards = rng.integers(-2, 3, (4, 5, 2, 5)).astype(float)
    q = np.zeros((4, 5, 2))
    for _ in range(2000):
        tests = goals.rewards[:, None, None] + rewards + 0.9 * q.max(axis=2)[:, None, None]
        q = (mdp.kernel[None] * tests).sum(axis=3)
    given: Any = {
        "dense": rewards,
        "sparse": [csr_array(each.reshape(10, 5)) for each in rewards],
        "function": lambda g, s, a, t: rewards[g, s, a, t],
    }[form]
    agent = AgentValues(q, goals, 0.9, transition_rewards=given, noise=1e-11)
    kernel_class = CLASSES[name](mdp)
    verdict = identify(agent, kernel_class)
    assert verdict.status is Status.IDENTIFIED
    assert invert(agent, kernel_class).max_error(mdp) < 1e-8
    assert value_equivalence(agent, kernel_class).contains(mdp).all()
    verdict.verify()
    assert identify(replace(agent, transition_rewards=None), kernel_class).status is Status.INCONSISTENT
    with pytest.raises(AgentValuesError, match="tests_of"):
        _ = agent.test_matrix


def test_a_system_has_noise_of_its_own_on_either_side() -> None:
    tests, q = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 0.5]]), np.array([[[0.7]] * 3, [[0.9]] * 3]).reshape(2, 3, 1)
    exact = AgentValues.from_system(tests, q)
    assert identify(exact, Stochastic()).status is Status.INCONSISTENT
    for noisy in (AgentValues.from_system(tests, q, noise=0.5), AgentValues.from_system(tests, q, test_noise=0.5)):
        assert identify(noisy, Stochastic()).status is not Status.INCONSISTENT


# --- noise


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("seed", range(4))
def test_values_of_a_short_float_type_are_never_inconsistent(kind: type, seed: int) -> None:
    mdp = world(seed)
    exact = solve(mdp, Goals.generic(5, 5, seed=seed))
    agent = AgentValues(exact.q.astype(kind), exact.goals, exact.discount)
    assert agent.noise == np.dtype(kind).name
    for name in ("unconstrained", "stochastic", "supported", "sparse"):
        kernel_class = CLASSES[name](mdp)
        assert not (identify(agent, kernel_class).row_status == Status.INCONSISTENT).any()
        if name in {"stochastic", "supported"}:
            assert value_equivalence(agent, kernel_class).contains(mdp).all()
    assert identify(agent, Stochastic(), noise=0.0).status is Status.INCONSISTENT


def test_noise_of_each_value_is_that_value_s_own() -> None:
    mdp = world(0)
    exact = solve(mdp, Goals.generic(5, 5, seed=0))
    size = np.full(exact.q.shape, 1e-12)
    size[2, 3, 1] = 0.5
    moved = exact.q.copy()
    moved[2, 3, 1] += 0.4 if moved[2, 3, 1] < moved[2, 3, 0] - 1.0 else -0.4
    agent = replace(exact, q=moved, report=None)
    assert identify(agent, Stochastic()).status is Status.INCONSISTENT
    assert identify(agent, Stochastic(), noise=size).status is not Status.INCONSISTENT
    assert (identify(agent, Stochastic(), noise=size.max()).row_status != Status.INCONSISTENT).all()
    with pytest.raises(InputError, match="noise is nan"):
        identify(agent, Stochastic(), noise=np.nan)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["stochastic", "supported"])
def test_below_the_least_noise_fractions_find_no_row_either(seed: int, name: str) -> None:
    """An exact linear program asks whether |M p - q| <= (1 + weight) eps has a solution, for eps below the least."""
    mdp = world(seed, n=4)
    agent = solve(mdp, Goals.generic(4, 4, seed=seed)).with_noise(10.0 ** -(1 + seed % 3), seed=seed)
    kernel_class = CLASSES[name](mdp)
    verdict = identify(agent, kernel_class)
    assert verdict.least_noise > 0
    state, action = np.unravel_index(verdict.row_least_noise.argmax(), (4, 2))
    allowed = np.ones(4, bool)
    if name == "supported":
        allowed = kernel_class.support[[state * 2 + action]].toarray()[0]
    tests = [[Fraction(x) for x in row] for row in agent.test_matrix[:, allowed]]
    q = [Fraction(x) for x in agent.q[:, state, action]]
    size, k = int(allowed.sum()), 4

    def feasible(eps: Fraction) -> bool:
        width = (1 + Fraction(agent.discount)) * eps
        rows, right = [], []
        for goal in range(k):  # M p + a = q + w, M p - b = q - w
            for sign, place in ((1, goal), (-1, k + goal)):
                slack = [Fraction(0)] * (2 * k)
                slack[place] = Fraction(sign)
                rows.append(tests[goal] + slack)
                right.append(q[goal] + sign * width)
        rows.append([Fraction(1)] * size + [Fraction(0)] * (2 * k))
        matrix, values = np.array(rows, object), np.array([*right, Fraction(1)], object)
        return bool(find_nonnegative_solution(matrix, values).certificate is None)

    least = Fraction(float(verdict.row_least_noise[state, action]))
    assert not feasible(least * Fraction(999, 1000))
    assert feasible(least * 4)  # the bound is no triviality


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["unconstrained", "stochastic", "supported", "deterministic"])
def test_up_to_the_largest_noise_identified_is_certified(seed: int, name: str) -> None:
    mdp = world(seed, branching=1 if name == "deterministic" else 2)
    agent = solve(mdp, Goals.generic(5, 5, seed=seed))
    verdict = identify(agent, CLASSES[name](mdp))
    level = verdict.largest_noise
    assert 0.0 < level < np.inf
    again = identify(agent, CLASSES[name](mdp), noise=0.999 * level)
    assert (again.status, again.evidence.name) == (Status.IDENTIFIED, "CERTIFIED")
    assert verdict.to_dict()["largest_noise"] == level
    assert identify(agent, Sparse(2), scope="uniform").least_noise != 0.0  # NaN


# --- pieces, time, exact


def test_rows_and_time_leave_the_rest_undecided_and_verdicts_merge() -> None:
    agent = solve(random_mdp(12, 8, branching=3, discount=0.9, seed=0), Goals.generic(12, 11, seed=0))
    whole = identify(agent, Stochastic())
    ticks: list[tuple[int, int]] = []
    hurried = identify(agent, Stochastic(), seconds=0.0, progress=lambda done, total: ticks.append((done, total)))
    assert (hurried.status, hurried.rows_identified) == (Status.UNDECIDED, 64)
    assert hurried.hint is not None
    assert hurried.hint.value == "more time would decide"
    assert ticks == [(64, 96)]
    rest = identify(agent, Stochastic(), rows=(hurried.row_status == Status.UNDECIDED))
    merged = Verdict.merge([hurried, rest])
    np.testing.assert_array_equal(merged.row_status, whole.row_status)
    assert merged.hint is None
    for verdict in (hurried, rest, merged):
        verdict.verify()
    with pytest.raises(InputError, match="two verdicts decided state 0, action 0"):
        Verdict.merge([hurried, hurried])
    with pytest.raises(InputError, match="different values"):
        Verdict.merge([hurried, identify(agent, Unconstrained(), rows=[95])])
    with pytest.raises(InputError, match="no row"):
        identify(agent, Stochastic(), rows=np.zeros((12, 8), bool))


def test_floats_taken_as_exact_at_instance_scope_are_refused_at_once() -> None:
    agent = solve(world(0), Goals.generic(5, 5, seed=0))
    with pytest.raises(InputError, match="contradict every kernel"):
        identify(agent, Stochastic(), exact=True)


# --- names


def test_names_are_kept_from_the_world_to_the_recovered_one() -> None:
    kernel = world(0).kernel
    named = MDP(kernel, 0.9, None, list("abcde"), ["left", "right"], np.arange(10.0).reshape(5, 2))
    agent = solve(named, Goals.generic(5, 2, seed=0))
    result = invert(agent, Stochastic())
    back = result.to_mdp()
    assert (back.state_names, back.action_names) == (named.state_names, named.action_names)
    np.testing.assert_array_equal(back.coordinates, named.coordinates)
    witness = result.verdict.to_dict()["witness"]
    assert witness["state"] in "abcde"
    assert witness["action"] in {"left", "right"}
    assert set(witness["first"]) <= set("abcde")
    q = agent.q.copy()
    q[:, 2, 1] += 100.0
    assert "state c, action right" in identify(replace(agent, q=q, v=agent.v, report=None), Stochastic()).reason
    assert agent.permute_states([4, 3, 2, 1, 0]).state_names == tuple("edcba")


def test_dust_is_pruned_from_recovered_worlds() -> None:
    result = invert(solve(world(0), Goals.generic(5, 5, seed=0)), Stochastic())
    kernel = np.where(result.kernel == 0, 1e-13, result.kernel)
    dusty = replace(result, kernel=kernel)
    assert (dusty.to_mdp().kernel > 0).sum() == 20
    assert (dusty.to_mdp(prune=0.0).kernel > 0).all()
    with pytest.raises(InputError, match=r"prune is 0\.1"):
        dusty.to_mdp(prune=0.1)


SHOWN = {
    "state values of its own": {"v": [[0.0, 1.0]]},
    "missing values": {},
    "several discounts": {"discount": [0.5, 0.9]},
    "rewards of transitions": {"transition_rewards": np.ones((2, 2, 1, 2))},
    "noise": {"noise": 0.1},
}


@pytest.mark.parametrize("what", SHOWN)
def test_exact_values_refuse_what_they_do_not_know(what: str) -> None:
    """Dropped without a word, each would make another question of it."""
    q = np.array([[[1.0], [2.0]], [[0.5], [1.0]]])
    if what == "missing values":
        q[0, 0, 0] = np.nan
    given = {"discount": 0.5} | SHOWN[what]
    if "v" in given:
        given["v"] = [[0.0, 1.0], [1.0, 0.0]]
    agent = AgentValues(q, Goals([[0.0, 1.0], [1.0, 0.0]]), **given)
    with pytest.raises(AgentValuesError, match=what):
        identify(agent, Stochastic(), scope="uniform", exact=True)


def test_a_world_of_several_discounts_is_refused() -> None:
    world = random_mdp(4, 2, discount=0.5, seed=0)
    goals = Goals.generic(4, 4, seed=0)
    half, more = solve(world, goals), solve(world.with_discount(0.9), goals)
    both = AgentValues(np.concatenate([half.q[:2], more.q[2:]]), goals, [0.5, 0.5, 0.9, 0.9])
    found = invert(both, Stochastic())
    assert found.max_error(world) < 1e-9
    with pytest.raises(AgentValuesError, match=r"from 0\.5 to 0\.9"):
        found.to_mdp()
    assert invert(both.select_goals([0, 1]), Stochastic()).to_mdp().discount == 0.5
    with pytest.raises(AgentValuesError, match=r"from 0\.5 to 0\.9"):
        robust(value_equivalence(both, Stochastic()), goals.select([0]))


def test_noise_limits_of_rows_are_those_of_the_verdict() -> None:
    verdict = identify(solve(random_mdp(4, 2, discount=0.5, seed=1), Goals.generic(4, 4, seed=1)), Stochastic())
    assert verdict.row_largest_noise.shape == (4, 2)
    assert verdict.largest_noise == verdict.row_largest_noise.min() > 0
