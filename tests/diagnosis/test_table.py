"""Each explanation is found on values that were made that way, and is not claimed on those made in another."""

from collections.abc import Callable

import numpy as np
import pytest

from tabular_inversion import (
    AgentValues,
    Deterministic,
    Goals,
    KernelClass,
    Stochastic,
    Supported,
    policies,
    solve,
)
from tabular_inversion.diagnosis import Diagnosis, diagnose
from tabular_inversion.diagnosis.ranking import EXPLANATIONS
from tabular_inversion.environments import four_rooms, random_mdp

N, ACTIONS, DISCOUNT = 7, 2, 0.9
WORLD = random_mdp(N, ACTIONS, branching=3, discount=DISCOUNT, seed=3)
P = WORLD.dense().kernel
INDICATOR = Goals.indicator(N)
GOALS = INDICATOR.join(Goals.generic(N, 5, seed=1))

Values = np.ndarray


def best(q: Values) -> Values:
    return q.max(axis=2)


def sweeps(
    goals: Goals,
    *,
    value: Callable[[Values], Values] = best,
    discount: float = DISCOUNT,
    leaving: bool = False,
    number: int = 600,
) -> Values:
    """Value iteration in a few lines of its own."""
    q = np.zeros((len(goals), N, ACTIONS))
    v = np.zeros((len(goals), N))
    for _ in range(number):
        arrival = discount * goals.continuation * v + (0.0 if leaving else goals.rewards)
        q = np.einsum("sat,gt->gsa", P, arrival) + (goals.rewards[:, :, None] if leaving else 0.0)
        v = value(q)
    return q


def untrained(q: Values) -> Values:
    """Set the values to zero that an episode never asks for: those of acting in the goal's own state."""
    table = q.copy()
    table[np.arange(N), np.arange(N)] = 0.0
    return table


def without(*entries: tuple[int, int]) -> Supported:
    """Leave out the i-th successor of a row from the support."""
    support = Supported.of(WORLD).support.toarray()
    for row, place in entries:
        support[row, np.flatnonzero(support[row])[place]] = False
    return Supported(support.reshape(N, ACTIONS, N))


def made() -> dict[str, tuple[AgentValues, KernelClass]]:
    """Return for each explanation the values of an agent that it is the explanation of."""
    q = sweeps(GOALS)
    order = np.random.default_rng(1).permutation(len(GOALS))
    everywhere = np.ones((N, ACTIONS), bool)

    def read(values: Values, goals: Goals = GOALS, discount: float = DISCOUNT) -> AgentValues:
        return AgentValues(values, goals, discount)

    return {
        "rounding": (read(q.astype(np.float32).astype(float)), Stochastic()),
        "untrained goal states": (read(untrained(q)), Stochastic()),
        "another discount": (read(q, discount=0.95), Stochastic()),
        "another value operator": (
            read(sweeps(GOALS, value=lambda t: (t * policies.epsilon_greedy(t, everywhere, epsilon=0.2)).sum(axis=2))),
            Stochastic(),
        ),
        "reward on leaving": (read(sweeps(GOALS, leaving=True)), Stochastic()),
        "another continuation": (read(sweeps(Goals(GOALS.rewards))), Stochastic()),
        "wrong support": (read(q), without((3, 0), (6, 1))),
        "a wider class": (read(q), Deterministic()),
        "Q transposed": (read(sweeps(INDICATOR).transpose(1, 0, 2), INDICATOR), Stochastic()),
        "goals permuted": (read(q[order]), Stochastic()),
        "unconverged sweeps": (read(sweeps(GOALS, number=20)), Supported.of(WORLD)),
    }


CASES = made()
IMPLIED = {"wrong support": {"a wider class"}}
"""All distributions explain what a support with one more entry does."""


@pytest.fixture(scope="module")
def diagnoses() -> dict[str, Diagnosis]:
    return {name: diagnose(agent, kernel_class) for name, (agent, kernel_class) in CASES.items()}


def test_every_explanation_has_an_agent() -> None:
    assert list(CASES) == [name for name, _, _ in EXPLANATIONS]


