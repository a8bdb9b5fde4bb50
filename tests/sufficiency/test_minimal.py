"""Minimal goal sets against brute force, the verdicts of the package, laws, and proofs that were tampered with."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import (
    MDP,
    Deterministic,
    Evidence,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    Unconstrained,
    identify,
    strategies,
)
from tabular_inversion.environments import chain, four_rooms, graph, named_graph
from tabular_inversion.errors import GoalsError, InputError, KernelClassError, WitnessError
from tabular_inversion.exact import ExactAgentValues, ExactGoals, ExactMDP, evaluate, solve
from tabular_inversion.exact.agent_values import ExactAgentValues as Agent
from tabular_inversion.sufficiency import InsufficientGoalsError, MinimalGoals, minimal
from tabular_inversion.sufficiency.smallest.lower_bounds import Branch, Leaf, Shortage
from tabular_inversion.sufficiency.smallest.minimal import smallest
from tabular_inversion.sufficiency.smallest.spanning import Violation
from tabular_inversion.sufficiency.smallest.sparse_rows import floor_of

CLASSES = ("unconstrained", "stochastic", "supported", "deterministic", "sparse:1", "sparse:2")


def class_of(name: str, world: ExactMDP):
    if name == "supported":
        return Supported(world.kernel != 0)
    if name.startswith("sparse"):
        return Sparse(int(name[-1]))
    return {"unconstrained": Unconstrained(), "stochastic": Stochastic(), "deterministic": Deterministic()}[name]


def restricted(agent: ExactAgentValues, goals) -> Agent:
    """The same agent, seen through some of its goals only."""
    goals = list(goals)
    policy = agent.policy if agent.policy is None or agent.policy.ndim == 2 else agent.policy[goals]
    return Agent(agent.q[goals], agent.goals.select(goals), agent.discount, policy, agent.available)


def suffices(agent: ExactAgentValues, goals, kernel_class) -> bool:
    """The package's own exact verdict on these goals; no goals at all identify rows with one possible successor."""
    if len(goals) == 0:
        sizes = kernel_class.sizes[agent.row_index] if isinstance(kernel_class, Supported) else [agent.n_states]
        return bool(np.max(sizes) == 1 and kernel_class.sums_to_one)
    verdict = identify(restricted(agent, goals), kernel_class, scope="uniform")
    assert verdict.status is not Status.UNDECIDED
    return verdict.status is Status.IDENTIFIED


def brute_force(agent: ExactAgentValues, kernel_class, given=()) -> int | None:
    """Try all sets by size."""
    rest = [goal for goal in range(agent.n_goals) if goal not in given]
    for size in range(len(rest) + 1):
        if any(suffices(agent, [*given, *extra], kernel_class) for extra in combinations(rest, size)):
            return len(given) + size
    return None


def check(found: MinimalGoals, kernel_class) -> None:
    assert found.optimal
    assert found.evidence is Evidence.EXACT
    found.verify()
    assert suffices(found.agent, found.goals, kernel_class)
    for goal in found.added:
        assert not suffices(found.agent, [other for other in found.goals if other != goal], kernel_class)


@st.composite
def instances(draw):
    world = draw(strategies.exact_mdps(n_states=st.integers(1, 4), n_actions=st.integers(1, 2)))
    goals = draw(strategies.exact_goals(world.n_states, n_goals=st.integers(1, 5)))
    policy = draw(st.just("optimal") | strategies.exact_policies(world.available))
    return world, goals, policy, class_of(draw(st.sampled_from(CLASSES)), world)


@settings(max_examples=40, deadline=None)
@given(instances(), st.data())
def test_brute_force_finds_nothing_smaller(instance, data):
    world, goals, policy, kernel_class = instance
    agent = solve(world, goals) if isinstance(policy, str) else evaluate(world, goals, policy)
    mine = data.draw(st.sets(st.integers(0, goals.n_goals - 1), max_size=2))
    expected = brute_force(agent, kernel_class, tuple(mine))
    if expected is None:
        with pytest.raises(InsufficientGoalsError) as stop:
            minimal(world, goals, kernel_class, policy=policy, given=sorted(mine))
        assert not suffices(agent, range(goals.n_goals), kernel_class)
        verdict = identify(agent, kernel_class, scope="uniform")
        unknown = np.argwhere(verdict.row_status == Status.NOT_IDENTIFIED)
        assert stop.value.rows == tuple(map(tuple, unknown.tolist()))
        return
    found = minimal(world, goals, kernel_class, policy=policy, given=sorted(mine))
    assert found.size == expected
    assert set(found.given) == mine <= set(found.goals)
    check(found, kernel_class)


