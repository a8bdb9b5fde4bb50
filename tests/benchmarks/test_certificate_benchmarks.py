"""How long the checker of plain integers takes, beside the decision that it re-checks."""

from fractions import Fraction

import numpy as np
import pytest

from tabular_inversion import Stochastic, Unconstrained, exact, identify
from tabular_inversion.certificates import certificates_of
from tabular_inversion.checker import check
from tabular_inversion.exact import ExactGoals, ExactMDP

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("scope", ["uniform", "instance"])
@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained()], ids=lambda k: k.name)
def test_checking_a_verdict_of_a_hundred_states(race, kernel_class, scope):
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 7, (100, 1, 100))
    kernel = [[[Fraction(int(w), int(row.sum())) for w in row] for row in state] for state in weights]
    goals = ExactGoals(rng.integers(-9, 10, (100, 100)).astype(object))
    agent = exact.solve(ExactMDP(kernel, Fraction(9, 10)), goals)
    [certificate] = certificates_of(identify(agent, kernel_class, scope=scope))
    race(lambda: check(certificate), lambda: identify(agent, kernel_class, scope=scope), limit=2, scope=scope)
