"""What values of one's own cost: missing equations beside all of them, and levels of noise beside the verdict."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tabular_inversion import AgentValues, Goals, KernelClass, Stochastic, Supported, identify, invert, solve
from tabular_inversion.environments import four_rooms, random_world

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("known", ["nothing", "supports"])
@pytest.mark.parametrize("asked", [identify, invert])
def test_missing_equations_in_68_patterns(race: Callable[..., None], known: str, asked: Callable[..., object]) -> None:
    """Each goal of FourRooms ends its episodes, so that each state lacks the equations of another goal."""
    world = four_rooms("windy")
    full = solve(world, Goals.indicator(world.n_states))
    gaps = AgentValues.episodic(full.q, full.goals, full.discount)
    kernel_class: KernelClass = Stochastic() if known == "nothing" else Supported.of(world)
    race(
        lambda: asked(replace(gaps), kernel_class),
        lambda: asked(replace(full), kernel_class),
        limit=2.0, patterns=68, kernel_class=kernel_class.name, asked=asked.__name__,
    )  # fmt: skip


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_least_and_largest_noise_of_a_hundred_thousand_rows(race: Callable[..., None], noise: float) -> None:
    world = random_world(50_000, 2, branching=4, seed=0)
    agent = solve(world, Goals.generic(world.n_states, 6, seed=0))
    agent = replace(agent, noise=noise) if noise else agent
    kernel_class = Supported.of(world)

    def with_levels() -> None:
        verdict = identify(replace(agent), kernel_class)
        assert verdict.least_noise <= verdict.largest_noise

    race(with_levels, lambda: identify(replace(agent), kernel_class), limit=2.5, rounds=3, rows=100_000, noise=noise)
