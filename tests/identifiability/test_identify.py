"""`identify` for every kernel class and both scopes, against theory, brute force and the forward code."""

from dataclasses import replace
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

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
    identify,
    invert,
    solve,
    solve_soft,
)
from tabular_inversion.environments import chain, four_rooms, graph, random_mdp
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability import Evidence, Status, Witness, WitnessError, check_forward, faces, witnesses
from tabular_inversion.identifiability.witnesses import check_rows, make_witness
from tabular_inversion.policies import uniform
from tabular_inversion.recovery.linear_programs import Solutions

CLASSES = [Unconstrained(), Stochastic(), Sparse(2), Deterministic()]


def agent_of(n=5, goals=2, branching=None, seed=0, actions=2):
    mdp = random_mdp(n, actions, branching=branching, discount=0.9, seed=seed)
    return mdp, solve(mdp, Goals.generic(n, goals, seed=seed))


def test_a_verdict_is_not_a_truth_value():
    _, agent = agent_of()
    with pytest.raises(TypeError, match="not true or false"):
        bool(identify(agent, Stochastic()))


@pytest.mark.parametrize(("goals", "status"), [(5, "IDENTIFIED"), (4, "NOT_IDENTIFIED"), (3, "NOT_IDENTIFIED")])
def test_unconstrained_needs_n_goals(goals, status):
    _, agent = agent_of(goals=goals)
    for scope in ("instance", "uniform"):
        verdict = identify(agent, Unconstrained(), scope=scope)
        assert verdict.status.name == status
        assert verdict.evidence is Evidence.CERTIFIED
        assert (verdict.witness is None) == (status == "IDENTIFIED")


@pytest.mark.parametrize(("goals", "status"), [(5, "IDENTIFIED"), (4, "IDENTIFIED"), (3, "NOT_IDENTIFIED")])
def test_stochastic_needs_n_minus_one_goals(goals, status):
    _, agent = agent_of(goals=goals)
    for scope in ("instance", "uniform"):
        assert identify(agent, Stochastic(), scope=scope).status.name == status


@pytest.mark.parametrize(("goals", "status"), [(2, "IDENTIFIED"), (1, "NOT_IDENTIFIED")])
def test_supported_needs_support_size_minus_one_goals(goals, status):
    mdp, agent = agent_of(n=12, goals=goals, branching=3)
    for scope in ("instance", "uniform"):
        verdict = identify(agent, Supported.of(mdp), scope=scope)
        assert verdict.status.name == status
        assert verdict.rows_identified == (verdict.rows if status == "IDENTIFIED" else 0)


def test_deterministic_needs_one_goal_and_its_own_class():
    _, agent = agent_of(n=12, goals=1, branching=1)
    assert identify(agent, Deterministic()).status is Status.IDENTIFIED
    assert identify(agent, Deterministic(), scope="uniform").status is Status.IDENTIFIED
    assert identify(agent, Stochastic(), scope="uniform").status is Status.NOT_IDENTIFIED


@pytest.mark.parametrize(("goals", "status"), [(3, Status.IDENTIFIED), (2, Status.NOT_IDENTIFIED)])
def test_sparse_needs_two_n_minus_one_goals_uniformly(goals, status):
    _, agent = agent_of(n=7, goals=goals, branching=2)
    verdict = identify(agent, Sparse(2), scope="uniform")
    assert verdict.status is status
    if status is Status.NOT_IDENTIFIED:  # T5b: the crossing diagonals of a convex quadrilateral
        assert np.count_nonzero(verdict.witness.first) <= 2
        assert np.count_nonzero(verdict.witness.second) <= 2


def test_sparse_instance_agrees_with_trying_every_pair_of_successors():
    mdp, agent = agent_of(n=7, goals=2, branching=2, seed=3)
    verdict = identify(agent, Sparse(2))
    system = np.vstack([agent.test_matrix, np.ones(7)])
    truth = mdp.rows.toarray()
    for row in range(len(truth)):
        others = 0
        for pair in combinations(range(7), 2):
            values = system @ truth[row]
            found = np.linalg.lstsq(system[:, pair], values, rcond=None)[0]
            candidate = np.zeros(7)
            candidate[list(pair)] = found
            fits = np.abs(system @ candidate - values).max() < 1e-10 and found.min() > -1e-10
            others += fits and np.abs(candidate - truth[row]).max() > 1e-6
        state, action = divmod(row, 2)
        assert (verdict.row(state, action) is Status.IDENTIFIED) == (others == 0)


