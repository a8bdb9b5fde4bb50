"""One question asked twice: in floats, and in the fractions that these floats are."""

import numpy as np

from tabular_inversion import MDP, Evidence, Goals, Status, exact, identify
from tabular_inversion.exact import ExactGoals, ExactMDP


def exact_rows(*rows):
    """Return a kernel of one action in fractions whose first rows are given; other states stay where they are."""
    kernel = exact.fraction_array(np.eye(len(rows[0]), dtype=int))[:, None, :]
    kernel[: len(rows), 0] = exact.fraction_array(np.array(rows, dtype=object), allow_float=True)
    return kernel


def exact_agent(kernel, rewards, discount):
    """Return the optimal agent in fractions; floats are taken as they are."""
    world = ExactMDP(exact.fraction_array(kernel, allow_float=True), discount)
    return exact.solve(world, ExactGoals(exact.fraction_array(rewards, allow_float=True)))


def exact_status(kernel, rewards, discount, kernel_class):
    """Return the row statuses that are proved in fractions."""
    return identify(exact_agent(kernel, rewards, discount), kernel_class).row_status


def float_world(kernel, rewards, discount):
    """Return world and goals of the same numbers in floats."""
    return MDP(np.array(kernel, dtype=float), float(discount)), Goals(np.array(rewards, dtype=float))


def assert_never_wrong(status, truth):
    """Every row is decided as in fractions, or not decided."""
    decided = np.asarray(status) != Status.UNDECIDED
    np.testing.assert_array_equal(np.asarray(status)[decided], np.asarray(truth)[decided])


def assert_right_up_to_rounding(verdict, truth):
    """A row that is decided otherwise is one that rounding hides: never certified, and the verdict states its limit."""
    decided = verdict.row_status != Status.UNDECIDED
    if ((verdict.row_status != truth) & decided & (verdict.row_evidence != Evidence.NUMERIC)).any():
        raise AssertionError(f"certified, and wrong: {verdict.row_status}, {truth}")
    if ((verdict.row_status != truth) & decided).any():
        assert "weight that the values bound by 7e-12 is taken as zero" in verdict.reason
