"""Kind: numbers that are absurd, or missing, are taken for ordinary ones, or ask for all memory or all time."""

import time

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    AgentValues,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    TabularInversionError,
    evaluate,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.environments import chain, parse_environment, parse_goals, random_mdp

WORLD = random_mdp(5, 2, branching=2, seed=0, discount=0.9)
TABLE = np.ones((5, 2, 5))
NAN = float("nan")


@pytest.mark.parametrize("number", [5, 6, 10**6, 10**30])
def test_any_number_of_successors_is_answered_at_once(number):
    start = time.monotonic()
    agent = solve(WORLD, Goals.generic(5, 4, seed=0))
    verdict = identify(agent, Sparse(number))
    assert (verdict.status, verdict.rows_identified) == (identify(agent, Stochastic()).status, 10)
    assert invert(agent, Sparse(number)).max_error(WORLD) < 1e-12
    assert identify(agent, Sparse(number), scope="uniform").status == verdict.status
    assert time.monotonic() - start < 5.0


ABSURD = {
    "chain": lambda: parse_environment("chain:99999999999999999999"),
    "chain of 5000 digits": lambda: parse_environment("chain:" + "9" * 5000),
    "riverswim": lambda: parse_environment("riverswim:99999999999999999999"),
    "random": lambda: parse_environment("random:n=99999999999,m=99999999999"),
    "goals": lambda: parse_goals("generic:99999999999999999999", WORLD),
    "no successor": lambda: Sparse(0),
    "minus one": lambda: Sparse(-1),
    "one and a half": lambda: Sparse(1.5),
    "a support of nan": lambda: Supported(NAN),
    "a support of minus one": lambda: Supported(-1),
    "a support with nan": lambda: Supported(np.where(np.eye(5)[:, None] > 0, NAN, TABLE)),
    "a support with minus one": lambda: Supported(np.where(np.eye(5)[:, None] > 0, -1.0, TABLE)),
    "a masked support": lambda: Supported(np.ma.masked_less(np.eye(5)[:, None] * TABLE, 0.5)),
    "a kernel with nan": lambda: MDP([[[NAN]]], 0.5),
    "a masked kernel": lambda: MDP(np.ma.masked_array([[[1.0]]], mask=[[[True]]]), 0.5),
    "masked rewards": lambda: Goals(np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]])),
    "masked continuation": lambda: Goals([[1.0, 2.0]], np.ma.masked_array([[1.0, 0.0]], mask=[[True, False]])),
    "masked values": lambda: AgentValues(np.ma.masked_array([[[1.0]]], mask=[[[True]]]), Goals([[1.0]]), 0.5),
    "a policy with nan": lambda: evaluate(WORLD, Goals.indicator(5), np.full((5, 2), NAN)),
    "a policy of values with nan": lambda: AgentValues([[[1.0]]], Goals([[1.0]]), 0.5, policy=[[NAN]]),
    "a masked policy": lambda: evaluate(WORLD, Goals.indicator(5), np.ma.masked_array(np.full((5, 2), 0.5), mask=True)),
    "an expectation of nan": lambda: WORLD.expectation(np.full((1, 5), NAN)),
    "an expectation of infinity": lambda: WORLD.expectation(np.full((1, 5), np.inf)),
    "a masked expectation": lambda: WORLD.expectation(np.ma.masked_array(np.ones((1, 5)), mask=True)),
    "noise of nan": lambda: identify(solve(WORLD, Goals.indicator(5)), Stochastic(), noise=NAN),
    "noise of infinity": lambda: value_equivalence(solve(WORLD, Goals.indicator(5)), Stochastic(), noise=np.inf),
    "a discount of nan": lambda: MDP([[[1.0]]], NAN),
}


@pytest.mark.parametrize("call", ABSURD.values(), ids=ABSURD.keys())
def test_what_is_absurd_or_missing_is_one_line_at_once(call):
    start = time.monotonic()
    with pytest.raises(TabularInversionError) as caught:
        call()
    assert time.monotonic() - start < 2.0
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_mask_that_hides_nothing_is_honoured():
    kernel = np.ma.masked_array(chain(3).dense().kernel, mask=False)
    np.testing.assert_array_equal(MDP(kernel, 0.5).kernel, chain(3).dense().kernel)
