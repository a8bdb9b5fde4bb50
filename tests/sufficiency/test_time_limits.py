"""`seconds` is kept: steps after the deadline are counted by a clock that only steps move, on machines of any speed."""

import time

import numpy as np
import pytest

from tabular_inversion import Deterministic, Goals, Stochastic, Supported
from tabular_inversion.environments import chain, four_rooms, random_mdp
from tabular_inversion.errors import ConvergenceError
from tabular_inversion.sufficiency import minimal
from tabular_inversion.sufficiency.conditioning import best
from tabular_inversion.sufficiency.smallest import exact_agents, requested, requirements, solving

HALF = 0.5


def most_after(n_scenarios: int) -> float:
    """Steps that may follow the deadline: those that every answer needs, each well below a second at usual sizes."""
    return (6 + 4 * n_scenarios) * HALF


STEPS = [
    (requirements, ("spanned", "after_failures", "conditioning", "surely_spanned")),
    (solving, ("agent_of",)),
    (best, ("_sigmas", "conditioning")),
    (requested, ("exact_agents",)),
]


class Clock:
    """Time passes only while a step is taken, half a second for each."""

    def __init__(self) -> None:
        self.now = 0.0

    def step(self, function):
        def taken(*arguments, **options):
            self.now += HALF
            return function(*arguments, **options)

        return taken


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module, names in STEPS:
        for name in names:
            monkeypatch.setattr(module, name, clock.step(getattr(module, name)))
    monkeypatch.setattr(exact_agents, "in_fractions", lambda *_: "fractions have no steps to count")
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


OPTIONS = {
    "plain": {},
    "spare": {"spare": 1},
    "two spare": {"spare": 2},
    "coverage": {"coverage": 0.8},
    "coverage and spare": {"coverage": 0.8, "spare": 1},
    "error": {"noise": 1e-5, "error": 0.1},
    "costs": {"costs": np.random.default_rng(0).integers(1, 50, 30).tolist()},
    "discounts": {"discounts": [0.9, 0.5, 0.7]},
    "region": {"rows": [0, 1, 2], "radii": 1e-9},
}


@pytest.mark.parametrize("seconds", [0, 5, 17, 60])
@pytest.mark.parametrize("name", OPTIONS)
def test_few_steps_follow_the_deadline(clock, name, seconds):
    world = random_mdp(30, 2, branching=4, discount=0.9, seed=0)
    options = dict(OPTIONS[name])
    if "radii" in options:
        options["radii"] = np.full((30, 2), options["radii"])
    found = minimal(
        world,
        Goals.indicator(30),
        Supported.of(world),
        spare=options.pop("spare", 0),
        seconds=seconds,
        **{"forbidden": [29], **options},
    )
    assert clock.now <= 1.1 * seconds + most_after(len(found.scenarios))
    assert found.gap >= 0
    found.verify()


@pytest.mark.parametrize("kernel_class", [Deterministic(), Stochastic()], ids=str)
def test_large_pools_of_candidates_take_no_more_steps(clock, kernel_class):
    world = random_mdp(120, 2, branching=3, discount=0.9, seed=1)
    found = minimal(world, Goals.indicator(120), kernel_class, forbidden=[0] if kernel_class == Deterministic() else [],
                    noise=1e-9, seconds=10)  # fmt: skip
    assert clock.now <= 11 + most_after(1)
    assert found.size >= 1


def test_candidates_that_there_was_no_time_for_are_said_not_to_have_been_looked_at(clock, monkeypatch):
    monkeypatch.setattr(solving, "_PORTION", 68 * 5)
    world = four_rooms("windy")
    found = minimal(world, range(68), Supported.of(world), spare=1, seconds=10)
    assert found.asked.unsolved
    looked_at = 68 - len(found.asked.unsolved)
    assert f"{looked_at} of 68 candidates were looked at" in found.text
    assert not set(found.goals) & set(found.asked.unsolved)
    assert found.lower_bound == 3  # counting is about all candidates
    assert not found.best_conditioned
    found.verify()


def test_a_solver_is_interrupted_and_what_does_not_suffice_is_no_answer(clock, monkeypatch):
    monkeypatch.setattr(solving, "_PORTION", 1)
    world = chain(12)
    with pytest.raises(ConvergenceError, match="of 12 candidates that were solved within 3 seconds do not suffice"):
        minimal(world, Goals.indicator(12), Stochastic(), spare=1, seconds=3)
    seen = []

    def never(_world, _goals, _policy, *, progress):
        for done in range(100):
            seen.append(done)
            clock.now += 1.0
            progress(0, 1)

    monkeypatch.setattr(solving, "agent_of", never)
    with pytest.raises(ConvergenceError, match="no candidate was solved within 20 seconds"):
        minimal(world, Goals.indicator(12), Stochastic(), spare=1, seconds=20)
    assert len(seen) <= 20 + 2


def test_the_time_for_the_search_is_used_where_what_is_solved_does_not_suffice(clock, monkeypatch):
    """Eleven of twelve goals are needed: six are solved in six tenths of the time, and the rest after that."""
    monkeypatch.setattr(solving, "_PORTION", 1)
    found = minimal(chain(12), Goals.indicator(12), Stochastic(), noise=1e-9, seconds=6.5)
    assert found.size == 11
    found.verify()
