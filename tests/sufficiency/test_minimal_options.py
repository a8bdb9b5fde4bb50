"""Each option of `minimal` against all subsets of the candidates, judged by exact verdicts in fractions."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from tabular_inversion import (
    MDP,
    Deterministic,
    Evidence,
    Goals,
    Sparse,
    Status,
    Supported,
    identify,
    invert,
    solve,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.errors import GoalsError, InputError, ShapeError, WitnessError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact import evaluate as evaluate_exactly
from tabular_inversion.exact import solve as solve_exactly
from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.exact.policies import uniform_policy
from tabular_inversion.sufficiency import InsufficientGoalsError, minimal
from tabular_inversion.sufficiency.scenarios import drawn_world
from tabular_inversion.sufficiency.smallest.lower_bounds import Leaf


def rational_world(rng, n, m=2, discount=0.5) -> MDP:
    """Rows of up to three successors, in sixteenths."""
    kernel = np.zeros((n, m, n))
    for s, a in np.ndindex(n, m):
        size = int(rng.integers(1, min(n, 3) + 1))
        shares = 1 + rng.multinomial(16 - size, np.ones(size) / size)
        kernel[s, a, rng.choice(n, size, replace=False)] = shares / 16
    return MDP(kernel, discount)


def exact_agents(world, goals, policies=("optimal",), discounts=()):
    for policy in policies:
        for discount in discounts or (world.discount,):
            mdp = ExactMDP.from_float(world.with_discount(discount), limit_denominator=1000)
            own = ExactGoals.from_float(goals)
            if isinstance(policy, str) and policy == "optimal":
                yield solve_exactly(mdp, own)
            else:
                yield evaluate_exactly(mdp, own, uniform_policy(world.available))


def known_rows(agent, goals, kernel_class) -> np.ndarray:
    goals = list(goals)
    if not goals:
        if isinstance(kernel_class, Supported):
            return kernel_class.sizes.reshape(agent.available.shape) == 1
        return np.full(agent.available.shape, agent.n_states == 1)
    policy = agent.policy if agent.policy is None or agent.policy.ndim == 2 else agent.policy[goals]
    part = ExactAgentValues(agent.q[goals], agent.goals.select(goals), agent.discount, policy, agent.available)
    return identify(part, kernel_class, scope="uniform").row_status == Status.IDENTIFIED


def predicted(agent, goals, kernel_class, noise, *, relative=True):
    """The predicted error of the worst row from the formula, by inverses, row by row."""
    q = agent.q.astype(float)
    scale = np.abs(q).max(axis=(1, 2)) if relative else np.ones(len(q))
    matrix = (agent.test_matrix.astype(float) / np.where(scale > 0, scale, 1)[:, None])[list(goals)]
    z, gamma, worst = norm.isf(0.025 / agent.available.sum()), float(agent.discount), 0.0
    for row in kernel_class.support.toarray()[agent.row_index]:
        states = np.flatnonzero(row)
        if len(states) == 1:
            continue
        basis = np.linalg.svd(np.ones((1, len(states))))[2][1:].T
        equations = matrix[:, states] @ basis
        if np.linalg.matrix_rank(equations) < len(states) - 1:
            return np.sqrt(2)
        trace = np.trace(np.linalg.inv(equations.T @ equations))
        shrunk = 1 - gamma * noise * np.sqrt((len(states) - 1) * trace)
        worst = max(
            worst, min(z * (1 + gamma) * noise * np.sqrt(trace) / shrunk, np.sqrt(2)) if shrunk > 0 else np.sqrt(2)
        )
    return worst


def worst_sigma(agents, goals, kernel_class, region, *, relative=True):
    """The smallest singular value of any row's equations, row by row."""
    found = [np.inf]
    for agent in agents:
        scale = np.abs(agent.q.astype(float)).max(axis=(1, 2)) if relative else np.ones(len(agent.q))
        matrix = (agent.test_matrix.astype(float) / np.where(scale > 0, scale, 1)[:, None])[list(goals)]
        for row in kernel_class.support.toarray()[np.flatnonzero(region)]:
            states = np.flatnonzero(row)
            if len(states) > 1:
                basis = np.linalg.svd(np.ones((1, len(states))))[2][1:].T
                sigma = np.linalg.svd(matrix[:, states] @ basis, compute_uv=False)
                found.append(sigma[-1] if len(sigma) == len(states) - 1 else 0.0)
    return min(found)


