"""How long both checkers take, beside the decision that they re-check."""

from fractions import Fraction

import numpy as np
import pytest

from proofs_checks.extracted_checker import NOT_RUN, available, compiled, run
from tabular_inversion import Stochastic, Unconstrained, exact, identify
from tabular_inversion.certificates import certificates_of
from tabular_inversion.checker import check
from tabular_inversion.exact import ExactGoals, ExactMDP

pytestmark = pytest.mark.benchmark


def dense_agent(n):
    """Solve n random goals in a dense world of n states, exactly: numbers of hundreds of digits."""
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 7, (n, 1, n))
    kernel = [[[Fraction(int(w), int(row.sum())) for w in row] for row in state] for state in weights]
    goals = ExactGoals(rng.integers(-9, 10, (n, n)).astype(object))
    return exact.solve(ExactMDP(kernel, Fraction(9, 10)), goals)


@pytest.mark.parametrize("scope", ["uniform", "instance"])
@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained()], ids=lambda k: k.name)
def test_checking_a_verdict_of_a_hundred_states(race, kernel_class, scope):
    agent = dense_agent(100)
    [certificate] = certificates_of(identify(agent, kernel_class, scope=scope))
    race(lambda: check(certificate), lambda: identify(agent, kernel_class, scope=scope), limit=2, scope=scope)


@pytest.mark.skipif(not available(), reason=f"the extracted checker was {NOT_RUN}")
@pytest.mark.parametrize("scope", ["uniform", "instance"])
def test_the_extracted_checker_on_three_hundred_states(race, scope):
    agent = dense_agent(300)
    [certificate] = certificates_of(identify(agent, Stochastic(), scope=scope))
    with compiled() as program:
        race(
            lambda: run(program, certificate),
            lambda: identify(agent, Stochastic(), scope=scope),
            limit=1,
            rounds=1,
            scope=scope,
        )
