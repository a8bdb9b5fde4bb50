"""A kernel class of a user's own: refused wherever it is not implemented, never taken for another class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    KernelClass,
    Sparse,
    Stochastic,
    Unconstrained,
    exact,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.error_bounds import error_bound
from tabular_inversion.errors import InputError, KernelClassError
from tabular_inversion.recovery import recover
from tabular_inversion.sufficiency import concrete, generic, minimal, order_goals, structural

WORLD = MDP([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.5)
GOALS = Goals([[1.0, 0.0], [0.0, 1.0]])
AGENT = solve(WORLD, GOALS)
EXACT = exact.solve(exact.ExactMDP.from_float(WORLD), exact.ExactGoals.from_float(GOALS))


@dataclass(frozen=True)
class Bounded(KernelClass):
    """Rows with no entry above 0.9."""

    @property
    def name(self) -> str:
        """``"bounded"``."""
        return "bounded"


@dataclass(frozen=True)
class Lazy(Stochastic):
    """Rows of a part of the simplex: what is true of the simplex may be false of it."""


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "identify": lambda c: identify(AGENT, c),
    "identify uniform": lambda c: identify(AGENT, c, scope="uniform"),
    "identify exact": lambda c: identify(EXACT, c),
    "identify exact uniform": lambda c: identify(EXACT, c, scope="uniform"),
    "invert": lambda c: invert(AGENT, c),
    "recover": lambda c: recover(AGENT.test_matrix, AGENT.right_hand_sides, c, row_index=AGENT.row_index),
    "value_equivalence": lambda c: value_equivalence(AGENT, c),
    "error_bound": lambda c: error_bound(AGENT, c, 1e-3),
    "concrete": lambda c: concrete(WORLD, GOALS, c),
    "generic": lambda c: generic(WORLD, GOALS, c),
    "structural": lambda c: structural(WORLD, GOALS, c),
    "minimal": lambda c: minimal(WORLD, GOALS, c),
    "order_goals": lambda c: order_goals(AGENT, c),
    "discounts": lambda c: exceptional_discounts(WORLD).for_class(c),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kernel_class", [Bounded(), Lazy()], ids=["new", "subclass"])
def test_a_class_that_is_not_implemented_is_refused(operation, kernel_class):
    with pytest.raises(KernelClassError, match=type(kernel_class).__name__):
        OPERATIONS[operation](kernel_class)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("wrong", [Deterministic, "stochastic", 3, WORLD], ids=["class", "text", "number", "world"])
def test_what_is_no_class_is_refused_with_the_way_to_write_it(operation, wrong):
    with pytest.raises(KernelClassError, match="Stochastic"):
        OPERATIONS[operation](wrong)


def test_a_registered_class_works_where_it_is_registered():
    table: ClassTable[str] = ClassTable("a name", {Stochastic: "simplex"})
    with pytest.raises(KernelClassError, match="a name is not implemented for the class Bounded"):
        table.of(Bounded())
    table.register(Bounded, "box")
    assert (table.of(Bounded()), table.of(Stochastic())) == ("box", "simplex")


@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained(), Sparse(2)])
def test_a_norm_is_refused_where_no_column_is_matched(kernel_class):
    with pytest.raises(InputError, match="norm is 2"):
        invert(AGENT, kernel_class, norm=2.0)


@pytest.mark.parametrize("kernel_class", [Deterministic(), Sparse(2)])
def test_a_prior_is_refused_where_nothing_is_averaged(kernel_class):
    with pytest.raises(InputError, match="prior"):
        invert(AGENT, kernel_class, prior=np.array([0.5, 0.5]))