def cheapest(k, costs, meets):
    """Return the least price of a subset that does it, and all of that price."""
    found = {}
    for size in range(k + 1):
        for goals in combinations(range(k), size):
            if meets(goals):
                found.setdefault(round(sum(costs[g] for g in goals), 9), set()).add(goals)
    return (min(found), found[min(found)]) if found else (None, set())


OPTIONS = (
    "spare",
    "costs",
    "forbidden",
    "rows",
    "coverage",
    "policies",
    "discounts",
    "worlds",
    "error",
    "absolute",
    "generic",
    "given",
    "spare and coverage",
)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ["supported", "deterministic"])
def test_no_subset_is_cheaper_and_none_of_that_price_is_conditioned_better(option, seed, name):
    if option in ("error", "absolute", "generic") and name == "deterministic":
        return
    rng = np.random.default_rng([seed, OPTIONS.index(option)])
    n = int(rng.integers(3, 6))
    world, other = rational_world(rng, n), rational_world(rng, n)
    goals = Goals.indicator(n).join(Goals(rng.integers(-9, 10, (1, n)).astype(float)))
    k = n + 1
    kernel_class = Supported.of(world) if name == "supported" else Deterministic()
    costs = rng.integers(1, 6, k) / 2 if option == "costs" else np.ones(k)
    options = {
        "spare": {"spare": 1},
        "costs": {"costs": costs.tolist()},
        "forbidden": {"forbidden": [0, 1]},
        "rows": {"rows": [0, 1]},
        "coverage": {"coverage": 0.6},
        "policies": {"policies": ["optimal", "uniform"]},
        "discounts": {"discounts": [0.5, 0.25]},
        "worlds": {"worlds": [other]},
        "error": {"noise": 1e-3, "error": 0.05},
        "absolute": {"noise": 1e-3, "error": 0.05, "relative": False},
        "generic": {"generic": True},
        "given": {"given": [1], "spare": 1},
        "spare and coverage": {"spare": 1, "coverage": 0.6},
    }[option]
    agents = list(exact_agents(world, goals, options.get("policies", ["optimal"]), options.get("discounts", ())))
    agents += list(exact_agents(other, goals)) if option == "worlds" else []
    if option == "generic":
        agents = [agent for i in range(16) for agent in exact_agents(drawn_world(world, i), goals)]
    relative, given = options.get("relative", True), set(options.get("given", ()))
    spare, coverage = options.get("spare", 0), options.get("coverage", 1.0)
    allowed = set(range(k)) - set(options.get("forbidden", ()))
    region = np.isin(np.arange(n), options.get("rows", range(n)))[:, None] & np.ones((n, 2), bool)

    def known(agent, chosen):
        return known_rows(agent, chosen, kernel_class)[region].mean() >= coverage - 1e-9

    def meets(chosen):
        if not set(chosen) <= allowed or not given <= set(chosen):
            return False
        fail = combinations(chosen, min(spare, len(chosen)))
        left = [[g for g in chosen if g not in failed] for failed in fail]
        enough = all(known(agent, part) for agent in agents for part in left)
        limited = "error" in options
        return enough and (not limited or predicted(agents[0], chosen, kernel_class, 1e-3, relative=relative) <= 0.05)

    price, sets = cheapest(k, costs, meets)
    if price is None:
        with pytest.raises(InsufficientGoalsError):
            minimal(world, goals, kernel_class, **options)
        return
    found = minimal(world, goals, kernel_class, **options)
    assert found.cost == pytest.approx(price)
    check_found(found, sets)
    if name == "supported" and coverage == 1 and found.goals:
        best = max(worst_sigma(agents, chosen, kernel_class, region, relative=relative) for chosen in sets)
        assert worst_sigma(agents, found.goals, kernel_class, region, relative=relative) >= best * (1 - 1e-5)
        assert found.sigma_min == pytest.approx(best, rel=1e-5)
    if "error" in options:
        expected = predicted(agents[0], found.goals, kernel_class, 1e-3, relative=relative)
        assert found.predicted_error == pytest.approx(expected, rel=1e-6)


