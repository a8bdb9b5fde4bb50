"""Verdicts in words: counts that are right, two worlds that are two, and no promise that is not kept."""

import numpy as np
import pytest

from tabular_inversion import AgentValues, Deterministic, Goals, Stochastic, Supported, Unconstrained, identify, solve
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.identifiability.explanation import pair_of

WORLD = four_rooms("windy")


@pytest.mark.parametrize(
    ("kernel_class", "words"),
    [
        (Stochastic(), "2 goals give 2 equations, 3 with the sum, for 68 unknown probabilities"),
        (Unconstrained(), "2 goals give 2 equations, for 68 unknown numbers in each row of the kernel"),
        (Supported.of(WORLD), "2 goals give 2 equations, 3 with the sum, for 2 to 3 unknown probabilities"),
        (Deterministic(), "2 goals give 2 equations, 3 with the sum, for one of 68 successors"),
    ],
)
def test_equations_are_counted_against_unknowns(kernel_class, words):
    told = identify(solve(WORLD, Goals.indicator(68, [0, 40])), kernel_class).explain()
    assert told.because[0] == words
    # What decided on a known support was no rank of the whole system.
    assert "has 3 rows" not in told.text


@pytest.mark.parametrize("seed", range(6))
def test_the_story_is_of_two_worlds_with_the_same_values(seed):
    world = random_mdp(8, 2, branching=3, discount=0.9, seed=seed)
    agent = solve(world, Goals.generic(8, 2, seed=seed))
    for kernel_class in (Stochastic(), Supported.of(world)):
        verdict = identify(agent, kernel_class)
        if verdict.witness is None:
            continue
        told = pair_of(verdict, world)
        first, second = told.first, told.second
        assert told.label == "in the true world"
        own = world.dense().kernel[verdict.witness.state, verdict.witness.action]
        np.testing.assert_allclose(first, own, atol=1e-12)
        assert kernel_class is not None
        assert (second >= 0).all()
        assert second.sum() == pytest.approx(1.0, abs=1e-9)
        assert (np.abs(agent.test_matrix @ (first - second)) <= 1e-8 * np.abs(agent.test_matrix).max()).all()
        assert np.abs(first - second).sum() >= 0.98 * np.abs(first - verdict.witness.second).sum() - 1e-9
        assert np.count_nonzero(second) <= 3, "a vertex has as few entries as there are equations"


def test_names_are_kept_and_html_is_safe():
    names = [f"<{i}>" for i in range(68)]
    bare = solve(WORLD, Goals.indicator(68, [0]))
    told = identify(AgentValues(bare.q, bare.goals, bare.discount, state_names=names), Stochastic()).explain()
    assert "in state <" in told.text
    assert "<0>" not in told._repr_html_()
    assert "&lt;" in told._repr_html_()
    assert set(told.to_dict()) == {"headline", "because", "story", "next"}


def test_what_next_depends_on_the_answer():
    agent = solve(WORLD, Goals.indicator(68))
    assert identify(agent, Stochastic()).explain().next[0].startswith("invert(")
    wrong = AgentValues(agent.q, agent.goals, 0.5)
    assert identify(wrong, Stochastic()).explain().next[0].startswith("diagnose(")
    few = identify(agent.select_goals([0, 1, 2]), Stochastic()).explain()
    assert any("give at least 64 more goals: 67 are needed" in line for line in few.next)
