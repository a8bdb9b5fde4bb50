"""Verdicts that hold with a stated probability: below certified, above numeric, and never about what is untestable."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tabular_inversion import (
    AgentValues,
    Evidence,
    Goals,
    Stochastic,
    Supported,
    Unconstrained,
    Verdict,
    evaluate,
    identify,
    policies,
    solve,
)
from tabular_inversion.environments import graph, named_graph, random_mdp
from tabular_inversion.errors import InputError, WitnessError


def agent_of(n, k, eps, *, seed=0, discount=0.9):
    world = random_mdp(n, 2, discount=discount, seed=seed)
    exact = evaluate(world, Goals.generic(n, k, seed=seed), policies.uniform(world.available))
    return world, exact.with_noise(eps, seed=seed)


@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained()], ids=lambda each: each.name)
def test_identified_with_a_confidence_is_statistical(kernel_class):
    _, agent = agent_of(6, 12, 1e-5)
    verdict = identify(agent, kernel_class, noise=1e-5, confidence=0.95)
    assert (verdict.status.name, verdict.evidence) == ("IDENTIFIED", Evidence.STATISTICAL)
    assert verdict.error_probability == pytest.approx(0.05)
    verdict.verify()
    assert identify(agent, kernel_class, noise=1e-5).evidence is Evidence.CERTIFIED
    assert "probability 0.95" in verdict.reason


def test_a_stronger_claim_than_statistical_is_refused(tmp_path):
    _, agent = agent_of(5, 8, 1e-5)
    verdict = identify(agent, Stochastic(), noise=1e-5, confidence=0.9)
    verdict.save(tmp_path / "verdict.json")
    assert type(verdict).load(tmp_path / "verdict.json") == verdict
    for forged in (
        replace(verdict, row_evidence=np.full_like(verdict.row_evidence, Evidence.CERTIFIED)),
        replace(verdict, error_probability=0.0),
    ):
        with pytest.raises(WitnessError):
            forged.verify()


def test_an_accidental_rank_is_not_claimed_from_noisy_values():
    world = graph(named_graph("K3,3"), discount=0.5)
    agent = solve(world, Goals.indicator(6))
    assert identify(agent, Stochastic(), scope="uniform").status.name == "NOT_IDENTIFIED"
    verdict = identify(agent, Stochastic(), scope="uniform", noise=1e-6, confidence=0.95)
    assert verdict.status.name == "UNDECIDED"
    assert "cannot be told from noisy values" in verdict.reason


def test_too_few_equations_need_no_probability():
    _, agent = agent_of(6, 3, 1e-3)
    verdict = identify(agent, Stochastic(), scope="uniform", noise=1e-3, confidence=0.95)
    assert (verdict.status.name, verdict.evidence, verdict.error_probability) == (
        "NOT_IDENTIFIED",
        Evidence.CERTIFIED,
        0.0,
    )


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, float("nan")])
def test_confidence_out_of_range(confidence):
    _, agent = agent_of(4, 6, 1e-4)
    with pytest.raises(InputError, match="confidence"):
        identify(agent, Stochastic(), noise=1e-4, confidence=confidence)


def test_confidence_without_noise_is_refused():
    _, agent = agent_of(4, 6, 1e-4)
    with pytest.raises(InputError, match="no noise is stated"):
        identify(agent, Stochastic(), confidence=0.95)


def test_known_supports_take_a_confidence_too():
    world, agent = agent_of(6, 8, 1e-6)
    assert identify(agent, Supported.of(world), noise=1e-6, confidence=0.99).evidence is Evidence.STATISTICAL


@pytest.mark.parametrize("hidden", [False, True], ids=["all values", "a missing value"])
@pytest.mark.parametrize("way", ["rows", "seconds", "executor"])
def test_parts_keep_the_chance_of_error(way, hidden):
    _, agent = agent_of(5, 9, 1e-6)
    if hidden:
        q = agent.q.copy()
        q[0, 0, 0] = np.nan
        agent = AgentValues(q, agent.goals, agent.discount, v=agent.v)
    options = {"noise": 1e-6, "confidence": 0.9}
    with ThreadPoolExecutor(2) as pool:
        if way == "rows":
            parts = [identify(agent, Stochastic(), rows=rows, **options) for rows in (np.arange(4), np.arange(4, 10))]
            verdict = Verdict.merge(parts)
        else:
            options[way] = 60.0 if way == "seconds" else pool
            verdict, parts = identify(agent, Stochastic(), **options), []
    for found in (verdict, *parts):
        assert found.error_probability == pytest.approx(0.1)
        found.verify()
    assert (verdict.status.name, verdict.evidence) == ("IDENTIFIED", Evidence.STATISTICAL)
    forged = replace(verdict, error_probability=0.0)
    with pytest.raises(WitnessError, match="error_probability"):
        forged.verify()
