"""Bounds and robust plans on windy FourRooms against one call of `scipy.optimize.linprog` for each linear program.

The baseline solves a sample of the programs, those of a few rows spread over all; both are compared per program, as
if all rows took as long as these. Building the sets is part of our time; the baseline gets its arrays ready made.
"""

import numpy as np
import pytest
from scipy.optimize import linprog

from tabular_inversion import Goals, Stochastic, Supported, robust, solve, value_equivalence
from tabular_inversion.environments import four_rooms

pytestmark = pytest.mark.benchmark

SAMPLED = (3, 120)
CASES = [(kind, n_goals) for kind in ("stochastic", "supported") for n_goals in range(1, 6)]


def question(kind, n_goals):
    mdp = four_rooms("windy")
    agent = solve(mdp, Goals.generic(mdp.n_states, n_goals, seed=0))
    return agent, Stochastic() if kind == "stochastic" else Supported.of(mdp)


def programs_of(agent, kernel_class):
    """Return the equations, values and columns of the sampled rows."""
    matrix = np.vstack([agent.test_matrix, np.ones(agent.n_states)])
    for row in SAMPLED:
        columns = np.arange(agent.n_states)
        if isinstance(kernel_class, Supported):
            columns = kernel_class.known_supports(agent.row_index[[row]]).indices
        yield matrix[:, columns], np.append(agent.right_hand_sides[:, row], 1.0), columns


def ends_by_linprog(systems, objectives):
    """Minimise and maximise every objective on every sampled row."""
    for matrix, values, columns in systems:
        for objective in objectives(columns):
            for sign in (1.0, -1.0):
                assert linprog(sign * objective, A_eq=matrix, b_eq=values).status == 0


@pytest.mark.parametrize(("kind", "n_goals"), CASES)
def test_bounds_against_one_program_for_each_row_entry_and_direction(race, kind, n_goals):
    agent, kernel_class = question(kind, n_goals)
    systems = list(programs_of(agent, kernel_class))
    sizes = kernel_class.sizes.sum() if kind == "supported" else agent.n_states * len(agent.row_index)

    def each_entry(columns):
        return np.eye(len(columns))

    found = value_equivalence(agent, kernel_class)
    race(
        lambda: value_equivalence(agent, kernel_class).bounds(),
        lambda: ends_by_linprog(systems, each_entry),
        rounds=3,
        per=(2 * int(sizes), 2 * sum(len(columns) for _, _, columns in systems)),
        kind=kind,
        goals=n_goals,
        open_rows=int((found.dimension > 0).sum()),
        widest=float(np.nanmax(found.bounds().width)),
    )


@pytest.mark.parametrize(("kind", "n_goals"), CASES)
def test_robust_plan_against_one_program_for_each_row_and_step(race, kind, n_goals):
    agent, kernel_class = question(kind, n_goals)
    systems = list(programs_of(agent, kernel_class))
    goal = Goals.generic(agent.n_states, 1, seed=99)
    found = robust(value_equivalence(agent, kernel_class), goal)
    value = found.lower

    def the_value(columns):
        return [value[columns]]

    # Each side asks every row for its first kernel, after each change, and once more to see that it is done.
    programs = len(agent.row_index) * (found.iterations + 4)
    race(
        lambda: robust(value_equivalence(agent, kernel_class), goal),
        lambda: ends_by_linprog(systems, the_value),
        rounds=3,
        per=(programs, 2 * len(systems)),
        kind=kind,
        goals=n_goals,
        iterations=found.iterations,
        largest_gap=float(found.gap.max()),
        error=found.error,
    )