@pytest.mark.parametrize("seed", range(6))
def test_instance_scope_agrees_with_bounding_each_entry_by_linear_programs(seed):
    """S1 against a second method: the row is unique iff no entry can vary inside the value-equivalence class."""
    mdp, agent = agent_of(n=6, goals=3, branching=2, seed=seed)
    verdict = identify(agent, Stochastic())
    system = np.vstack([agent.test_matrix, np.ones(6)])
    for row, truth in enumerate(mdp.rows.toarray()):
        widths = []
        for entry in range(6):
            cost = np.eye(6)[entry]
            ends = [linprog(sign * cost, A_eq=system, b_eq=system @ truth, bounds=(0, 1)).x[entry] for sign in (1, -1)]
            widths.append(ends[1] - ends[0])
        expected = Status.IDENTIFIED if max(widths) < 1e-6 else Status.NOT_IDENTIFIED
        assert verdict.row(*divmod(row, 2)) is expected


def test_k33_differs_by_scope():
    """gamma = 1/2 is exceptional: rank 5 of 6. The walk's own rows are vertices, which are identified (S1)."""
    mdp = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    agent = solve(mdp, Goals.indicator(6))
    everywhere = identify(agent, Stochastic(), scope="uniform")
    assert (everywhere.status, everywhere.rank) == (Status.NOT_IDENTIFIED, 5)
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    # A noisy row in the interior is not identified: the X1 witness.
    kernel = mdp.dense().kernel
    noisy = np.full((6, 1, 6), 1 / 12) + np.eye(6)[:, None, :] / 2
    agent = solve(MDP(np.concatenate([kernel, noisy], axis=1), 0.5), Goals.indicator(6))
    verdict = identify(agent, Stochastic())
    assert verdict.status is Status.NOT_IDENTIFIED
    assert verdict.rows_identified == 18
    assert all(verdict.row(s, 3) is Status.NOT_IDENTIFIED for s in range(6))


def test_windy_four_rooms_with_one_goal_has_a_witness_that_the_forward_code_confirms():
    mdp = four_rooms("windy")
    agent = solve(mdp, Goals.generic(68, 1, seed=0))
    result = invert(agent, Stochastic())
    verdict = result.verdict
    assert verdict.status is Status.NOT_IDENTIFIED
    assert check_forward(agent, result.kernel, verdict.witness, Stochastic()) < 1e-8


@pytest.mark.parametrize("kind", ["max", "policy", "softmax"])
def test_witnesses_are_replayed_for_every_way_of_valuing_states(kind):
    mdp = random_mdp(5, 2, discount=0.8, seed=1)
    goals = Goals.generic(5, 2, seed=1)
    agents = {
        "max": lambda: solve(mdp, goals),
        "policy": lambda: evaluate(mdp, goals, uniform(mdp.available)),
        "softmax": lambda: solve_soft(mdp, goals, 0.5),
    }
    agent = agents[kind]()
    result = invert(agent, Stochastic())
    assert result.verdict.status is Status.NOT_IDENTIFIED
    assert check_forward(agent, result.kernel, result.verdict.witness, Stochastic()) < 1e-8


@pytest.mark.parametrize("kind", ["max", "policy", "softmax"])
def test_values_checked_in_large_worlds_bound_those_of_solved_ones(kind, monkeypatch):
    mdp = random_mdp(6, 2, discount=0.8, seed=1)
    goals = Goals.generic(6, 2, seed=1)
    agents = {
        "max": lambda: solve(mdp, goals),
        "policy": lambda: evaluate(mdp, goals, uniform(mdp.available)),
        "softmax": lambda: solve_soft(mdp, goals, 0.5),
    }
    agent = agents[kind]()
    result = invert(agent, Stochastic())
    good = result.verdict.witness
    monkeypatch.setattr(witnesses, "_SOLVED", 0)
    for kernel in (result.kernel, csr_array(result.kernel.reshape(12, 6))):
        assert check_forward(agent, kernel, good, Stochastic()) < 1e-12
        # A row that is off by delta moves the values by about as much, and the bound must see it.
        changed = np.array(result.kernel)
        changed[good.state, good.action] = good.first
        row = changed[good.state, 1 - good.action]
        changed[good.state, 1 - good.action] = 0.9 * row + 0.1 * np.eye(6)[row.argmin()]
        forward = {"max": solve, "softmax": lambda world, g: solve_soft(world, g, 0.5)}
        again = forward.get(kind, lambda world, g: evaluate(world, g, agent.policy))(MDP(changed, 0.8), goals)
        moved = np.abs(again.q - agent.q).max() / np.abs(agent.q).max()
        assert moved > 1e-4
        with pytest.raises(WitnessError, match=r"differ by (\S+)") as caught:
            check_forward(agent, changed, good, Stochastic())
        assert float(str(caught.value).split("differ by ")[1].split()[0]) >= 0.99 * moved