@settings(max_examples=30, deadline=None)
@given(instances(), st.data())
def test_more_candidates_and_fewer_given_goals_never_hurt(instance, data):
    world, goals, policy, kernel_class = instance
    few = goals.select(list(range(data.draw(st.integers(1, goals.n_goals)))))
    try:
        found = minimal(world, few, kernel_class, policy=policy)
    except InsufficientGoalsError:
        return
    assert minimal(world, goals, kernel_class, policy=policy).size <= found.size
    assert minimal(world, few, kernel_class, policy=policy, given=[0]).size in {found.size, found.size + 1}


@settings(max_examples=20, deadline=None)
@given(strategies.exact_mdps(n_states=4, n_actions=2), st.permutations(range(4)), st.sampled_from(CLASSES))
def test_renaming_states_changes_nothing(world, order, name):
    goals = ExactGoals.from_float(Goals.indicator(4))
    renamed = ExactMDP(world.kernel[order][:, :, order], world.discount, world.available[order])
    moved = ExactGoals(goals.rewards[:, order], goals.continuation[:, order])
    sizes = []
    for mdp, own in ((world, goals), (renamed, moved)):
        try:
            sizes.append(minimal(mdp, own, class_of(name, mdp)).size)
        except InsufficientGoalsError:
            sizes.append(None)
    assert sizes[0] == sizes[1]


FOUR_ROOMS = [
    ("deterministic", "supported", 0),
    ("deterministic", "deterministic", 4),
    ("deterministic", "stochastic", 67),
    ("windy", "supported", 2),
    ("windy", "deterministic", 1),
    ("windy", "unconstrained", 68),
    pytest.param("teleport", "supported", 40, marks=pytest.mark.slow),
    ("teleport", "deterministic", 4),
]


PUBLISHED = {"deterministic": 1, "windy": 4, "teleport": 20}
"""How many goals the published experiments on these worlds trained on (arXiv 2606.21173)."""


@cache
def four_rooms_agent(variant) -> ExactAgentValues:
    world = ExactMDP.from_float(four_rooms(variant), limit_denominator=100)
    return solve(world, ExactGoals.from_float(Goals.indicator(68)))


@cache
def four_rooms_minimum(variant, name) -> MinimalGoals:
    return smallest(four_rooms_agent(variant), class_of(name, ExactMDP.from_float(four_rooms(variant))))


@pytest.mark.slow
def test_published_numbers_of_goals_on_four_rooms():
    # Known supports: none is needed, two are, and half of what is needed was used, were all goals indicators.
    needed = {variant: four_rooms_minimum(variant, "supported").size for variant in PUBLISHED}
    assert needed == {"deterministic": 0, "windy": 2, "teleport": 40}
    assert needed["windy"] < PUBLISHED["windy"]
    assert needed["teleport"] == 2 * PUBLISHED["teleport"]


@pytest.mark.parametrize(("variant", "name", "size"), FOUR_ROOMS)
def test_four_rooms_with_indicator_goals(variant, name, size):
    kernel_class = class_of(name, ExactMDP.from_float(four_rooms(variant)))
    found = four_rooms_minimum(variant, name)
    assert (found.size, found.lower_bound, found.evidence) == (size, size, Evidence.EXACT)
    found.verify()
    if 0 < size < 10:
        assert identify(restricted(found.agent, found.goals), kernel_class, scope="uniform").status is Status.IDENTIFIED


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "size"), [("deterministic", 14), ("windy", 4), ("teleport", 14)])
def test_two_unknown_successors_on_four_rooms(variant, size):
    found = four_rooms_minimum(variant, "sparse:2")
    assert (found.size, found.lower_bound) == (size, size)
    found.verify()


def test_known_supports_of_n_successors_need_n_minus_one_generic_goals():
    world = four_rooms("windy")
    goals = Goals(np.random.default_rng(0).integers(-99, 100, (5, 68)).astype(float))
    assert minimal(world, goals, Supported.of(world)).size == 2
    assert minimal(world, goals, Deterministic()).size == 1


