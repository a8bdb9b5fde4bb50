"""The main job recovers public worlds, and says so when it cannot."""

import pytest

from proofs_checks.worlds import CASES, WorldCase, recover_world
from tabular_inversion.identifiability import Status


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.environment} {case.goals} {case.kernel_class}")
def test_every_case_of_the_table(case):
    row = recover_world(case)
    assert row["held"], row
    if case.expected is Status.NOT_IDENTIFIED:
        assert row["witness_gap"] < 1e-8
    else:
        assert row["max_error"] < 1e-8


def test_a_wrong_expectation_is_not_held():
    assert not recover_world(WorldCase("chain:4", "generic:1", "stochastic", Status.IDENTIFIED))["held"]
    assert not recover_world(WorldCase("chain:4", "generic:4", "stochastic", Status.NOT_IDENTIFIED))["held"]


def test_the_table_covers_the_promised_environments_and_shows_failures_to_identify():
    names = {case.environment.split(",")[0] for case in CASES}
    assert names == {
        "fourrooms:deterministic",
        "fourrooms:windy",
        "fourrooms:teleport",
        "gym:FrozenLake-v1",
        "gym:CliffWalking-v1",
        "gym:Taxi-v4",
    }
    refused = [case for case in CASES if case.expected is Status.NOT_IDENTIFIED]
    assert WorldCase("fourrooms:windy", "generic:1", "stochastic", Status.NOT_IDENTIFIED) in refused
