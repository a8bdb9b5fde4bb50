"""Kind: an absolute constant decides which probabilities are zero, so a rare successor is left out, or named wrongly.

With rewards (0, 4, 1, 2) at discount 0, the row (1-p) e1 + p e2 has the value 4 - 3p, and so has the row
(1 - 3p/2) e1 + (3p/2) e3: it is identified for no p > 0. Where 3p is as small as the rounding of 4, the values do not
show whether there is a rare successor at all; a verdict that takes it for none says so, and is not certified.
"""

from fractions import Fraction

import numpy as np
import pytest
from twins import assert_never_wrong, assert_right_up_to_rounding, exact_rows, exact_status, float_world

from tabular_inversion import (
    AgentValues,
    Deterministic,
    Evidence,
    Sparse,
    Status,
    Stochastic,
    Supported,
    identify,
    invert,
    solve,
)

CLASSES = [Stochastic(), Sparse(2), Sparse(3), Supported(np.ones((4, 1, 4), dtype=bool))]


@pytest.mark.parametrize("kernel_class", CLASSES, ids=lambda c: c.name)
@pytest.mark.parametrize("p", ["1e-1", "1e-6", "1e-9", "1e-10", "1e-13", "1e-14", "2e-15", "1e-15", "3e-16", "1e-16"])
def test_a_rare_successor_with_a_replacement(p, kernel_class):
    """The least of these moves the value 4 by one unit in its last place: no constant decides, the last digit does."""
    p = Fraction(p)
    kernel, rewards = exact_rows([0, 1 - p, p, 0]), [[0, 4, 1, 2]]
    truth = exact_status(kernel, rewards, 0, kernel_class)
    assert truth[0, 0] == Status.NOT_IDENTIFIED
    agent = solve(*float_world(kernel, rewards, 0.0))
    bare = AgentValues(agent.q, agent.goals, 0.0)  # correctly rounded, and nothing known of a solver
    for shown in (agent, bare):
        found = invert(shown, kernel_class)
        assert_never_wrong(found.verdict.row_status, truth)
        if p >= 1e-6:
            assert found.verdict.row_status[0, 0] == Status.NOT_IDENTIFIED
        found.verdict.verify()


@pytest.mark.parametrize("kernel_class", CLASSES, ids=lambda c: c.name)
def test_a_successor_so_rare_that_the_value_is_the_same_float(kernel_class):
    """Then two worlds have these numbers: what is said of the usual one rests on a coincidence, and says so."""
    kernel, rewards = exact_rows([0, 1 - Fraction(1, 10**18), Fraction(1, 10**18), 0]), [[0, 4, 1, 2]]
    found = identify(solve(*float_world(kernel, rewards, 0.0)), kernel_class)
    assert found.row_evidence[0, 0] == Evidence.NUMERIC
    assert_right_up_to_rounding(found, exact_status(kernel, rewards, 0, kernel_class))