@pytest.mark.parametrize(
    ("name", "dimension"),
    [("path:6", 1), ("cycle:6", 2), ("cycle:7", 2), ("K5", 4), ("K3,3", 4), ("petersen", 3), ("grid:3x4", 2)],
)
def test_deterministic_rows_on_a_graph_need_its_metric_dimension(name, dimension):
    """Slater 1975, Harary and Melter 1976: known for all of these."""
    world = graph(named_graph(name), discount=0.5)
    found = minimal(world, Goals.indicator(world.n_states), Deterministic())
    assert (found.size, found.optimal) == (dimension, True)
    found.verify()


@pytest.mark.parametrize("n_successors", [2, 3])
def test_unknown_supports_need_two_n_minus_one_goals_and_moment_curves_have_them(n_successors):
    n, k = 2 * n_successors + 2, 2 * n_successors
    powers = ExactGoals([[x**power for x in range(n)] for power in range(1, k + 1)])
    world = ExactMDP(np.eye(n, dtype=int)[:, None, :], 0)
    found = minimal(world, powers, Sparse(n_successors))
    assert (found.size, found.evidence) == (2 * n_successors - 1, Evidence.EXACT)
    found.verify()
    assert floor_of(n_successors, n) == found.size
    assert "van Kampen" in found.text
    with pytest.raises(InsufficientGoalsError):
        minimal(world, powers.select(list(range(2 * n_successors - 2))), Sparse(n_successors))


def test_discount_one_half_on_a_long_path_is_no_trap():
    # Powers of 1/2 repeat modulo a Mersenne prime: distances 0 and 61 look equal modulo 2**61 - 1.
    world = graph(named_graph("path:66"), discount=0.5)
    found = minimal(world, Goals.indicator(66), Deterministic())
    assert found.size == 1
    found.verify()


def test_given_goals_are_completed():
    kernel_class = Supported.of(four_rooms("windy"))
    found = smallest(four_rooms_agent("windy"), kernel_class, given=[5])
    assert found.given == (5,)
    assert 5 in found.goals
    assert found.size == 1 + len(found.added)
    check(found, kernel_class)


def test_a_set_that_suffices_already_gets_nothing_added():
    found = minimal(chain(4), Goals.indicator(4), Stochastic(), given=[0, 1, 2, 3])
    assert (found.added, found.size, found.lower_bound) == ((), 4, 4)
    found.verify()


@pytest.fixture(scope="module")
def branching() -> MinimalGoals:
    return minimal(graph(named_graph("petersen"), discount=0.5), Goals.indicator(10), Deterministic())


def test_a_proof_that_branches_is_re_checked(branching):
    assert isinstance(branching.proof.tree, Branch)
    branching.verify()
    assert "weights in fractions" in branching.text


def tampered(found: MinimalGoals) -> dict[str, MinimalGoals]:
    proof = found.proof
    cut = proof.cuts[0]

    def with_proof(**changes) -> MinimalGoals:
        return replace(found, proof=replace(proof, **changes))

    fewer = found.goals[1:]
    another = cut.vectors.copy()
    another[np.flatnonzero(another[:, 0])[0], 0] += 1
    doubled = np.concatenate([cut.vectors, cut.vectors[:, :1]], axis=1)
    goals = ExactGoals(np.ones_like(found.agent.goals.rewards))
    other = ExactAgentValues(found.agent.q, goals, found.agent.discount, found.agent.policy, found.agent.available)
    return {
        "a goal left out": replace(found, goals=fewer),
        "a larger bound": replace(found, lower_bound=found.size + 1),
        "a smaller bound": replace(found, lower_bound=found.size - 1),
        "no cuts": with_proof(cuts=()),
        "no weights": with_proof(tree=Leaf(())),
        "a cut that does not exist": with_proof(tree=Leaf(((len(proof.cuts), Fraction(9)),))),
        "negative weights": with_proof(tree=Leaf(((0, Fraction(-9)),))),
        "a vector that goals see": with_proof(cuts=(replace(cut, vectors=another), *proof.cuts[1:])),
        "dependent vectors": with_proof(cuts=(replace(cut, vectors=doubled), *proof.cuts[1:])),
        "another agent": replace(found, agent=other),
        "another guarantee": replace(found, greedy_guarantee=7.0),
        "another greedy size": replace(found, greedy_size=found.size - 1),
        "an unsafe prime": with_proof(prime=2**61 - 1),
        "no prime": with_proof(prime=15),
        "a goal twice": replace(found, goals=(*found.goals, found.goals[0])),
    }