def test_unavailable_actions_have_no_verdict():
    mdp = graph(nx.path_graph(4), discount=0.5)
    verdict = identify(solve(mdp, Goals.generic(4, 4, seed=0)), Stochastic())
    assert verdict.rows == int(mdp.available.sum()) < mdp.available.size
    assert verdict.row(0, 1) is None
    assert (verdict.row_status[~mdp.available] == -1).all()


def test_values_of_no_kernel_are_inconsistent_and_the_place_is_named():
    _, agent = agent_of(n=6, goals=6)
    q = np.array(agent.q)
    q[2, 4, 1] += 5.0  # changes V of state 4 too, hence every row that reaches it: all of them
    verdict = identify(AgentValues(q, agent.goals, agent.discount), Stochastic())
    assert verdict.status is Status.INCONSISTENT
    assert "state 4, action 1" in verdict.reason
    assert verdict.largest_residual > 0.01


def test_a_stochastic_row_is_inconsistent_with_the_deterministic_class():
    _, agent = agent_of(n=6, goals=3)
    assert identify(agent, Deterministic()).status is Status.INCONSISTENT


def test_noise_within_the_stated_level_is_not_inconsistent():
    _, agent = agent_of(n=4, goals=4)
    noisy = agent.with_noise(1e-5, seed=0)
    assert identify(noisy, Unconstrained()).status is Status.IDENTIFIED
    short = agent_of(n=6, goals=8)[1].with_noise(1e-5, seed=0)
    assert identify(short, Stochastic()).status is Status.INCONSISTENT
    assert identify(short, Stochastic(), noise=1e-5).status is Status.IDENTIFIED


@pytest.mark.parametrize("kernel_class", CLASSES)
def test_permuting_states_permutes_the_verdict(kernel_class):
    _, agent = agent_of(n=6, goals=2, branching=1 if isinstance(kernel_class, Deterministic) else 2, seed=5)
    order = np.random.default_rng(0).permutation(6)
    first, second = identify(agent, kernel_class), identify(agent.permute_states(order), kernel_class)
    np.testing.assert_array_equal(first.row_status[order], second.row_status)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_adding_a_goal_never_loses_identifiability(n, k, seed):
    mdp = random_mdp(n, 2, branching=min(n, 2), discount=0.9, seed=seed)
    agent = solve(mdp, Goals.generic(n, k + 1, seed=seed))
    fewer, more = identify(agent.select_goals(np.arange(k)), Stochastic()), identify(agent, Stochastic())
    lost = (fewer.row_status == Status.IDENTIFIED) & (more.row_status == Status.NOT_IDENTIFIED)
    assert not lost.any()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from(["instance", "uniform"]))
def test_every_refusal_carries_two_rows_of_the_class_with_equal_values(n, k, seed, scope):
    mdp = random_mdp(n, 2, discount=0.9, seed=seed)
    agent = solve(mdp, Goals.generic(n, k, seed=seed))
    verdict = identify(agent, Stochastic(), scope=scope)
    assert (verdict.status is Status.NOT_IDENTIFIED) == (verdict.witness is not None)
    if verdict.witness is not None:
        rows = np.stack([verdict.witness.first, verdict.witness.second])
        assert Stochastic().contains(rows).all()
        assert np.abs(rows[0] - rows[1]).sum() > 1e-6
        gap = np.abs(agent.test_matrix @ (rows[0] - rows[1])).max()
        assert gap <= 1e-10 * np.abs(agent.test_matrix).max()


