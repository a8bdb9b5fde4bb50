"""States, actions and goals are called by their names in words, JSON and refusals, and names can be typed back."""

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tabular_inversion import (
    AgentValues,
    Goals,
    Stochastic,
    Supported,
    diagnose,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.cli import main
from tabular_inversion.environments import four_rooms
from tabular_inversion.errors import AgentValuesError, WitnessError

WORLD = four_rooms("windy")
TWO = solve(WORLD, Goals.indicator(WORLD.n_states, [0, 67]))


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[Any, str, str]:
    monkeypatch.setattr(sys, "argv", ["tabular-inversion", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    told = capsys.readouterr()
    return stop.value.code, told.out, told.err


def test_what_a_verdict_calls_its_goals_is_what_the_command_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    told = identify(TWO, Stochastic()).explain().text
    assert "indicator:(1,1): " in told
    assert "take action" in told
    TWO.save(tmp_path / "agent.npz")
    for name in (TWO.goal_name(1), "indicator:(9,9)"):
        status, out, _ = call(monkeypatch, capsys, "identify", tmp_path / "agent.npz", "--goals", name, "--json")
        found = json.loads(out)
        assert (status, found["n_goals"]) == (0, 1)
        assert set(found["witness"]["first"]) <= set(WORLD.state_names or ())
    status, _, err = call(monkeypatch, capsys, "identify", tmp_path / "agent.npz", "--goals", "indicator:(0,0)")
    assert status == 2
    assert "no state is named '(0,0)'" in " ".join(err.split())


def test_names_of_goals_that_were_given_come_first() -> None:
    goals = Goals(TWO.goals.rewards, TWO.goals.continuation, names=["home", "work"])
    assert replace(TWO, goals=goals).name_of_goal(1) == "goal work"
    assert replace(TWO, state_names=None).name_of_goal(1) == "goal 1"
    assert AgentValues(TWO.q, Goals(TWO.goals.rewards * 2), 0.9, state_names=WORLD.state_names).goal_name(0) == "0"


def test_refusals_name_the_state_the_action_and_the_goal() -> None:
    full = solve(WORLD, Goals.indicator(WORLD.n_states))
    q = full.q.copy()
    q[3, 5, 1] += 1.0
    wrong = AgentValues(q, full.goals, full.discount, v=full.v, state_names=WORLD.state_names,
                        action_names=WORLD.action_names)  # fmt: skip
    shown = f"state {WORLD.state_name(5)}, action {(WORLD.action_names or ())[1]}"
    with pytest.raises(AgentValuesError) as refused:
        value_equivalence(wrong, Supported.of(WORLD)).bounds()
    assert shown in str(refused.value)
    assert "under goal indicator:(" in str(refused.value)
    assert shown in identify(wrong, Supported.of(WORLD)).reason
    verdict = identify(TWO, Stochastic())
    assert verdict.witness is not None
    forged = replace(verdict, witness=replace(verdict.witness, second=verdict.witness.first))
    with pytest.raises(WitnessError, match=r"witness for state \(\d+,\d+\), action (up|down|left|right)"):
        forged.verify()


def test_a_support_that_lacks_a_successor_is_told_by_names() -> None:
    full = solve(WORLD, Goals.indicator(WORLD.n_states))
    mask = Supported.of(WORLD).support.toarray()
    row = 4 * 9 + 1
    mask[row, np.flatnonzero(mask[row])[0]] = False
    found = diagnose(replace(full, report=None), Supported(mask.reshape(WORLD.shape)))
    explanation = next(each for each in found.explanations if each.name == "wrong support")
    assert explanation.fits
    assert f"(state {WORLD.state_name(9)}, action {(WORLD.action_names or ())[1]}) -> (" in explanation.text


def test_a_recovered_world_keeps_its_names() -> None:
    world = invert(solve(WORLD, Goals.indicator(WORLD.n_states)), Stochastic()).to_mdp()
    assert (world.state_names, world.action_names) == (WORLD.state_names, WORLD.action_names)
    assert np.array_equal(np.asarray(world.coordinates), np.asarray(WORLD.coordinates))
