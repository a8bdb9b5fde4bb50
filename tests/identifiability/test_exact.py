"""Exact verdicts: every class and scope, with proofs that re-check, and false proofs that do not."""

from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import Deterministic, Sparse, Stochastic, Supported, Unconstrained, exact, identify
from tabular_inversion.environments import four_rooms, graph
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP
from tabular_inversion.identifiability import Evidence, Status, WitnessError, check_forward
from tabular_inversion.identifiability.rational.judge_exactly import exact_system
from tabular_inversion.identifiability.rational.proofs import ColumnProof
from tabular_inversion.interop import exact_kernel

HALF = Fraction(1, 2)


def indicators(n, terminating=True):
    unit = np.array([[Fraction(int(i == j)) for j in range(n)] for i in range(n)], dtype=object)
    return ExactGoals(unit, 1 - unit if terminating else None)


def draw(n=4, k=2, branching=None, seed=0, actions=2, discount=Fraction(9, 10)):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 6, (n, actions, n))
    if branching is not None:
        weights = np.where(rng.random(weights.shape).argsort(axis=2).argsort(axis=2) < branching, weights, 0)
    totals = weights.sum(axis=2)
    kernel = [[[Fraction(int(w), int(totals[s, a])) for w in weights[s, a]] for a in range(actions)] for s in range(n)]
    world = ExactMDP(kernel, discount)
    rewards = [[Fraction(int(x), 7) for x in row] for row in rng.integers(-99, 100, (k, n))]
    return world, exact.solve(world, ExactGoals(rewards))


def k33(discount, noisy=False):
    mdp = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    kernel, available = exact_kernel(mdp), mdp.available
    if noisy:
        stay = np.array([[[HALF * (s == t) + Fraction(1, 12) for t in range(6)]] for s in range(6)], dtype=object)
        kernel = np.concatenate([kernel, stay], axis=1)
        available = np.ones((6, 4), bool)
    world = ExactMDP(kernel, discount, available)
    return world, exact.solve(world, indicators(6))


CASES = [
    (Unconstrained(), 4, None, "IDENTIFIED"),
    (Unconstrained(), 3, None, "NOT_IDENTIFIED"),
    (Stochastic(), 3, None, "IDENTIFIED"),
    (Stochastic(), 2, None, "NOT_IDENTIFIED"),
    (Sparse(2), 3, 2, "IDENTIFIED"),
    (Deterministic(), 1, 1, "IDENTIFIED"),
]


@pytest.mark.parametrize("scope", ["instance", "uniform"])
@pytest.mark.parametrize(("kernel_class", "goals", "branching", "status"), CASES)
def test_classes(kernel_class, goals, branching, status, scope):
    _, agent = draw(k=goals, branching=branching)
    verdict = identify(agent, kernel_class, scope=scope)
    assert verdict.status.name == status
    assert verdict.evidence is Evidence.EXACT
    assert (verdict.witness is None) == (status == "IDENTIFIED")
    verdict.verify()


@pytest.mark.parametrize(("goals", "status"), [(2, "IDENTIFIED"), (1, "NOT_IDENTIFIED")])
@pytest.mark.parametrize("scope", ["instance", "uniform"])
def test_supported(goals, status, scope):
    world, agent = draw(n=6, k=goals, branching=3)
    verdict = identify(agent, Supported(world.kernel != 0), scope=scope)
    assert verdict.status.name == status
    verdict.verify()


@pytest.mark.parametrize("sign", [-1, 0, 1])
@pytest.mark.parametrize("k", range(2, 61))
def test_k33_near_its_exceptional_discount_is_right_at_every_distance(k, sign):
    """K_{3,3} at gamma = 1/2 +- 2^-k: rank 5 exactly at 1/2, 6 everywhere else near it."""
    _, agent = k33(HALF + sign * Fraction(1, 2**k))
    verdict = identify(agent, Stochastic(), scope="uniform")
    assert verdict.rank == (5 if sign == 0 else 6)
    assert verdict.status is (Status.NOT_IDENTIFIED if sign == 0 else Status.IDENTIFIED)
    floats = identify(agent.to_float(), Stochastic(), scope="uniform")
    if floats.status is Status.IDENTIFIED:
        assert sign != 0
    assert floats.status is not Status.NOT_IDENTIFIED or sign == 0 or k > 53


