"""Sets that `minimal` finds, put to use: recovery at the stated noise, witnesses, missed edges, regions of kernels."""

from itertools import combinations

import numpy as np
import pytest
from test_minimal_options import known_rows, rational_world
from windy_grids import windy_grid

from tabular_inversion import MDP, Evidence, Goals, Status, Stochastic, Supported, identify, invert, solve
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact import solve as solve_exactly
from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.sufficiency import InsufficientGoalsError, kernel_radii, minimal
from tabular_inversion.sufficiency.conditioning.spans import Scenario, surely_spanned
from tabular_inversion.sufficiency.scenarios import drawn_world, scenario_of, sets_of, widened

MAZES = {
    "3x3": lambda: windy_grid(3, 0.9),
    "4x4": lambda: windy_grid(4, 0.9),
    "5x5": lambda: windy_grid(5, 0.99),
    "rooms": lambda: four_rooms("windy"),
}
SETS = {
    "smallest": {},
    "a spare": {"spare": 1},
    "error 0.1": {"noise": 1e-5, "error": 0.1},
    "without corners": {"forbidden": [0]},
    "any kernel": {"generic": True, "seconds": 5},
    "two discounts": {"discounts": [0.9, 0.75]},
}
SEEDS = 20


def worst_errors(world, goals, noise):
    """The largest error of any row that `invert` makes, for each seed, at noise relative to each goal's values."""
    known, agent = Supported.of(world), solve(world, goals)
    scale = np.abs(agent.q).max(axis=(1, 2), keepdims=True)
    truth = world.dense().kernel
    for seed in range(SEEDS):
        q = agent.q + noise * scale * np.random.default_rng(seed).normal(size=agent.q.shape)
        found = invert(type(agent)(q, agent.goals, agent.discount), known, noise=6 * noise * scale.max())
        yield float(np.sqrt(((found.to_mdp().dense().kernel - truth) ** 2).sum(axis=2)).max())


@pytest.mark.parametrize("maze", ["3x3", "4x4", "5x5"])
@pytest.mark.parametrize("name", SETS)
def test_each_set_recovers_the_kernel_within_the_predicted_error(maze, name, record_property):
    world = MAZES[maze]()
    found = minimal(world, range(world.n_states), Supported.of(world), **SETS[name])
    here = world if name != "two discounts" else world.with_discount(0.9)
    noise = 1e-5
    predicted = found.predicted(noise)
    errors = np.array(list(worst_errors(here, found.chosen, noise)))
    share = float(np.mean(errors <= predicted))
    record_property("share of seeds within the predicted error", float(share))
    record_property("predicted and largest error", [float(predicted), float(errors.max())])
    assert share >= 0.95, (predicted, errors)
    if name == "error 0.1":
        assert predicted <= 0.1


def check_two_kernels(agent: ExactAgentValues, goals, kernel_class):
    """Two rows of the class with the same values for every one of these goals, in fractions."""
    part = ExactAgentValues(agent.q[goals], agent.goals.select(goals), agent.discount, None, agent.available)
    verdict = identify(part, kernel_class, scope="uniform")
    assert verdict.status is Status.NOT_IDENTIFIED
    first, second = verdict.witness.first, verdict.witness.second
    for rows in (first, second):
        assert np.all(rows >= 0)
        assert np.all(rows.sum(axis=-1) == 1)
    assert np.any(first != second)
    assert np.all(part.test_matrix @ (first - second) == 0)
    verdict.verify()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("stochastic", [True, False])
def test_whatever_is_called_insufficient_has_two_kernels(seed, stochastic):
    """Each set with one goal less than the smallest, and all candidates where they do not suffice."""
    rng = np.random.default_rng([3, seed])
    world = rational_world(rng, int(rng.integers(3, 6)))
    goals = Goals.indicator(world.n_states)
    kernel_class = Stochastic() if stochastic else Supported.of(world)
    agent = solve_exactly(ExactMDP.from_float(world, limit_denominator=1000), ExactGoals.from_float(goals))
    if not known_rows(agent, range(goals.n_goals), kernel_class).all():
        with pytest.raises(InsufficientGoalsError) as caught:
            minimal(world, goals, kernel_class)
        assert caught.value.rows
        check_two_kernels(agent, list(range(goals.n_goals)), kernel_class)
        return
    found = minimal(world, goals, kernel_class)
    assert known_rows(agent, found.goals, kernel_class).all()
    for fewer in combinations(range(goals.n_goals), found.size - 1):
        if fewer:
            check_two_kernels(agent, list(fewer), kernel_class)


def unseen_edges(world, spare) -> tuple[int, int]:
    """How many single missed edges nobody sees, and of how many, where goals are chosen for the support without them.

    One edge of each row is left out at a time: the values of the world contradict each row's support, or do not.
    """
    support, count, total = world.dense().support, 0, 0
    for place in range(int(support.sum(axis=2).max())):
        fewer, touched = support.copy(), np.zeros(world.available.shape, bool)
        for state, action in np.ndindex(*touched.shape):
            successors = np.flatnonzero(support[state, action])
            if place < len(successors) > 1:
                fewer[state, action, successors[place]] = False
                touched[state, action] = True
        found = minimal(world, range(world.n_states), Supported(fewer), spare=spare)
        status = identify(solve(world, found.chosen), Supported(fewer)).row_status
        count += int((touched & (status != Status.INCONSISTENT)).sum())
        total += int(touched.sum())
    return count, total