@pytest.mark.parametrize("seed", range(60))
def test_rare_successors_in_worlds_that_are_drawn(seed):
    """Weights down to a unit in the last place, several goals, known and unknown supports: never a wrong verdict."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(3, 7)), int(rng.integers(1, 3))
    rewards = rng.integers(-8, 9, (k, n))
    kernel = exact_rows(*np.eye(n, dtype=int))
    for state in range(n):
        first, second = rng.choice(n, 2, replace=False)
        weight = Fraction(int(rng.integers(1, 8)), 2 ** int(rng.integers(3, 54)))
        kernel[state, 0] = [Fraction(0)] * n
        kernel[state, 0, first], kernel[state, 0, second] = 1 - weight, weight
    mask = kernel != 0
    mask |= rng.random(mask.shape) < 0.5
    for kernel_class in (Stochastic(), Sparse(2), Supported(mask)):
        truth = exact_status(kernel, rewards, 0, kernel_class)
        found = identify(solve(*float_world(kernel, rewards, 0.0)), kernel_class)
        wrong = (found.row_status != truth) & (found.row_status != Status.UNDECIDED)
        # A value that is the same float as that of a row without the rare successor says nothing of it.
        value = np.array(
            [[sum(r * p for r, p in zip(goal, row, strict=True)) for row in kernel[:, 0]] for goal in rewards]
        )
        same = np.isin(value.astype(float), rewards).all(axis=0)
        assert not wrong[~same].any()
        assert (found.row_evidence[wrong] == Evidence.NUMERIC).all()


@pytest.mark.parametrize("exponent", [3, 9, 10, 15])
def test_a_rare_successor_on_its_known_support_is_recovered(exponent):
    p = Fraction(1, 10**exponent)
    kernel, rewards = exact_rows([0, 1 - p, p, 0]), [[0, 4, 1, 2]]
    support = Supported(kernel != 0)
    assert (exact_status(kernel, rewards, 0, support) == Status.IDENTIFIED).all()
    found = invert(solve(*float_world(kernel, rewards, 0.0)), support)
    assert (found.verdict.row_status == Status.IDENTIFIED).all()
    np.testing.assert_allclose(found.kernel.toarray()[0] if hasattr(found.kernel, "toarray") else found.kernel[0, 0],
                               [0.0, 1.0 - float(p), float(p), 0.0], rtol=0, atol=1e-15)  # fmt: skip


@pytest.mark.parametrize("exponent", [1, 21, 37, 49])
def test_two_successors_among_three_states(exponent):
    """Row (1-e, e, 0), goal (1, 0, 1/2): (1-2e, 0, 2e) has the same value for every e."""
    e = Fraction(1, 2**exponent)
    kernel, rewards = exact_rows([1 - e, e, 0]), [[1, 0, Fraction(1, 2)]]
    for kernel_class in (Sparse(2), Stochastic(), Sparse(3)):
        truth = exact_status(kernel, rewards, 0, kernel_class)
        assert truth[0, 0] == Status.NOT_IDENTIFIED
        found = identify(solve(*float_world(kernel, rewards, 0.0)), kernel_class)
        if exponent < 46:
            assert_never_wrong(found.row_status, truth)
        assert_right_up_to_rounding(found, truth)
        found.verify()


@pytest.mark.parametrize("exponent", [1, 10, 26, 30, 35, 40, 45, 50, 52])
def test_one_successor_is_one_successor_in_both_classes(exponent):
    """`Sparse(1)` and `Deterministic` are one class: also where two columns are 2^-exponent apart, or equal."""
    for gap in (Fraction(1, 2**exponent), Fraction(0)):
        kernel, rewards = exact_rows([0, 1, 0], [0, 1, 0], [0, 1, 0]), [[0, 1, 1 + gap]]
        agent = solve(*float_world(kernel, rewards, 0.0))
        one, other = identify(agent, Sparse(1)), identify(agent, Deterministic())
        np.testing.assert_array_equal(one.row_status, other.row_status)
        for found, kernel_class in ((one, Sparse(1)), (other, Deterministic())):
            assert_never_wrong(found.row_status, exact_status(kernel, rewards, 0, kernel_class))


def bent(height, discount):
    """Return 7 states, 2 goals: columns of M on a curve whose third point is `height` above its neighbours' line.

    Every state leads to itself, so M = R / (1 - discount), and row 2 is a sure one.
    """
    kernel = exact_rows([1, 0, 0, 0, 0, 0, 0])
    x = [0, 1, 2, 3, 4, 5, 6]
    y = [Fraction(0), Fraction(1), 1 + height, Fraction(1), Fraction(0), Fraction(-3), Fraction(-9)]
    return kernel, np.array([[Fraction(v) for v in x], y], dtype=object), discount


@pytest.mark.parametrize("discount", ["0", "0.99"])
@pytest.mark.parametrize("kernel_class", [Stochastic(), Sparse(2), Deterministic()], ids=lambda c: c.name)
@pytest.mark.parametrize("exponent", [0, 10, 28, 40, 46, 48, None])
def test_a_sure_row_that_is_nearly_replaced(exponent, kernel_class, discount):
    height = Fraction(0) if exponent is None else Fraction(1, 2**exponent)
    kernel, rewards, gamma = bent(height, Fraction(discount))
    truth = exact_status(kernel, rewards, gamma, kernel_class)
    if not isinstance(kernel_class, Deterministic):
        assert truth[2, 0] == (Status.NOT_IDENTIFIED if exponent is None else Status.IDENTIFIED)
    agent = solve(*float_world(kernel, rewards, gamma))
    found = identify(agent, kernel_class)
    assert_never_wrong(found.row_status, truth)
    found.verify()
    if exponent == 0 and discount == "0":
        np.testing.assert_array_equal(found.row_status, truth)