def test_k33_rows_are_vertices_and_the_noisy_row_is_the_x1_witness():
    _, agent = k33(HALF)
    verdict = identify(agent, Stochastic())
    assert (verdict.status, verdict.rank) == (Status.IDENTIFIED, 5)
    verdict.verify()
    world, agent = k33(HALF, noisy=True)
    verdict = identify(agent, Stochastic())
    assert verdict.status is Status.NOT_IDENTIFIED
    assert verdict.rows_identified == 18
    verdict.verify()
    check_forward(agent, world.kernel, verdict.witness, verdict.kernel_class)
    difference = verdict.witness.first - verdict.witness.second
    # Mass moves evenly from one side of the graph to the other.
    assert len({abs(x) for x in difference}) == 1
    assert sorted(x > 0 for x in difference[:3]) in ([False] * 3, [True] * 3)


def test_the_x1_witness_of_one_twenty_fourth():
    """Moving mass 1/24 for each state from one side to the other leaves the optimal Q of all six goals unchanged."""
    world, agent = k33(HALF, noisy=True)
    changed = np.array(world.kernel)
    side = np.array([Fraction(1, 24)] * 3 + [Fraction(-1, 24)] * 3, dtype=object)
    changed[0, 3] = changed[0, 3] + side
    again = exact.solve(ExactMDP(changed, HALF, world.available), indicators(6))
    assert (changed != world.kernel).any()
    np.testing.assert_array_equal(again.q, agent.q)


def test_contradictory_values_are_proved_inconsistent():
    _, agent = draw(n=3, k=4)
    q = np.array(agent.q)
    q[0, 1, 1] += 1000
    changed = ExactAgentValues(q, agent.goals, agent.discount)
    for kernel_class in (Stochastic(), Unconstrained()):
        verdict = identify(changed, kernel_class)
        assert verdict.status is Status.INCONSISTENT
        verdict.verify()
    assert identify(agent, Deterministic()).status is Status.INCONSISTENT


def test_floats_by_explicit_request_are_dyadic_rationals():
    _, agent = draw()
    verdict = identify(agent.to_float(), Stochastic(), scope="uniform", exact=True)
    assert verdict.evidence is Evidence.EXACT
    with pytest.raises(InputError, match="noise"):
        identify(agent, Stochastic(), noise=0.1)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("branching", [1, 2, None])
def test_floats_never_contradict_fractions(seed, branching):
    _, agent = draw(n=4, k=1 + seed % 3, branching=branching, seed=seed)
    for kernel_class in (Unconstrained(), Stochastic(), Sparse(2)):
        for scope in ("instance", "uniform"):
            exactly, floats = (
                identify(agent, kernel_class, scope=scope),
                identify(agent.to_float(), kernel_class, scope=scope),
            )
            decided = (floats.row_status != Status.UNDECIDED) & (exactly.row_status != Status.UNDECIDED)
            np.testing.assert_array_equal(exactly.row_status[decided], floats.row_status[decided])


def test_four_rooms_with_all_goals_is_proved():
    world = ExactMDP(exact_kernel(four_rooms("windy")), Fraction(99, 100))
    agent = exact.solve(world, indicators(68))
    verdict = identify(agent, Stochastic())
    assert (verdict.status, verdict.evidence, verdict.rank) == (Status.IDENTIFIED, Evidence.EXACT, 68)
    verdict.verify()


class TestFalseProofs:
    """A verdict whose proof or witness was tampered with must not survive its re-check."""

    def test_a_proof_of_another_matrix(self):
        _, agent = draw(k=3)
        verdict = identify(agent, Stochastic())
        proof = verdict.proofs[0]
        broken = exact.rank(np.ones((4, 4), int))
        with pytest.raises(WitnessError, match="rank"):
            replace(verdict, proofs=(replace(proof, rank=broken), *verdict.proofs[1:])).verify()

    def test_a_missing_proof(self):
        _, agent = draw(k=3)
        with pytest.raises(WitnessError, match="proofs: 1 are needed"):
            replace(identify(agent, Stochastic()), proofs=()).verify()

    def test_a_face_that_is_not_the_rows_own(self):
        _, agent = k33(HALF)
        verdict = identify(agent, Stochastic())
        face = verdict.proofs[-1]
        with pytest.raises(WitnessError, match="certificate"):
            replace(verdict, proofs=(*verdict.proofs[:-1], replace(face, off=~face.off))).verify()

    def test_equal_columns(self):
        _, agent = k33(HALF)
        flat = ExactAgentValues(agent.q, ExactGoals([[0] * 6] * 6), agent.discount, agent.policy, agent.available)
        system = exact_system(flat, Deterministic())
        with pytest.raises(WitnessError, match="equal to another"):
            ColumnProof(np.arange(18), np.arange(6)).verify(system, uniform=True)

    @pytest.mark.parametrize("second", ["same", "heavy", "elsewhere"])
    def test_witnesses(self, second):
        _, agent = draw(k=2)
        verdict = identify(agent, Stochastic())
        good = verdict.witness
        vertex = np.array([Fraction(1)] + [Fraction(0)] * 3, dtype=object)
        rows = {"same": good.first, "heavy": 2 * good.second, "elsewhere": vertex}
        with pytest.raises(WitnessError):
            replace(verdict, witness=replace(good, second=rows[second])).verify()

    def test_no_witness_at_all(self):
        _, agent = draw(k=2)
        with pytest.raises(WitnessError, match="no witness"):
            replace(identify(agent, Stochastic()), witness=None).verify()