@pytest.mark.parametrize("name", list(tampered(minimal(chain(4), Goals.indicator(4), Stochastic()))))
def test_wrong_proofs_are_rejected(branching, name):
    small = minimal(chain(4), Goals.indicator(4), Stochastic())
    small.verify()
    for wrong in (tampered(small)[name], tampered(branching)[name]):
        with pytest.raises(WitnessError):
            wrong.verify()


def test_a_cut_of_another_class_is_rejected():
    # On a path every state is told apart by one goal; a stochastic cut asks for more than the class does.
    found = minimal(chain(4), Goals.indicator(4), Deterministic())
    stochastic = minimal(chain(4), Goals.indicator(4), Stochastic())
    with pytest.raises(WitnessError, match="vectors"):
        replace(found, goals=stochastic.goals, lower_bound=3, proof=stochastic.proof).verify()


def test_without_a_tree_the_bound_is_proved_again():
    found = minimal(chain(4), Goals.indicator(4), Stochastic())
    bare = replace(found, proof=replace(found.proof, tree=None))
    bare.verify()
    assert bare.evidence is Evidence.NUMERIC
    assert "integer program" in bare.text


def test_out_of_time_leaves_a_gap_that_is_stated():
    found = smallest(four_rooms_agent("teleport"), Supported.of(four_rooms("teleport")), seconds=0.0)
    assert found.size >= 40 >= found.lower_bound
    assert found.gap > 0
    assert not found.optimal
    assert "at least" in repr(found)
    found.verify()


def test_rows_that_stay_unknown_are_named():
    with pytest.raises(InsufficientGoalsError, match=r"2 candidates.*6 of 6 rows.*\(0, 0\).*states 0, 1, 2") as stop:
        minimal(chain(3), Goals([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]), Stochastic())
    assert stop.value.states == (0, 1, 2)
    kernel = [[[0.5, 0.5, 0.0]], [[0.0, 1.0, 0.0]], [[0.0, 0.5, 0.5]]]
    world = MDP(kernel, discount=0.5)
    with pytest.raises(InsufficientGoalsError) as stop:
        minimal(world, Goals([[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]), Supported.of(world))
    assert (stop.value.rows, stop.value.states) == (((0, 0),), (0, 1))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((chain(3), Goals.indicator(4), Stochastic()), GoalsError, "4 states"),
        ((chain(3), Goals.indicator(3), Supported.of(chain(4))), KernelClassError, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        minimal(*arguments)


@pytest.mark.parametrize("given_goals", [[3], [-1], [0.5], "ab"])
def test_given_goals_must_be_candidates(given_goals):
    with pytest.raises(InputError, match="given"):
        minimal(chain(3), Goals.indicator(3), Stochastic(), given=given_goals)


def test_a_cut_that_only_a_prime_believes_is_noticed():
    found = minimal(chain(4), Goals.indicator(4), Stochastic())
    nothing_outside = Violation(np.zeros(4, bool), 1, np.arange(4))
    assert Shortage.of(nothing_outside, found.agent.test_matrix, sums_to_one=True) is None


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_time_does_not_run_backwards(seconds):
    with pytest.raises(InputError, match="seconds is"):
        minimal(chain(3), Goals.indicator(3), Stochastic(), seconds=seconds)


def test_floats_stand_for_the_fractions_that_are_allowed():
    near = 0.5 + 2.0**-17  # the nearest fraction with a small denominator is 1/2, another world
    world = MDP([[[near, 1 - near]], [[0.5, 0.5]]], discount=0.5)
    drawn = minimal(world, Goals.indicator(2), Stochastic())
    assert drawn.size == 1
    assert drawn.agent.discount == Fraction(1, 2)
    assert minimal(world, Goals.indicator(2), Stochastic(), limit_denominator=None).size == 1
    thirds = MDP([[[1 / 3, 2 / 3]], [[0.5, 0.5]]], discount=0.9)
    assert minimal(thirds, Goals.indicator(2), Stochastic()).agent.discount == Fraction(9, 10)


def test_too_large_systems_are_refused(monkeypatch):
    monkeypatch.setattr("tabular_inversion.sufficiency.smallest.spanning.MAX_ENTRIES", 10)
    with pytest.raises(InputError, match="entries"):
        minimal(chain(4), Goals.indicator(4), Deterministic())
