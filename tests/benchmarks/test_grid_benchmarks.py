"""How fast grids of continuous systems are built, solved and inverted, beside scipy and loops over states."""

import resource
import subprocess
import sys

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from tabular_inversion import Goals, Supported, invert, solve
from tabular_inversion.bellman import bellman_residual
from tabular_inversion.environments import MOUNTAIN_CAR, REACHER, mountain_car, reacher

pytestmark = pytest.mark.benchmark

PEAK = """
import resource, sys
from tabular_inversion.environments import reacher
print(reacher(24, method=sys.argv[1]).kernel.nnz, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def kuhn_row(axes, point):
    """Interpolate at one point, as one would by hand."""
    base, fractions = [], []
    for axis, value in zip(axes, point, strict=True):
        along = (value - axis.low) / axis.spacing
        along = along % axis.count if axis.wraps else min(max(along, 0.0), axis.count - 1.0)
        cell = min(int(along), axis.count - 1 if axis.wraps else axis.count - 2)
        base.append(cell)
        fractions.append(along - cell)
    shape = [axis.count for axis in axes]
    row = {int(np.ravel_multi_index(base, shape)): 1.0 - max(fractions)}
    order = sorted(range(len(axes)), key=lambda i: -fractions[i])
    for place, i in enumerate(order):
        base[i] = (base[i] + 1) % shape[i]
        following = fractions[order[place + 1]] if place + 1 < len(order) else 0.0
        row[int(np.ravel_multi_index(base, shape))] = fractions[i] - following
    return row


def peak_memory(method):
    """Return the entries of reacher(24) and the peak memory in GiB of a process that does nothing but build it."""
    text = subprocess.run([sys.executable, "-c", PEAK, method], capture_output=True, text=True, check=True).stdout
    entries, kilobytes = (int(word) for word in text.split())
    return entries, kilobytes / 2**20


@pytest.mark.parametrize("method", ["kuhn", "multilinear"])
def test_reacher_is_built_against_a_loop_over_states(race, method):
    entries, gibibytes = peak_memory(method)
    grid, looped = REACHER.grid(24), 2_000
    chosen = grid.coordinates[:: grid.n_states // looped]

    def loop():
        for action in range(9):
            for arrival in REACHER.step(chosen, action):
                kuhn_row(grid.axes, arrival)

    rows = 9 * grid.n_states, 9 * len(chosen)
    race(lambda: reacher(24, method=method), loop, rounds=3, per=rows, entries=entries, peak_gibibytes=gibibytes)


def test_multilinear_interpolation_against_scipy(race):
    grid = MOUNTAIN_CAR.grid(200)
    points = np.random.default_rng(0).uniform([-1.2, -0.07], [0.6, 0.07], (200_000, 2))
    values = np.random.default_rng(1).standard_normal(grid.n_states)
    axes = tuple(axis.points for axis in grid.axes)

    def scipy():
        return RegularGridInterpolator(axes, values.reshape(grid.shape))(points)

    def ours():
        return grid.interpolation(points, method="multilinear") @ values

    race(ours, scipy, difference=float(np.abs(ours() - scipy()).max()))


def value_iteration(mdp, goals, tolerance):
    """Solve by sweeps of plain value iteration, all goals at once, to a relative Bellman residual."""
    m = goals.rewards.copy()
    factors = mdp.discount * goals.continuation
    while True:
        update = goals.rewards + factors * (mdp.rows @ m.T).T.reshape(len(m), *mdp.available.shape).max(axis=2)
        change = np.abs(update - m).max()
        m = update
        if change <= tolerance * np.abs(m).max():
            return m


@pytest.mark.parametrize("goals", ["published", "generic"])
def test_mountain_car_is_solved_against_value_iteration(race, goals):
    mdp = mountain_car(200)
    published = MOUNTAIN_CAR.goals("position", mdp).join(MOUNTAIN_CAR.goals("velocity", mdp))
    chosen = published if goals == "published" else Goals.generic(mdp.n_states, 8, seed=0)
    one = chosen.select([1])
    agent = solve(mdp, chosen)
    residual, iterations = float(bellman_residual(mdp, agent).max()), agent.report.iterations
    race(
        lambda: solve(mdp, chosen), lambda: value_iteration(mdp, one, 1e-10), rounds=1, per=(8, 1),
        residual=residual, goals=goals, iterations=iterations,
    )  # fmt: skip


def test_mountain_car_is_inverted_against_a_loop_over_lstsq(race):
    mdp = mountain_car(200)
    agent = solve(mdp, MOUNTAIN_CAR.goals("position", mdp))
    matrix, right, kernel, looped = agent.test_matrix, agent.right_hand_sides, mdp.kernel, 5_000

    def loop():
        for row in range(looped):
            states = kernel.indices[kernel.indptr[row] : kernel.indptr[row + 1]]
            system = np.vstack([matrix[:, states], np.ones(len(states))])
            np.linalg.lstsq(system, np.append(right[:, row], 1.0))

    found = invert(agent, Supported.of(mdp))
    race(
        lambda: invert(agent, Supported.of(mdp)), loop, rounds=1, per=(mdp.available.size, looped),
        identified=found.verdict.rows_identified, of=found.verdict.rows,
    )  # fmt: skip


def test_reacher_is_solved_and_inverted(race, benchmark):
    """The whole way at 24^4 states with 4 goals; the baseline is one product with the kernel."""
    mdp = reacher(24)
    goals = REACHER.goals("position", mdp)
    verdicts = []
    race(
        lambda: verdicts.append(invert(solve(mdp, goals), Supported.of(mdp)).verdict),
        lambda: mdp.expectation(goals.rewards),
        rounds=1,
    )
    for verdict in verdicts[:1]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        benchmark.extra_info.update(identified=verdict.rows_identified, of=verdict.rows, peak_gibibytes=peak)
