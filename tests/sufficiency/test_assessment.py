"""`assess`: against exact verdicts, the known exceptional world, worlds outside their class, and lies."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from windy_grids import windy_grid

from tabular_inversion import (
    MDP,
    AgentValues,
    Deterministic,
    Goals,
    Sparse,
    Status,
    Stochastic,
    Supported,
    solve,
)
from tabular_inversion.environments import chain, four_rooms, graph, random_mdp
from tabular_inversion.errors import AgentValuesError, GoalsError, InputError, ShapeError, WitnessError
from tabular_inversion.sufficiency import assess, compare, concrete, kernel_radii, minimal
from tabular_inversion.sufficiency.assessment.symmetries import Symmetry, find_symmetry


@pytest.fixture(scope="module")
def windy() -> MDP:
    return four_rooms("windy")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kernel_class", ["supported", Stochastic(), Deterministic()], ids=str)
@pytest.mark.parametrize("policy", ["optimal", "uniform"])
def test_each_row_has_the_exact_verdict_of_this_world(seed, kernel_class, policy):
    rng = np.random.default_rng(seed)
    world = random_mdp(int(rng.integers(2, 6)), 2, branching=2, discount=0.5, seed=seed)
    known = Supported.of(world) if isinstance(kernel_class, str) else kernel_class
    goals = Goals.indicator(world.n_states, [0]).join(Goals.indicator(world.n_states, [world.n_states - 1]))
    found = assess(world, goals, known, policy=policy)
    expected = concrete(world, goals, known, policy=policy).row_status.copy()
    if isinstance(known, Deterministic):
        expected[found.row_status == Status.INCONSISTENT] = Status.INCONSISTENT
    np.testing.assert_array_equal(found.row_status, expected)
    found.verify()


def test_a_symmetric_room_is_generic_and_not_concrete_and_the_mirror_is_named():
    """3x3 room, discount 0.9, goals (1,1) and the centre: 36 of 36 rows for almost every kernel, 28 here."""
    room = windy_grid(3, 0.9)
    found = assess(room, [0, 4], Supported.of(room))
    counts = {judgement.judge: judgement.rows_identified for judgement in found.judgements}
    assert (counts["generic"], counts["concrete"], found.rows_identified) == (36, 28, 28)
    assert any("mirror 1 <-> 3" in words for words in found.warnings)
    for state, action in np.argwhere(found.row_status != Status.IDENTIFIED).tolist():
        reasons = found.why(state, action)
        assert "symmetry" in {reason.kind for reason in reasons}
        for reason in reasons:
            reason.check()


def test_a_support_that_misses_an_edge_is_named(windy):
    support = windy.dense().support.copy()
    support[5, 0, np.flatnonzero(support[5, 0])[0]] = False
    found = assess(windy, [0, 20, 40, 60], Supported(support))
    assert found.status is Status.INCONSISTENT
    assert found.row_status[5, 0] == Status.INCONSISTENT
    assert "outside class supported: 1 rows" in found.warnings[0]
    assert assess(windy, [0, 20], Deterministic()).status is Status.INCONSISTENT


def test_spare_goals_see_each_single_missed_edge():
    """Values of the true world contradict a support that misses one edge, wherever a goal is to spare."""
    world = windy_grid(4, 0.9)
    known = Supported.of(world)
    found = minimal(world, range(16), known, spare=1)
    matrix = solve(world, found.chosen).test_matrix
    scaled = matrix / np.abs(matrix).max(axis=1, keepdims=True)
    system = np.vstack([scaled, np.ones(world.n_states)])
    seen = []
    for row in known.support.toarray():
        states = np.flatnonzero(row)
        for missed in states:
            rest = system[:, np.setdiff1d(states, missed)]
            if rest.shape[1]:
                left = system[:, missed] - rest @ np.linalg.lstsq(rest, system[:, missed], rcond=None)[0]
                seen.append(np.linalg.norm(left) > 1e-9)
    assert len(seen) > 100
    assert all(seen)


def test_counting_and_a_bottleneck_are_reasons(windy):
    alone = assess(windy, [0], Supported.of(windy))
    state, action = np.argwhere(alone.row_status == Status.NOT_IDENTIFIED)[0].tolist()
    reasons = alone.why(state, action)
    assert reasons[0].kind == "counting"
    assert reasons[0].text.startswith("1 goal, 2 unknowns")
    teleport = four_rooms("teleport")
    found = assess(teleport, range(20), Supported.of(teleport), policy="uniform")
    kinds = set()
    for state, action in np.argwhere(found.row_status == Status.NOT_IDENTIFIED).tolist():
        for reason in found.why(state, action):
            reason.check()
            kinds.add(reason.kind)
    assert "cut" in kinds


def test_a_reason_that_is_none_is_refused(windy):
    found = assess(windy, [0], Supported.of(windy))
    state, action = np.argwhere(found.row_status == Status.NOT_IDENTIFIED)[0].tolist()
    reason = found.why(state, action)[0]
    for kind in ("silent goals", "cut", "identified", "dependence"):
        lie = replace(reason, kind=kind, goals=np.array([0]), vector=np.eye(68)[0])
        with pytest.raises(WitnessError):
            lie.check()


def test_an_exceptional_discount_is_named():
    world = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)
    found = assess(world, range(6), Stochastic())
    assert found.rows_identified < found.rows
    state, action = np.argwhere(found.row_status != Status.IDENTIFIED)[0].tolist()
    kinds = {reason.kind for reason in found.why(state, action)}
    assert kinds == {"discount"}


def test_symmetries_are_those_of_the_world_and_the_goals():
    square = graph(nx.cycle_graph(4))
    goals = Goals.indicator(4, [0])
    find_symmetry(square, goals, 1, 3).check(square, goals)
    for image in ([0, 1, 2, 2], [1, 2, 3, 0], [0, 2, 1, 3]):
        with pytest.raises(WitnessError):
            Symmetry(np.array(image)).check(square, goals)


def turning_world(order: int) -> MDP:
    """A wheel whose rim turns one way only: its automorphisms that keep the hub are turns, and no mirror is one."""
    n = order + 1
    kernel = np.zeros((n, 2, n))
    for i in range(order):
        kernel[i, :, (i + 1) % order] = 0.75, 0.25
        kernel[i, :, order] = 0.25, 0.75
    kernel[order, :, :order] = 1.0 / order
    return MDP(kernel, 0.5)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_turns_that_are_no_mirrors_are_found_and_checked(order):
    world = turning_world(order)
    found = assess(world, [order], Supported.of(world))
    [reason] = [reason for reason in found.why(order, 0) if reason.kind == "symmetry"]
    assert reason.text.startswith("turn ")
    assert len(set(reason.symmetry.image.tolist())) == order + 1
    assert reason.symmetry.image[order] == order
    assert not np.array_equal(reason.symmetry.image[reason.symmetry.image], np.arange(order + 1))
    reason.check()
    for image in (np.arange(order + 1), np.roll(np.arange(order + 1), 1), np.array([1, 0, *range(2, order + 1)])):
        with pytest.raises(WitnessError):
            replace(reason, symmetry=Symmetry(image)).check()


def test_a_symmetry_that_takes_too_long_is_given_up(monkeypatch):
    world = graph(nx.random_regular_graph(3, 60, seed=0), discount=0.5)
    names = "tabular_inversion.sufficiency.assessment.symmetries.time.monotonic"
    ticks = iter(range(10**9))
    monkeypatch.setattr(names, lambda: float(next(ticks)))
    assert find_symmetry(turning_world(4), Goals.indicator(5, [4]), 0, 1, seconds=3.0) is None
    assert next(ticks) < 10  # given up at the first look at the clock after the deadline
    assert find_symmetry(turning_world(4), Goals.indicator(5, [4]), 0, 1, seconds=1e9) is not None
    assert find_symmetry(world, Goals.indicator(60, [0]), 1, 2, seconds=1e9) is None


def test_the_next_goal_is_the_one_that_helps_most(windy):
    found = assess(windy, [0], Supported.of(windy), noise=1e-4)
    best = found.next_goal([10, 20, 60])
    after = {}
    for state in (10, 20, 60):
        after[state] = assess(windy, [0, state], Supported.of(windy), noise=1e-4).rows_identified
    assert best.state in after
    assert best.rows_gained == after[best.state] - found.rows_identified
    assert best.error_after < best.error_before
    assert best.name == windy.state_name(best.state)


def test_after_training_failed_goals_and_lost_rows_are_named(windy):
    found = assess(windy, [0, 40], Supported.of(windy), noise=1e-6)
    agent = solve(windy, Goals.indicator(68, [0, 40]))
    good = agent.q + 1e-6 * np.random.default_rng(0).normal(size=agent.q.shape)
    assert found.check(AgentValues(good, agent.goals, agent.discount)).failed == ()
    bad = agent.q.copy()
    bad[1] *= 0.9
    checked = found.check(AgentValues(bad, agent.goals, agent.discount))
    assert checked.failed == (1,)
    assert len(checked.rows_lost) == found.rows_identified - assess(windy, [0], Supported.of(windy)).rows_identified
    with pytest.raises(AgentValuesError):
        found.check(agent.select_goals([0]))


def test_a_support_alone_is_judged_for_almost_every_kernel(windy):
    known = Supported.of(windy)
    with pytest.raises(InputError, match="discount"):
        assess(known, [0, 20], known)
    found = assess(known, [0, 20, 40], known, policy="generic", discount=0.9)
    assert found.status is Status.IDENTIFIED
    assert {judgement.judge for judgement in found.judgements} == {"structural", "generic", "concrete in floats"}
    assert assess(windy.dense().support, [0, 20, 40], discount=0.9).rows == 272
    with pytest.raises(ShapeError):
        assess(np.ones(3, bool), [0], discount=0.9)


def test_regions_words_and_tables(windy):
    known = Supported.of(windy)
    found = assess(windy, [0, 67], known, rows=[0, 1], noise=1e-5)
    assert found.rows == 8
    assert (found.row_status[2:] == -1).all()
    for line in found.text.splitlines()[: -len(found.warnings) or None]:
        assert "optimal agents, class supported" in line
    table = compare({"a & b": [0, 67], "one": [0], "found": minimal(windy, range(68), known)}, windy, known, eps=1e-5)
    assert table.best == "found"
    assert r"a \& b" in table.to_latex()
    assert "<td>a &amp; b</td>" in table.to_html()
    assert table.to_dict()["one"]["rows_identified"] == 40
    assert str(table).count("\n") == 3
    with pytest.raises(GoalsError):
        compare({}, windy)


def test_time_is_kept_and_what_was_not_asked_is_said():
    world = random_mdp(400, 2, branching=3, discount=0.9, seed=0)
    found = assess(world, range(0, 400, 40), Supported.of(world), seconds=0.5)
    assert found.verdict.judge == "concrete in floats"
    assert found.status is Status.IDENTIFIED
    assert any("not asked" in str(judgement) for judgement in found.judgements)


def test_sparse_classes_have_a_verdict_and_no_predicted_error():
    found = assess(chain(4), range(4), Sparse(2))
    assert found.status in (Status.IDENTIFIED, Status.NOT_IDENTIFIED)
    assert np.isnan(found.largest_error)


def test_what_was_tampered_with_is_refused():
    room = windy_grid(3, 0.9)
    found = assess(room, [0, 1], Supported.of(room), noise=1e-3)
    assert found.status is Status.IDENTIFIED
    assert found.warnings
    wrong = found.row_status.copy()
    wrong[0, 0] = Status.NOT_IDENTIFIED
    lies = [
        replace(found, row_status=wrong),
        replace(found, sigma_min=2 * found.sigma_min),
        replace(found, predicted_error=found.predicted_error / 2),
        replace(found, warnings=()),
    ]
    for lie in lies:
        with pytest.raises(WitnessError):
            lie.verify()


def test_what_is_certified_for_a_region_of_kernels_holds_for_kernels_in_it():
    rng = np.random.default_rng(0)
    kernel = rng.dirichlet(np.ones(3), (3, 2))
    counts = np.stack([[rng.multinomial(4_000_000, row) for row in rows] for rows in kernel])
    estimate = MDP.from_counts(counts, discount=0.5)
    radii = kernel_radii(counts)
    assert (np.abs(estimate.dense().kernel - kernel).sum(axis=2) <= radii).all()
    goals = Goals([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = assess(estimate, goals, radii=radii)
    assert found.status is Status.IDENTIFIED
    assert "every kernel within the radii" in found.verdict.about
    found.verify()
    for _ in range(30):
        moved = estimate.dense().kernel + rng.dirichlet(np.ones(3), (3, 2)) * 1.0 * radii[:, :, None] / 4
        near = MDP(moved / moved.sum(axis=2, keepdims=True), 0.5)
        assert (np.abs(near.kernel - estimate.dense().kernel).sum(axis=2) <= radii + 1e-12).all()
        assert assess(near, goals).status is Status.IDENTIFIED
    few = kernel_radii(counts // 400_000)
    assert assess(estimate, goals, radii=few).status is Status.UNDECIDED
    with pytest.raises(InputError):
        assess(estimate, goals, radii=-1.0 * few[:1])
