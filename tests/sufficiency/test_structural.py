"""Paths and cuts: against brute force, against ranks over a finite field, and proofs that must fail."""

import sys
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from random_graphs import entered, permuted, random_digraph, random_rewards, random_states

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
)
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import GoalsError, InputError, KernelClassError, KernelError, PolicyError
from tabular_inversion.exact.finite_field import subset_ranks
from tabular_inversion.identifiability import WitnessError
from tabular_inversion.sufficiency import Cut, generic, linkage, structural
from tabular_inversion.sufficiency import proofs as proof_kinds
from tabular_inversion.sufficiency.by_draws.draws import Chance
from tabular_inversion.sufficiency.by_paths.linkages import Network
from tabular_inversion.sufficiency.by_paths.structural import decide_by_paths
from tabular_inversion.sufficiency.question import read_question

SEEDS = range(40)


def most_disjoint_paths(graph, sources, goals, used=frozenset()):
    """Brute force: every path of the first source, or none, then the other sources."""
    if not sources:
        return 0
    first, rest = sources[0], sources[1:]
    best = most_disjoint_paths(graph, rest, goals, used)
    if first in used:
        return best
    stack = [(first,)]
    while stack:
        path = stack.pop()
        if path[-1] in goals:
            best = max(best, 1 + most_disjoint_paths(graph, rest, goals, used | set(path)))
        stack += [(*path, node) for node in graph.successors(path[-1]) if node not in path and node not in used]
    return best


@pytest.mark.parametrize("seed", SEEDS)
def test_linkages_are_as_large_as_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng, largest=6)
    goals, sources = random_states(rng, entered(graph)), random_states(rng, list(graph))
    found = linkage(graph, goals, sources=sources)
    assert len(found) == most_disjoint_paths(graph, sources, set(goals))
    found.verify()


