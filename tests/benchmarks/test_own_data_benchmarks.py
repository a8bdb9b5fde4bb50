"""What values of one's own cost: missing equations beside all of them, and levels of noise beside the verdict."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tabular_inversion import AgentValues, Goals, KernelClass, Stochastic, Supported, identify, invert, solve
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.identifiability.limits import limits_of

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


@pytest.mark.parametrize(("added", "stated"), [(0.0, 0.0), (1e-6, 1e-6), (1e-6, 0.0)])
def test_levels_of_noise_of_a_hundred_thousand_rows(race: Callable[..., None], added: float, stated: float) -> None:
    """Both levels of every row beside the verdict: true values, noisy ones, and ones whose noise nobody stated."""
    world = random_mdp(50_000, 2, branching=4, seed=0)
    agent = solve(world, Goals.generic(world.n_states, 6, seed=0))
    agent = replace(agent.with_noise(added, seed=0), noise=stated) if added else agent
    kernel_class = Supported.of(world)
    question = identify(agent, kernel_class).question
    race(
        lambda: limits_of(question),
        lambda: identify(replace(agent), kernel_class),
        limit=1.5, rounds=3, rows=100_000, added=added, stated=stated,
    )  # fmt: skip