@pytest.mark.parametrize("name", CASES)
def test_the_right_explanation_is_found_and_no_other_claimed(name: str, diagnoses: dict[str, Diagnosis]) -> None:
    found = diagnoses[name]
    assert not found.consistent
    assert not found.silent
    assert found.best is not None
    assert found.best.name == name
    assert found.best.residual < 1e-6 < found.residual or name == "rounding"
    assert {each.name for each in found.fitting} == {name} | IMPLIED.get(name, set())
    assert len(found.explanations) == 11


def test_what_is_fitted_is_what_was_built(diagnoses: dict[str, Diagnosis]) -> None:
    changes = {name: found.best.change for name, found in diagnoses.items() if found.best is not None}
    assert changes["another discount"] == "AgentValues(q, goals, discount=0.9)"
    assert "epsilon=0.2)" in changes["another value operator"]
    assert "after 20 sweeps" in str(diagnoses["unconverged sweeps"])
    lost = [divmod(row, ACTIONS) for row in (3, 6)]
    support = diagnoses["wrong support"].best
    assert support is not None
    assert all(f"(state {s}, action {a}) -> " in support.text for s, a in lost)
    order = np.random.default_rng(1).permutation(len(GOALS)).tolist()
    permuted = diagnoses["goals permuted"].best
    assert permuted is not None
    assert f"the values of goal 0 are those of goal {order[0]}" in permuted.text


@pytest.mark.parametrize(("temperature", "soft"), [(0.05, False), (0.7, True)])
def test_temperatures_are_fitted(temperature: float, soft: bool) -> None:
    everywhere = np.ones((N, ACTIONS), bool)

    def value(q: Values) -> Values:
        if soft:
            return q.max(axis=2) + temperature * np.log(np.exp((q - q.max(axis=2, keepdims=True)) / temperature).sum(2))
        return (q * policies.softmax(q, everywhere, temperature=temperature)).sum(axis=2)

    found = diagnose(AgentValues(sweeps(GOALS, value=value), GOALS, DISCOUNT), Stochastic())
    assert found.best is not None
    assert found.best.name == "another value operator"
    assert f"temperature {temperature:g}" in found.best.text
    assert ("softly" if soft else "SARSA") in found.best.text


def test_noise_is_explained_by_nothing_and_said_so() -> None:
    noisy = sweeps(GOALS) + np.random.default_rng(0).uniform(-1e-2, 1e-2, (len(GOALS), N, ACTIONS))
    agent = AgentValues(noisy, GOALS, DISCOUNT)
    found = diagnose(agent, Stochastic())
    assert found.best is None
    assert found.line.startswith("none of 11 explanations fits; smallest residual 0.0")
    assert not found.fitting
    assert diagnose(agent, Stochastic(), noise=1e-2).consistent


def test_right_values_are_consistent_and_weaker_readings_not_tried() -> None:
    found = diagnose(AgentValues(sweeps(GOALS), GOALS, DISCOUNT), Stochastic())
    assert found.consistent
    assert found.best is None
    assert found.fitting == ()


def test_few_goals_rule_nothing_out() -> None:
    few = Goals.generic(N, 1, seed=1)
    found = diagnose(AgentValues(sweeps(few), few, 0.92), Stochastic())
    assert found.consistent, "the discount is wrong, and nobody can tell"
    assert found.best is None
    assert len(found.fitting) >= 2
    assert found.line.endswith("would fit too")
    two = Goals.generic(N, 2, seed=1)
    found = diagnose(AgentValues(sweeps(two), two, 0.95), Stochastic())
    assert not found.consistent
    assert len(found.fitting) >= 2
    assert found.silent
    assert "2 goals give 2 equations for 6 or more free probabilities" in found.doubt
    assert "nothing can be ruled out" in found.text
    assert found.to_dict()["doubt"] == found.doubt


@pytest.mark.slow
def test_permuted_goals_are_found_where_a_few_rows_do_not_tell_them_apart() -> None:
    """A dozen rows of FourRooms never see most of its 68 goals, and leave many orders open."""
    world = four_rooms("windy")
    goals = Goals.indicator(world.n_states)
    order = np.random.default_rng(0).permutation(world.n_states)
    found = diagnose(AgentValues(solve(world, goals).q[order], goals, world.discount), Stochastic())
    assert found.best is not None
    assert found.best.name == "goals permuted"
    assert found.best.agent is not None
    assert (found.best.agent.goals.rewards.argmax(axis=1) == order).all()