@pytest.mark.parametrize("seed", range(150))
def test_paths_give_the_generic_rank_without_the_row_of_ones(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    for goals in (
        random_states(rng, entered(graph)),
        random_rewards(rng, graph, ending=False),
        random_rewards(rng, graph, ending=True),
    ):
        question = read_question(graph, goals, None, "generic")
        sources = np.sort(random_states(rng, list(graph)))
        draw = Chance(question, generic_rewards=True).draw(rng, ones=False, n_functions=len(graph))
        found = Network(question).linkage(sources)
        assert len(found) == subset_ranks(draw.functions, sources[None])[0]
        found.verify()


@pytest.mark.parametrize("seed", SEEDS)
def test_verdicts_survive_their_own_check_and_agree_with_draws(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    goals = random_states(rng, entered(graph))
    by_paths, drawn = structural(graph, goals), generic(graph, goals, rewards="generic")
    by_paths.verify()
    drawn.verify()
    decided = by_paths.row_status != Status.UNDECIDED
    np.testing.assert_array_equal(by_paths.row_status[decided], drawn.row_status[decided])
    settled = structural(graph, goals, settle=True)
    settled.verify()
    np.testing.assert_array_equal(settled.row_status, drawn.row_status)


@pytest.mark.parametrize("seed", SEEDS)
def test_bulk_ranks_and_single_flows_agree(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    goals = random_states(rng, entered(graph))
    one_by_one = structural(graph, goals)
    monkeypatch.setattr(sys.modules[decide_by_paths.__module__], "MANY_SETS", 0)
    in_bulk = structural(graph, goals)
    in_bulk.verify()
    np.testing.assert_array_equal(in_bulk.row_status, one_by_one.row_status)


def test_graphs_too_wide_for_elimination_are_settled_by_flows(monkeypatch):
    here = sys.modules[decide_by_paths.__module__]
    monkeypatch.setattr(here, "MANY_SETS", 0)
    monkeypatch.setattr(here, "MAX_WORK", 0.0)
    verdict = structural(nx.complete_graph(5), [0, 1, 2, 3])
    assert verdict.status is Status.IDENTIFIED
    assert all(isinstance(proof, proof_kinds.PathsProof) for proof in verdict.proofs)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_goal_never_loses(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    goals = rng.permutation(entered(graph))
    sources = random_states(rng, list(graph))
    sizes = [len(linkage(graph, goals[: i + 1], sources=sources)) for i in range(len(goals))]
    assert (np.diff(sizes) >= 0).all()
    assert (np.diff(sizes) <= 1).all()


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_permuting_states_permutes_the_verdict(seed):
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng)
    goals, order = random_states(rng, entered(graph)), rng.permutation(len(graph))
    before = structural(graph, goals)
    after = structural(permuted(graph, order), np.argsort(order)[goals])
    np.testing.assert_array_equal(after.row_status, before.row_status[order])
    assert after.rank == before.rank


@pytest.mark.parametrize(
    ("kernel_class", "goals", "status"),
    [
        (Unconstrained(), range(6), Status.IDENTIFIED),
        (Unconstrained(), range(5), Status.NOT_IDENTIFIED),
        (Stochastic(), range(5), Status.IDENTIFIED),
        (Stochastic(), range(4), Status.NOT_IDENTIFIED),
        (Deterministic(), [0, 3], Status.IDENTIFIED),
        (Deterministic(), [0], Status.UNDECIDED),
        (Sparse(1), [0, 3], Status.IDENTIFIED),
        (Sparse(2), [0, 1, 3, 5], Status.IDENTIFIED),
        (Sparse(2), [0], Status.NOT_IDENTIFIED),
        (Sparse(2), [0, 3], Status.UNDECIDED),
    ],
)
def test_every_class_on_the_cycle_of_six(kernel_class, goals, status):
    verdict = structural(nx.cycle_graph(6), goals, kernel_class)
    expected = generic(nx.cycle_graph(6), goals, kernel_class)
    assert verdict.status in {status, Status.UNDECIDED}
    assert verdict.status is status or kernel_class == Sparse(2)
    assert expected.status is verdict.status or verdict.status is Status.UNDECIDED
    verdict.verify()
    expected.verify()
    assert (verdict.witness is not None) == (verdict.status is Status.NOT_IDENTIFIED)


def test_goals_outside_a_room_say_as_much_as_it_has_doors():
    rooms = four_rooms()
    inside = np.flatnonzero((rooms.coordinates < 5).all(axis=1))
    outside = np.flatnonzero((rooms.coordinates > 5).all(axis=1))
    found = linkage(rooms, outside, sources=inside)
    assert len(found) == 2
    found.verify()
    verdict = structural(rooms, outside, Supported(np.ones((68, 4, 68), bool)), policy="generic")
    assert verdict.status is Status.NOT_IDENTIFIED


def test_goals_that_pay_everywhere_count_themselves_in_the_cut():
    found = linkage(nx.cycle_graph(6), Goals.generic(6, 2, seed=0), sources=[0, 1, 2])
    assert len(found) == 2
    assert found.cut.goals.tolist() == [0, 1]
    found.verify()
    assert "goals [0, 1]" in found.text


def test_nothing_reaches_a_goal_upstream():
    graph = nx.DiGraph([(0, 1), (1, 1), (0, 0)])
    verdict = structural(graph, [0])
    assert verdict.row(1, 0) is Status.IDENTIFIED  # one successor
    assert any(isinstance(proof, proof_kinds.SingleProof) for proof in verdict.proofs)
    verdict.verify()


def test_rows_that_may_lead_anywhere_need_the_goals_that_known_rows_never_reach():
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 1)])
    verdict = structural(graph, range(3), Stochastic())
    assert verdict.status is Status.IDENTIFIED
    with pytest.raises(GoalsError, match="goal 0 pays only in states that no row leads to, such as state 0"):
        structural(graph, range(3))


PATHS = linkage(nx.path_graph(6), [0, 5], sources=[2, 3])


@pytest.mark.parametrize(
    "wrong",
    [
        replace(PATHS, paths=(np.array([2, 1, 0]), np.array([3, 2, 1, 0]))),
        replace(PATHS, paths=(np.array([2, 0]), np.array([3, 4, 5]))),
        replace(PATHS, paths=(np.array([2, 1]), np.array([3, 4, 5]))),
        replace(PATHS, paths=(np.array([1, 0]), np.array([3, 4, 5]))),
        replace(PATHS, goals=np.array([0, 0])),
        replace(PATHS, goals=PATHS.goals[::-1]),
        replace(PATHS, paths=PATHS.paths[:1], goals=PATHS.goals[:1]),
        replace(PATHS, cut=Cut(np.array([0, 1]), np.array([], np.intp))),
        replace(PATHS, cut=Cut(np.array([4, 5]), np.array([], np.intp))),
        replace(PATHS, cut=Cut(np.array([0, 4, 5]), np.array([], np.intp))),
    ],
    ids=[
        "overlap",
        "no edge",
        "no goal",
        "no source",
        "goal twice",
        "goals swapped",
        "too few",
        "open",
        "open too",
        "big",
    ],
)
def test_wrong_linkages_are_caught(wrong):
    PATHS.verify()
    with pytest.raises(WitnessError):
        wrong.verify()