@pytest.mark.parametrize("scope", ["instance", "uniform"])
@pytest.mark.parametrize("goals", [1, 2, 4])
def test_an_exact_verdict_that_was_tampered_with_does_not_survive(scope, goals):
    world, agent = draw(k=goals, branching=2, seed=1)
    for kernel_class in [Unconstrained(), Stochastic(), Sparse(2), Deterministic(), Supported(world.kernel != 0)]:
        verdict = identify(agent, kernel_class, scope=scope)
        verdict.verify()
        own = int(verdict.row_status[0, 0])
        for code in {0, 2, 3} - {own}:
            changed = verdict.row_status.copy()
            changed[0, 0] = code
            with pytest.raises(WitnessError):
                replace(verdict, row_status=changed).verify()


class TestProofsOfSomethingElse:
    """A proof that holds, but not of these values, proves nothing here."""

    def test_independence_of_another_matrix(self):
        _, agent = draw(k=3)
        verdict = identify(agent, Stochastic())
        unit = np.array([[Fraction(int(i == j)) for j in range(4)] for i in range(4)], dtype=object)
        other = exact.rank(unit[:3])
        other.verify(unit[:3])
        with pytest.raises(WitnessError, match="rank"):
            replace(verdict, proofs=(replace(verdict.proofs[0], rank=other), *verdict.proofs[1:])).verify()

    def test_a_face_on_which_the_row_does_not_lie(self):
        _, agent = k33(HALF, noisy=True)
        verdict = identify(agent, Stochastic())
        faces = [proof for proof in verdict.proofs if hasattr(proof, "recession")]
        for all_rows in (np.arange(24), np.append(faces[0].rows, 3)):
            with pytest.raises(WitnessError, match=r"proofs|states"):
                replace(verdict, proofs=(replace(faces[0], rows=all_rows), *faces[1:])).verify()

    def test_another_successors_column(self):
        _, agent = draw(k=1, branching=1)
        verdict = identify(agent, Deterministic())
        proof = verdict.proofs[0]
        with pytest.raises(WitnessError, match=r"proofs|states"):
            replace(verdict, proofs=(replace(proof, states=(proof.states + 1) % 4),)).verify()

    def test_a_face_at_uniform_scope(self):
        _, agent = k33(HALF)
        verdict = identify(agent, Stochastic())
        with pytest.raises(WitnessError, match="row_status"):
            replace(verdict, question=replace(verdict.question, scope="uniform")).verify()

    def test_two_rows_that_share_other_values_than_the_agents(self):
        _, agent = draw(k=1)
        verdict = identify(agent, Stochastic())
        other = identify(agent, Stochastic(), scope="uniform").witness
        with pytest.raises(WitnessError, match="not the agent's"):
            replace(verdict, witness=other).verify()


@pytest.mark.parametrize("kernel_class", [Unconstrained(), Stochastic(), Sparse(2), Deterministic()])
def test_exact_contradictions_say_where_and_by_how_much(kernel_class):
    _, agent = draw(k=6, branching=2)
    q = np.array(agent.q)
    q[2, 3, 1] -= 5
    verdict = identify(ExactAgentValues(q, agent.goals, agent.discount), kernel_class)
    assert verdict.row(3, 1) is Status.INCONSISTENT
    assert verdict.largest_residual > 0.001
    assert "the worst is state" in verdict.reason
    verdict.verify()
