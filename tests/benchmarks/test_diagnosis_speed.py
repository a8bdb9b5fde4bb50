"""How long a diagnosis takes beside the verdict that asks for it."""

import time

import pytest

from tabular_inversion import AgentValues, Goals, Stochastic, diagnose, identify, solve
from tabular_inversion.environments import four_rooms


@pytest.mark.benchmark
def test_four_rooms_with_all_goals_in_ten_seconds() -> None:
    world = four_rooms("windy")
    agent = solve(world, Goals.indicator(world.n_states))
    wrong = AgentValues(agent.q, Goals(agent.goals.rewards), agent.discount)
    start = time.process_time()
    identify(wrong, Stochastic())
    baseline = time.process_time() - start
    start = time.process_time()
    found = diagnose(wrong, Stochastic())
    seconds = time.process_time() - start
    assert found.best is not None
    assert found.best.name == "another continuation"
    assert seconds < 10.0, f"diagnose took {seconds:.1f} s, identify {baseline:.1f} s"