def test_wrong_cut_proofs_are_caught():
    verdict = structural(nx.star_graph(5), [1, 2])
    proof = next(proof for proof in verdict.proofs if isinstance(proof, proof_kinds.CutProof))
    proof.verify()
    nowhere = np.array([], np.intp)
    with pytest.raises(WitnessError):
        replace(proof, cut=Cut(np.array([1, 3]), nowhere)).verify()
    with pytest.raises(WitnessError):
        replace(proof, cut=Cut(np.array([1, 2, 3, 4]), nowhere)).verify()
    wrong = replace(verdict, proofs=(replace(proof, cut=Cut(np.array([1]), nowhere)),))
    with pytest.raises(WitnessError, match="proofs: 3 are needed"):
        wrong.verify()
    with pytest.raises(WitnessError, match="proofs: 3 are needed"):
        replace(verdict, proofs=()).verify()
    with pytest.raises(WitnessError, match="no witness"):
        replace(verdict, witness=None).verify()


def test_proofs_of_paths_need_a_path_for_each_successor():
    found = linkage(nx.star_graph(4), [1, 2], sources=[1, 2, 3])
    found.verify()
    with pytest.raises(WitnessError):
        proof_kinds.PathsProof(np.array([0]), found).verify()
    with pytest.raises(WitnessError):
        proof_kinds.MatchingProof(np.array([0]), found, 1).verify()
    with pytest.raises(WitnessError):
        proof_kinds.SingleProof(np.array([0]), np.array([2])).verify()


def test_only_the_support_of_a_policy_counts():
    rooms = four_rooms()
    never_up = np.tile([0.0, 0.5, 0.25, 0.25], (68, 1))
    some = structural(rooms, [0, 67], policy=never_up > 0)
    assert some.rank == 2
    some.verify()
    given = structural(rooms, [0, 67], policy=never_up)
    assert not ((given.row_status == Status.IDENTIFIED) & (some.row_status != Status.IDENTIFIED)).any()
    assert len(linkage(rooms, [0], sources=[67], policy=never_up)) == 0


def test_available_actions_alone_have_rows():
    mdp = MDP([[[0.5, 0.5], [0, 0]], [[0, 1], [1, 0]]], 0.5, available=[[True, False], [True, True]])
    verdict = structural(mdp, [0])
    assert verdict.rows == 3
    assert verdict.row(0, 1) is None
    verdict.verify()


@pytest.mark.parametrize(
    ("world", "goals", "arguments", "error", "message"),
    [
        (nx.path_graph(3), [3], {}, GoalsError, "states contains 3"),
        (nx.path_graph(3), [], {}, GoalsError, "non-empty"),
        (nx.path_graph(3), Goals.indicator(4), {}, GoalsError, "on 4 states; expected 3"),
        (nx.path_graph(3), Goals(np.zeros((1, 3))), {}, GoalsError, "pays nowhere"),
        (nx.DiGraph([(0, 1), (1, 1)]), [0], {}, GoalsError, "no row leads to"),
        (nx.path_graph(3), Goals([[1.0, 0, 0]], [[1.0, 0, 1]]), {}, GoalsError, "where it does not pay"),
        (nx.path_graph(3), Goals(np.eye(3), None, np.ones((3, 3, 1))), {}, InputError, "action_rewards"),
        (nx.empty_graph(3), [0], {}, InputError, "no edge"),
        (nx.DiGraph([(0, 1)]), [1], {}, KernelError, "leaves no edge"),
        ("path", [0], {}, InputError, "expected MDP"),
        (nx.path_graph(3), [0], {"policy": np.ones((2, 3, 1))}, (PolicyError, InputError), "shape"),
        (nx.path_graph(3), [0], {"kernel_class": Supported(np.ones((2, 1, 2), bool))}, KernelClassError, "shape"),
        (nx.path_graph(80), [0], {"kernel_class": Sparse(3)}, KernelClassError, "too many"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(world, goals, arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        structural(world, goals, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sources", [[], [9], [0.5]])
def test_sources_must_be_states(sources):
    with pytest.raises(InputError, match="sources"):
        linkage(nx.path_graph(3), [0], sources=sources)
