"""Values that no row explains are refuted row by row: no table of rows by states is made."""

import tracemalloc
from dataclasses import replace

from tabular_inversion import Goals, Status, Supported, identify, solve
from tabular_inversion.environments import random_mdp


def test_no_table_of_rows_by_states() -> None:
    world = random_mdp(3_000, 2, branching=3, seed=0)
    agent = solve(world, Goals.generic(3_000, 5, seed=0)).with_noise(1e-6, seed=1)
    kernel_class = Supported.of(world)
    tracemalloc.start()
    verdict = identify(agent, kernel_class)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert verdict.status is Status.INCONSISTENT
    assert (verdict.row_status == Status.INCONSISTENT).all()
    assert peak < 6_000 * 3_000, "bytes: a table of booleans would have as many"
    assert 0 < verdict.least_noise <= 1e-6
    assert identify(replace(agent, noise=1e-6), kernel_class).status is Status.IDENTIFIED
