"""A kernel class of a user's own: refused wherever it is not implemented, never taken for another class.

The class stands in `bounded_rows.py`, which docs/kernel_class.md shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bounded_rows import TABLES, Bounded, register

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
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
from tabular_inversion.errors import InputError, KernelClassError, WitnessError
from tabular_inversion.identifiability import Evidence, Status
from tabular_inversion.recovery import recover
from tabular_inversion.sufficiency import concrete, generic, minimal, order_goals, structural

WORLD = MDP([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.5)
GOALS = Goals([[1.0, 0.0], [0.0, 1.0]])
AGENT = solve(WORLD, GOALS)
EXACT = exact.solve(exact.ExactMDP.from_float(WORLD), exact.ExactGoals.from_float(GOALS))


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


def test_a_table_answers_for_what_is_registered():
    table: ClassTable[str] = ClassTable("a name", {Stochastic: "simplex"})
    with pytest.raises(KernelClassError, match="a name is not implemented for the class Bounded"):
        table.of(Bounded())
    table.register(Bounded, "box")
    assert (table.of(Bounded()), table.of(Stochastic())) == ("box", "simplex")


def test_the_page_names_every_table():
    root = Path(__file__).parent.parent
    page = (root / "docs" / "kernel_class.md").read_text()
    found = {}
    for path in (root / "tabular_inversion").rglob("*.py"):
        for name in re.findall(r"^([A-Z_]+)(?:: .*)? = ClassTable\(", path.read_text(), re.MULTILINE):
            found[name] = ".".join(path.relative_to(root / "tabular_inversion").with_suffix("").parts)
    assert len(found) > 15
    named = set(re.findall(r"`(?:[a-z_]+\.)*([A-Z_]+)`", page))
    assert named == set(found)
    written = set(re.findall(r"`((?:[a-z_]+\.)+[A-Z_]+)`", page))
    assert written <= {f"{room}.{name}" for name, room in found.items()}


@pytest.fixture
def registered(monkeypatch):
    """Register the class for one test."""
    for table in TABLES:
        monkeypatch.setattr(table, "_entries", dict(table._entries))
    register()


REGISTERED = {"identify", "identify uniform", "identify exact uniform", "invert", "recover"}


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - REGISTERED - {"concrete"}))
def test_a_registered_class_is_still_refused_elsewhere(operation):
    with pytest.raises(KernelClassError, match="not implemented for the class Bounded"):
        OPERATIONS[operation](Bounded())


def bounded_world(seed: int, n_states: int = 5) -> MDP:
    """Draw a world with no entry above 9/10; some rows have an entry there, some have zeros."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(n_states, 0.3), size=(n_states, 2))
    top = rows.max(axis=-1, keepdims=True) > 0.9
    largest = rows == rows.max(axis=-1, keepdims=True)
    others = np.where(largest, 0.0, rows + 1e-3)
    capped = np.where(largest, 0.9, 0.1 * others / others.sum(axis=-1, keepdims=True))
    top[0] = True
    return MDP(np.where(top, capped, rows), discount=0.8)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("seed", range(5))
def test_a_registered_class_finds_and_judges_the_world(seed):
    world = bounded_world(seed)
    assert (world.kernel == 0.9).any()
    agent = solve(world, Goals.generic(5, 5, seed=seed))
    result = invert(agent, Bounded())
    assert result.verdict.status is Status.IDENTIFIED
    np.testing.assert_allclose(result.kernel, world.kernel, atol=1e-9)
    identify(agent, Bounded(), scope="uniform").verify()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("seed", range(5))
def test_a_registered_class_stays_in_itself_where_goals_are_few(seed):
    agent = solve(bounded_world(seed), Goals.generic(5, 1, seed=seed))
    found = recover(agent.test_matrix, agent.right_hand_sides, Bounded(), row_index=agent.row_index)
    assert Bounded().contains(found.rows).all()
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-9)
    assert identify(agent, Bounded()).status is Status.UNDECIDED
    verdict = identify(agent, Bounded(), scope="uniform")
    assert verdict.status is Status.NOT_IDENTIFIED
    assert Bounded().contains(np.stack([verdict.witness.first, verdict.witness.second])).all()
    verdict.verify()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("goals", "status"), [(2, Status.NOT_IDENTIFIED), (4, Status.IDENTIFIED)])
def test_a_registered_class_is_decided_in_fractions(goals, status):
    rows = [
        [Fraction(weight, 16) for weight in np.roll([8, 4, 3, 1, 0], state * (state + 1)).tolist()]
        for state in range(5)
    ]
    world = exact.ExactMDP([[row] for row in rows], "1/2")
    agent = exact.solve(world, exact.ExactGoals.from_float(Goals.generic(5, goals, seed=2)))
    verdict = identify(agent, Bounded(), scope="uniform")
    assert (verdict.status, verdict.evidence) == (status, Evidence.EXACT)
    verdict.verify()
    if verdict.witness is not None:
        outside = replace(verdict.witness, first=np.array([Fraction(1), *[Fraction(0)] * 4], dtype=object))
        with pytest.raises(WitnessError, match="above 9/10"):
            replace(verdict, witness=outside).verify()


@pytest.mark.usefixtures("registered")
def test_a_registered_class_says_what_it_cannot_hold():
    with pytest.raises(KernelClassError, match="above 1/2"):
        identify(AGENT, Bounded(Fraction(1, 2)), scope="uniform")


@pytest.mark.parametrize("kernel_class", [Stochastic(), Unconstrained(), Sparse(2)])
def test_a_norm_is_refused_where_no_column_is_matched(kernel_class):
    with pytest.raises(InputError, match="norm is 2"):
        invert(AGENT, kernel_class, norm=2.0)


@pytest.mark.parametrize("kernel_class", [Deterministic(), Sparse(2)])
def test_a_prior_is_refused_where_nothing_is_averaged(kernel_class):
    with pytest.raises(InputError, match="prior"):
        invert(AGENT, kernel_class, prior=np.array([0.5, 0.5]))