class TestWitnessChecker:
    """The checker of witnesses must catch each kind of false witness."""

    mdp = random_mdp(4, 2, discount=0.9, seed=0)
    agent = solve(mdp, Goals.generic(4, 1, seed=0))
    result = invert(agent, Stochastic())

    def change(self, **parts):
        good = self.result.verdict.witness
        fields = {"first": good.first, "second": good.second} | parts
        return make_witness(self.agent, good.state * 2 + good.action, **fields)

    def test_the_true_one_passes(self):
        check_rows(self.agent, self.change(), Stochastic())

    def test_equal_rows(self):
        with pytest.raises(WitnessError, match="apart"):
            check_rows(self.agent, self.change(second=self.result.verdict.witness.first), Stochastic())

    def test_another_value(self):
        with pytest.raises(WitnessError, match="values of goal 0 differ"):
            check_rows(self.agent, self.change(second=np.array([1.0, 0.0, 0.0, 0.0])), Stochastic())

    def test_not_a_distribution(self):
        with pytest.raises(WitnessError, match="no member"):
            check_rows(self.agent, self.change(second=self.result.verdict.witness.second * 2), Stochastic())

    def test_off_the_support(self):
        support = np.ones((4, 2, 4), bool)
        support[self.result.verdict.witness.state, self.result.verdict.witness.action] = [True, False, False, False]
        with pytest.raises(WitnessError, match="support"):
            check_rows(self.agent, self.change(), Supported(support))

    def test_forward_values_that_differ(self):
        good = self.result.verdict.witness
        wrong = Witness(good.state, good.action, good.first, np.array([1.0, 0.0, 0.0, 0.0]), 0.0)
        with pytest.raises(WitnessError, match="values of goal 0 differ"):
            check_forward(self.agent, self.result.kernel, wrong, Stochastic())
        other = np.array(self.result.kernel)
        other[good.state, 1 - good.action] = [1.0, 0.0, 0.0, 0.0]
        with pytest.raises(WitnessError, match="Q-values differ"):
            check_forward(self.agent, other, good, Stochastic())

    def test_a_gap_that_was_not_measured(self):
        wrong = replace(self.change(), value_gap=1e-3)
        with pytest.raises(WitnessError, match="was stated"):
            check_rows(self.agent, wrong, Stochastic())


@pytest.mark.parametrize(("scope", "noise"), [("global", 0.0), ("instance", -1.0), ("instance", np.nan)])
def test_wrong_calls(scope, noise):
    _, agent = agent_of()
    with pytest.raises(InputError):
        identify(agent, Stochastic(), scope=scope, noise=noise)


def test_one_state_is_identified_among_kernels():
    agent = solve(MDP([[[1.0]]], 0.5), Goals([[0.0]]))
    assert identify(agent, Stochastic()).status is Status.IDENTIFIED
    assert identify(agent, Deterministic()).status is Status.IDENTIFIED
    assert identify(agent, Unconstrained()).status is Status.NOT_IDENTIFIED


def test_row_and_repr_and_dict():
    verdict = identify(solve(chain(3), Goals.generic(3, 3, seed=0)), Stochastic())
    assert repr(verdict) == "<Verdict IDENTIFIED, certified, instance scope, optimal agents: 6 of 6 rows identified>"
    expected = {"status", "evidence", "rows", "rows_identified", "rank", "n_states", "n_goals", "sigma_min", "witness"}
    assert expected <= set(verdict.to_dict())


@pytest.mark.parametrize(
    "kernel_class", [Stochastic(), Unconstrained(), Sparse(3), Supported(np.ones((3, 2, 3), bool))]
)
def test_noise_within_what_was_said_is_never_called_a_contradiction(kernel_class):
    """Least squares misses some value by more than the noise on most of these; the truth misses none."""
    for seed in range(20):
        mdp = random_mdp(3, 2, discount=0.0, seed=seed)
        agent = solve(mdp, Goals.generic(3, 6, seed=seed))
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], agent.q.shape)
        noisy = replace(agent, q=agent.q + 0.05 * signs)
        assert identify(noisy, kernel_class, noise=0.05).status is not Status.INCONSISTENT
        assert identify(noisy, kernel_class, noise=1e-4).status is Status.INCONSISTENT


def test_noise_within_what_was_said_contradicts_no_deterministic_world_in_any_norm():
    _, agent = agent_of(n=8, goals=3, branching=1)
    noisy = agent.with_noise(0.02, seed=1)
    for norm in (1, 2, np.inf):
        assert invert(noisy, Deterministic(), norm=norm, noise=0.02).verdict.status is not Status.INCONSISTENT


def test_under_noise_only_what_is_proved_is_decided():
    """A rank that the noise may have made is no rank; a rank that no noise of this size can take away is one."""
    _, agent = agent_of(n=4, goals=4)
    noisy = agent.with_noise(0.5, seed=0)
    verdict = identify(noisy, Stochastic(), noise=0.5)
    assert verdict.status is Status.UNDECIDED
    assert "less would" in verdict.reason
    assert identify(agent.with_noise(1e-6, seed=0), Stochastic(), noise=1e-6).evidence is Evidence.CERTIFIED