UNEVEN = {f"uneven {n}x{n}": lambda n=n: drawn_world(windy_grid(n, 0.9), n) for n in (3, 4, 5)}


@pytest.mark.parametrize("maze", [pytest.param("rooms", marks=pytest.mark.slow), *UNEVEN])
def test_a_spare_goal_detects_each_single_missed_edge_and_none_to_spare_does_not(maze, record_property):
    world = (MAZES | UNEVEN)[maze]()
    unseen, total = unseen_edges(world, 1)
    without = unseen_edges(world, 0)[0]
    record_property("missed edges, unseen without a spare", (total, without))
    assert unseen == 0
    assert total > 90
    assert without > total / 10


def test_in_a_symmetric_room_a_missed_edge_may_lead_to_the_mirror_image_of_a_known_one():
    """Then no goal on the mirror's axis sees it, spare or not: the hypothesis that the world is uneven is needed."""
    assert unseen_edges(windy_grid(3, 0.9), 1)[0] > 0


def counted(seed, visits):
    rng = np.random.default_rng(seed)
    kernel = rng.dirichlet(np.full(3, 3.0), (3, 2))
    counts = np.stack([[rng.multinomial(visits, row) for row in rows] for rows in kernel])
    return MDP.from_counts(counts, discount=0.5), kernel_radii(counts)


def near(estimate, radii, rng) -> MDP:
    """A kernel on the edge of the region: each row moved by its radius towards a random direction that keeps it one."""
    kernel = estimate.dense().kernel
    direction = rng.normal(size=kernel.shape)
    direction -= direction.mean(axis=2, keepdims=True)
    direction *= 0.99 * radii[:, :, None] / np.abs(direction).sum(axis=2, keepdims=True)
    moved = kernel + direction
    assert (moved > 0).all()
    return MDP(moved, estimate.discount)


@pytest.mark.parametrize("seed", range(4))
def test_goals_for_a_region_of_kernels_suffice_in_each_of_them_and_no_smaller_set_is_certified(seed):
    estimate, radii = counted(seed, 2_000_000)
    goals = Goals(np.random.default_rng([5, seed]).normal(size=(5, 3)))
    known = Supported.of(estimate)
    found = minimal(estimate, goals, known, radii=radii)
    assert found.sufficiency_evidence is Evidence.CERTIFIED
    assert found.proof is None
    assert "region of kernels" in found.text
    found.verify()
    rng = np.random.default_rng([6, seed])
    for _ in range(20):
        agent = solve(near(estimate, radii, rng), found.chosen)
        assert identify(agent, known, scope="uniform").status is Status.IDENTIFIED
    agent = solve(estimate, goals)
    plain = scenario_of(agent, sets_of(known, estimate.available), relative=True, name="here")
    wide = widened(plain, agent, radii, relative=True)
    sizes = [
        size for size in range(6) if any(surely_spanned(wide, list(c)).all() for c in combinations(range(5), size))
    ]
    assert found.size == min(sizes)


def test_a_region_that_is_too_wide_or_misasked_is_refused_in_one_line():
    estimate, radii = counted(0, 6)
    goals = Goals.indicator(3)
    with pytest.raises(InsufficientGoalsError, match="uncertain in some kernel within the radii"):
        minimal(estimate, goals, Supported.of(estimate), radii=radii)
    for wrong in ({"radii": -radii}, {"radii": radii[:1]}, {"radii": radii, "generic": True}):
        with pytest.raises(InputError):
            minimal(estimate, goals, Supported.of(estimate), **wrong)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_surely_spanned_is_spanned_whatever_the_errors_are(seed):
    """Errors as bad as their bounds: towards the null space of what some goals say, and random ones."""
    rng = np.random.default_rng([8, seed])
    k, n = int(rng.integers(2, 7)), int(rng.integers(2, 5))
    matrix = rng.normal(size=(k, n)) * 10.0 ** rng.integers(-3, 3, (k, 1))
    error = np.abs(matrix).max(axis=1) * 10.0 ** rng.uniform(-3, 0, k)
    sets = sets_of(Stochastic(), np.ones((n, 1), bool))
    scenario = Scenario("here", matrix, error, sets, 0.5)
    sure = bool(surely_spanned(scenario, list(range(k)))[0])
    basis = np.linalg.svd(np.ones((1, n)))[2][1:].T
    worst = np.inf
    for _ in range(200):
        direction = basis @ rng.normal(size=n - 1)
        direction /= np.abs(direction).sum()
        # Each goal's error may cancel what it says of this direction, as far as its bound goes.
        said = matrix @ direction
        worst = min(worst, float((np.maximum(np.abs(said) - error, 0.0)).max()))
    if sure:
        assert worst > 0
    if seed == 0:
        assert surely_spanned(Scenario("here", matrix, np.zeros(k), sets, 0.5), list(range(k)))[0] == (k >= n - 1)