def check_found(found, sets):
    """One of the sets, with others among its alternatives, and it verifies."""
    assert found.optimal
    assert found.goals in sets
    assert set(found.alternatives) < sets
    assert found.best_conditioned or not found.goals
    assert found.sufficiency_evidence is Evidence.EXACT
    assert found.evidence is Evidence.EXACT
    found.verify()


def test_a_set_for_unknown_probabilities_suffices_for_others_too():
    world = four_rooms("windy")
    found = minimal(world, range(68), Supported.of(world), generic=True, seconds=10)
    assert found.size == 4  # each of the drawn worlds alone asks for two
    others = [drawn_world(world, seed) for seed in range(100, 120)]
    enough = [
        identify(solve(other, found.chosen), Supported.of(world), scope="uniform").status is Status.IDENTIFIED
        for other in others
    ]
    assert sum(enough) >= 19


@pytest.mark.parametrize("generic", [True, False])
def test_drawn_worlds_in_floats_are_welcome(generic):
    world = random_mdp(12, 2, branching=4, discount=0.9, seed=0)
    found = minimal(world, Goals.indicator(12), Supported.of(world), generic=generic)
    assert (found.size, found.optimal) == (3, True) or generic
    assert found.sufficiency_evidence is found.evidence is Evidence.EXACT
    assert "normalised exactly" in found.text or generic  # drawn probabilities are quotients of small numbers
    found.verify()


def test_recovery_from_noisy_agents_keeps_the_predicted_error():
    world, noise = four_rooms("windy"), 1e-5
    known = Supported.of(world)
    found = minimal(world, range(68), known, noise=noise, spare=1)
    agent = solve(world, found.chosen)
    scale = np.abs(agent.q).max(axis=(1, 2), keepdims=True)
    errors = []
    for seed in range(20):
        q = agent.q + noise * scale * np.random.default_rng(seed).normal(size=agent.q.shape)
        noisy = type(agent)(q, agent.goals, agent.discount)
        kernel = invert(noisy, known, noise=5 * noise).to_mdp().dense().kernel
        errors.append(np.sqrt(((kernel - world.dense().kernel) ** 2).sum(axis=2)).max())
    assert np.mean(np.array(errors) <= found.predicted_error) >= 0.95
    assert found.predicted_error < 1.4


def test_without_time_a_set_is_found_and_its_gap_is_stated():
    world = four_rooms("windy")
    found = minimal(world, range(68), Supported.of(world), spare=1, seconds=0)
    assert found.gap == found.cost - found.lower_bound > 0
    assert not found.best_conditioned
    found.verify()


def test_states_and_names_are_those_of_the_chosen_goals():
    world = four_rooms("windy")
    found = minimal(world, [5, 17, 40, 60], Supported.of(world))
    assert set(found.states) <= {5, 17, 40, 60}
    assert found.names == tuple(world.state_name(state) for state in found.states)
    np.testing.assert_array_equal(found.chosen.rewards.argmax(axis=1), found.states)


def test_the_found_set_is_taken_as_it_is():
    world = four_rooms("windy")
    found = minimal(world, [5, 17, 40, 60], Supported.of(world))
    from tabular_inversion.sufficiency import concrete

    assert concrete(world, found).status is Status.IDENTIFIED


WRONG = {
    "coverage of nothing": ({"coverage": 0.0}, InputError),
    "negative spare": ({"spare": -1}, InputError),
    "error without noise": ({"error": 0.1}, InputError),
    "costs of none": ({"costs": [1.0]}, InputError),
    "costs that are zero": ({"costs": [0.0] * 4}, InputError),
    "given and forbidden": ({"given": [0], "forbidden": [0]}, GoalsError),
    "an empty region": ({"rows": np.zeros(4, bool)}, InputError),
    "a world of another size": ({"worlds": [random_mdp(3, 2, branching=2, discount=0.5, seed=0)]}, ShapeError),
}


@pytest.mark.parametrize(("options", "error"), WRONG.values(), ids=WRONG.keys())
def test_wrong_options_are_refused(options, error):
    world = random_mdp(4, 2, branching=2, discount=0.5, seed=0)
    with pytest.raises(error):
        minimal(world, range(4), Supported.of(world), **options)