def test_rows_beside_inconsistent_ones_keep_their_witness():
    mdp = random_mdp(5, 2, discount=0.5, seed=0)
    agent = solve(mdp, Goals(np.repeat(Goals.generic(5, 1, seed=0).rewards, 2, axis=0)))
    q = np.array(agent.q)
    best = q[0, 0].argmax()
    q[0, 0, 1 - best] -= 0.1  # the other copy of this goal disagrees, in the first row alone
    verdict = identify(AgentValues(q, agent.goals, 0.5), Stochastic())
    assert verdict.row(0, 1 - best) is Status.INCONSISTENT
    assert verdict.row(3, 0) is Status.NOT_IDENTIFIED
    assert verdict.witness is not None
    verdict.verify()


def tampered(verdict):
    """Change one thing at a time, each into something false."""
    states = np.argwhere(verdict.row_status >= 0)
    for code in Status:
        state, action = states[0]
        if code == verdict.row_status[state, action]:
            continue
        changed = verdict.row_status.copy()
        changed[state, action] = code
        yield f"row to {code.name}", replace(verdict, row_status=changed)
    if (verdict.row_evidence == Evidence.NUMERIC).any():
        yield "evidence", replace(verdict, row_evidence=np.maximum(verdict.row_evidence, Evidence.CERTIFIED))
    if verdict.witness is not None:
        witness = verdict.witness
        yield "no witness", replace(verdict, witness=None)
        yield "equal rows", replace(verdict, witness=replace(witness, second=witness.first))
        other = np.roll(np.eye(len(witness.first)), 1)[0]
        yield "another row", replace(verdict, witness=replace(witness, second=other))
        for state, action in states[verdict.row_status[tuple(states.T)] != Status.NOT_IDENTIFIED][:1]:
            moved = replace(witness, state=int(state), action=int(action))
            yield "witness for another row", replace(verdict, witness=moved)


def refuses(verdict):
    try:
        verdict.verify()
    except WitnessError:
        return True
    return False


@pytest.mark.parametrize("scope", ["instance", "uniform"])
@pytest.mark.parametrize("goals", [1, 3, 6])
def test_a_verdict_that_was_tampered_with_does_not_survive(scope, goals):
    mdp, agent = agent_of(n=5, goals=goals, branching=2)
    for kernel_class in [*CLASSES, Supported.of(mdp)]:
        verdict = identify(agent, kernel_class, scope=scope)
        verdict.verify()
        for what, wrong in tampered(verdict):
            assert refuses(wrong), f"{what} of {verdict}"


def test_a_witness_with_other_values_than_the_agents_does_not_survive():
    _, agent = agent_of(n=5, goals=1)
    verdict = identify(agent, Stochastic())
    uniform_one = identify(agent, Stochastic(), scope="uniform").witness
    place = {"state": verdict.witness.state, "action": verdict.witness.action}
    with pytest.raises(WitnessError, match="miss the agent's value of goal 0"):
        replace(verdict, witness=replace(uniform_one, **place)).verify()


def test_many_faces_are_decided_in_few_programs(monkeypatch):
    """Rows on different faces share calls of the solver, and agree with one program each."""
    _, agent = agent_of(n=20, goals=8, branching=3, actions=5)
    calls = []
    solver = faces.solve_blocks
    monkeypatch.setattr(faces, "solve_blocks", lambda *parts: calls.append(len(parts[0])) or solver(*parts))
    together = identify(agent, Stochastic())
    assert sum(calls) > 50 * len(calls) / 2
    monkeypatch.setattr(faces, "block_size", lambda _: 1)
    alone = identify(agent, Stochastic())
    np.testing.assert_array_equal(together.row_status, alone.row_status)
    assert {int(code) for code in np.unique(together.row_status)} == {Status.IDENTIFIED, Status.NOT_IDENTIFIED}


def test_programs_that_the_solver_gives_up_leave_their_rows_undecided(monkeypatch):
    _, agent = agent_of(n=20, goals=8, branching=3)

    def give_up(costs, equations, values, *_):
        return Solutions(np.zeros(costs.shape), np.zeros(values.shape), np.zeros(len(costs), bool))

    monkeypatch.setattr(faces, "solve_blocks", give_up)
    verdict = identify(agent, Stochastic())
    assert (verdict.row_status == Status.UNDECIDED).any()
    assert "exact values would decide" in verdict.reason