def test_a_support_alone_needs_drawn_worlds_and_a_discount():
    support = Supported.of(four_rooms("windy"))
    with pytest.raises(InputError, match="generic=True"):
        minimal(support, range(68), support)
    assert minimal(support, range(68), support, generic=True, discounts=[0.9], seconds=10).size in {3, 4}


def test_sparse_rows_have_no_sets_of_their_own():
    world = random_mdp(6, 2, branching=2, discount=0.5, seed=0)
    with pytest.raises(InputError, match="sets of successors"):
        minimal(world, range(6), Sparse(2), spare=1)


def test_what_was_tampered_with_is_refused():
    world, costs = rational_world(np.random.default_rng(5), 5), [1.0, 1.5, 1.0, 1.25, 1.0]
    found = minimal(world, range(5), Supported.of(world), spare=1, costs=costs)
    proof = found.proof
    assert found.evidence is found.sufficiency_evidence is Evidence.EXACT
    assert proof.tree is not None
    assert proof.cuts
    found.verify()
    lies = [replace(found, goals=found.goals[1:]), replace(found, lower_bound=found.cost + 0.25)]
    lies += [replace(found, alternatives=((0,),)), replace(found, state_names=("a", "a"))]
    wrong_cut = (np.eye(1, 5, dtype=bool)[0], 1)
    lies.append(replace(found, asked=replace(found.asked, cuts=(wrong_cut,))))
    for change in (
        {"cuts": (replace(proof.cuts[0], inside=(0, 1, 2, 3, 4)), *proof.cuts[1:])},
        {"cuts": proof.cuts[1:]},
        {"tree": Leaf(((0, Fraction(-1)),))},
        {"tree": Leaf(())},
        {"agents": (next(exact_agents(world, Goals.generic(5, 5, seed=1))),)},
        {"agents": ()},
    ):
        lies.append(replace(found, proof=replace(proof, **change)))
    for lie in lies:
        with pytest.raises(WitnessError):
            lie.verify()


def test_where_fractions_are_out_of_reach_bound_gap_and_the_reason_are_stated():
    world = four_rooms("windy")
    found = minimal(world, range(68), Supported.of(world), spare=1, seconds=2)  # fractions would take longer
    assert found.proof is None
    assert found.sufficiency_evidence is Evidence.CERTIFIED
    assert "no proof in fractions was tried" in found.text
    assert found.lower_bound == 3  # two unknowns and one to spare: counting is a proof
    assert found.evidence is Evidence.EXACT
    assert "proved by counting unknowns" in found.text
    found.verify()
    for lie in (replace(found, lower_bound=4.0), replace(found, lower_bound=found.cost + 1)):
        with pytest.raises(WitnessError):
            lie.verify()


@pytest.mark.parametrize("seed", range(3))
def test_all_options_at_once_have_a_proof_in_fractions(seed):
    """Several worlds, discounts and policies, a region, a spare, costs and a forbidden goal: against all subsets."""
    rng = np.random.default_rng([7, seed])
    world, other = rational_world(rng, 4), rational_world(rng, 4)
    goals = Goals.indicator(4).join(Goals(rng.integers(-9, 10, (3, 4)).astype(float)))
    known, costs = Supported(np.ones((4, 2, 4), bool)), (rng.integers(1, 9, 7) / 4).tolist()
    policies, discounts = ["optimal", "uniform"], [0.5, 0.25]
    agents = [agent for w in (world, other) for agent in exact_agents(w, goals, policies, discounts)]

    def meets(chosen):
        left = [[g for g in chosen if g != failed] for failed in chosen]
        return (
            3 not in chosen
            and len(chosen) > 1
            and all(known_rows(agent, part, known)[:2].all() for agent in agents for part in left)
        )

    price, sets = cheapest(7, costs, meets)
    options = {"worlds": [other], "policies": policies, "discounts": discounts, "rows": [0, 1]}
    if price is None:
        with pytest.raises(InsufficientGoalsError):
            minimal(world, goals, known, spare=1, costs=costs, forbidden=[3], **options)
        return
    found = minimal(world, goals, known, spare=1, costs=costs, forbidden=[3], **options)
    assert found.cost == pytest.approx(price)
    assert found.evidence is found.sufficiency_evidence is Evidence.EXACT
    check_found(found, sets)
