"""The surface: results and nouns are read-only, equal by value, after copies and pickles too, and show themselves."""

import copy
import inspect
import json
import pickle
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

import tabular_inversion
from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Inversion,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    Verdict,
    error_bound,
    exact,
    identify,
    invert,
    minimal,
    normalised,
    plan,
    robust,
    separation_radius,
    solve,
    sufficiency,
    value_equivalence,
)
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.error_bounds.tight_instances import tight_matching_instance
from tabular_inversion.errors import FileFormatError, InputError
from tabular_inversion.kernel_rows import dense_rows, rows_times, sparse_rows, stacked_rows
from tabular_inversion.recovery import recover


@cache
def makers() -> dict[str, Any]:
    """Return a way to make each noun and result."""
    world = random_mdp(12, 2, branching=3, discount=0.75, seed=0)
    goals = Goals.generic(12, 4, seed=1)
    agent = solve(world, goals)
    small = exact.ExactMDP([[["1/2", "1/2"]], [[0, 1]]], discount="1/2")
    rational = exact.ExactGoals([[0, 1]])
    return {
        "MDP": lambda: MDP(world.kernel, 0.75),
        "MDP sparse": lambda: world.sparse(),
        "AgentValues": lambda: solve(world, goals),
        "Goals": lambda: Goals.generic(12, 4, seed=1),
        "Supported": lambda: Supported.of(world),
        "Sparse": lambda: Sparse(2),
        "Deterministic": Deterministic,
        "ExactMDP": lambda: exact.ExactMDP([[["1/2", "1/2"]], [[0, 1]]], discount="1/2"),
        "ExactGoals": lambda: exact.ExactGoals([[0, 1]]),
        "ExactAgentValues": lambda: exact.solve(small, rational),
        "Verdict": lambda: identify(agent, Stochastic()),
        "Verdict exact": lambda: identify(exact.solve(small, rational), Stochastic()),
        "Witness": lambda: identify(agent, Stochastic(), scope="uniform").witness,
        "Inversion": lambda: invert(agent, Stochastic()),
        "Inversion sparse": lambda: invert(agent, Supported.of(world)),
        "Inversion unconstrained": lambda: invert(agent, Unconstrained()),
        "ErrorBound": lambda: error_bound(agent, Supported.of(world), 1e-3),
        "Recovery": lambda: recover(agent.test_matrix, agent.right_hand_sides, Stochastic(), row_index=agent.row_index),
        "Normalised": lambda: normalised([[[0.333, 0.333, 0.333]]] * 3, within=2e-3),
        "GoalOrder": lambda: sufficiency.order_goals(agent, Stochastic()),
        "MinimalGoals": lambda: minimal(small, rational, Stochastic()),
        "RobustPlan": lambda: robust(value_equivalence(agent, Supported.of(world)), Goals.generic(12, 1, seed=5)),
        "MatchingInstance": lambda: tight_matching_instance(norm=1.0),
        "Plan": lambda: plan(world, goals),
    }


def arrays_in(value: Any, seen: set[int] | None = None) -> list[Any]:
    """Return every array that can be reached."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return [value]
    if issparse(value):
        return [value.data, value.indices, value.indptr]
    if isinstance(value, tuple | list):
        return [array for item in value for array in arrays_in(item, seen)]
    if is_dataclass(value):
        return [array for field in fields(value) for array in arrays_in(getattr(value, field.name), seen)]
    return []


WAYS = {
    "itself": lambda x: x,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),  # noqa: S301
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", makers())
def test_no_array_of_a_result_can_be_written_to(name, way):
    twin = WAYS[way](makers()[name]())
    found = arrays_in(twin)
    assert found or name in {"Sparse", "Deterministic"}
    assert not [array.shape for array in found if array.flags.writeable]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", makers())
def test_two_of_one_value_are_equal(name, way):
    make = makers()[name]
    assert WAYS[way](make()) == make()
    others = [other for other in makers() if other.split()[0] != name.split()[0]]
    assert make() != makers()[others[0]]()


def test_a_changed_entry_makes_results_unequal():
    result = makers()["Inversion"]()
    kernel = np.array(result.kernel)
    kernel[0, 0] = kernel[0, 0][::-1]
    assert Inversion(**{f.name: getattr(result, f.name) for f in fields(result)} | {"kernel": kernel}) != result


@pytest.mark.parametrize("name", makers())
def test_a_result_shows_itself_in_a_few_words(name):
    result = makers()[name]()
    assert len(repr(result)) < 400, repr(result)


@pytest.mark.parametrize(
    "name", ["MDP", "Goals", "AgentValues", "Witness", "Inversion", "Inversion sparse", "ErrorBound"]
)
def test_a_result_shows_itself_on_a_page(name):
    page = makers()[name]()._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") > 1
    assert len(page) < 5000
    assert "array(" not in page


def test_a_verdict_explains_itself_on_a_page():
    for name in ("Verdict", "Verdict exact"):
        verdict = makers()[name]()
        assert verdict._repr_html_() == verdict.explain()._repr_html_()
        assert verdict.status.name in verdict._repr_html_()
    assert "because" in verdict._repr_html_()


def test_names_of_users_are_no_tags():
    world = MDP([[[1.0]]], discount=0.5, state_names=("<script>",), action_names=("go",))
    assert "<script>" not in world._repr_html_()
    assert "&lt;script&gt;" in world._repr_html_()


@pytest.mark.parametrize("ending", [".npz", ".json"])
@pytest.mark.parametrize("name", ["Goals", "AgentValues", "Verdict", "Verdict exact", "Inversion", "Inversion sparse"])
def test_what_is_saved_comes_back(name, ending, tmp_path):
    result = makers()[name]()
    result.save(tmp_path / f"file{ending}")
    assert type(result).load(tmp_path / f"file{ending}") == result
    if name != "AgentValues":
        json.dumps(result.to_dict())
    other = Goals if name != "Goals" else Verdict
    with pytest.raises(FileFormatError):
        other.load(tmp_path / f"file{ending}")


def test_a_row_of_a_kernel_is_one_thing_dense_and_sparse():
    world = four_rooms("windy").sparse()
    assert world.is_sparse
    assert not world.dense().is_sparse
    for state, action in ((0, 0), (5, 3), (67, 1)):
        np.testing.assert_array_equal(world.row(state, action), world.dense().kernel[state, action])
        assert world.row(state, action).shape == (68,)
    with pytest.raises(InputError, match="no state 68"):
        world.row(68, 0)
    result = makers()["Inversion sparse"]()
    np.testing.assert_array_equal(result.row(3, 1), result.kernel.toarray()[7])
    n_states = result.kernel.shape[1]
    np.testing.assert_array_equal(result.toarray(), result.kernel.toarray().reshape(n_states, -1, n_states))
    dense = world.dense()
    np.testing.assert_array_equal(world.toarray(), dense.kernel)
    assert np.shares_memory(dense.toarray(), dense.kernel)
    assert not dense.toarray().flags.writeable
    row = world.dense().row(0, 0)
    row[0] = 7.0
    assert world.dense().kernel[0, 0, 0] != 7.0


ARGUMENTS = (
    "world",
    "mdp",
    "agent",
    "goals",
    "candidates",
    "kernel_class",
    "policy",
    "discount",
    "noise",
    "scope",
    "method",
)


def test_arguments_stand_in_one_order_everywhere():
    rooms = [
        import_module(room.name)
        for room in iter_modules(tabular_inversion.__path__, "tabular_inversion.")
        if room.ispkg
    ]
    public = {
        getattr(room, name) for room in (tabular_inversion, *rooms) for name in getattr(room, "__all__", ())
        if inspect.isfunction(getattr(room, name))
    }  # fmt: skip
    assert len(public) > 80
    for function in public:
        known = [name for name in inspect.signature(function).parameters if name in ARGUMENTS]
        assert known == sorted(known, key=ARGUMENTS.index), function.__qualname__


@pytest.mark.parametrize("sparse", [(False, False, False), (True, True, True), (True, False, True)])
def test_rows_below_each_other_are_those_of_numpy_whichever_way_they_are_stored(sparse):
    rng = np.random.default_rng(0)
    parts = [rng.random((size, 4)) * (rng.random((size, 4)) < 0.5) for size in (3, 0, 2)]
    order = rng.permutation(5)
    given = [csr_array(part) if stored else part for part, stored in zip(parts, sparse, strict=True)]
    found = stacked_rows(given, order)
    assert issparse(found) == any(sparse)
    np.testing.assert_array_equal(dense_rows(found), np.concatenate(parts)[order])
    functions = rng.random((4, 2))
    np.testing.assert_allclose(rows_times(found, functions), dense_rows(found) @ functions)
    np.testing.assert_array_equal(sparse_rows(found).toarray(), dense_rows(found))


def test_sufficiency_is_asked_by_what_it_says():
    assert tabular_inversion.suffices_in_world is sufficiency.concrete
    assert tabular_inversion.suffices_for_almost_all is sufficiency.generic
    assert tabular_inversion.suffices_by_paths is sufficiency.structural
    assert separation_radius(solve(random_mdp(4, 2, seed=0), Goals.generic(4, 2, seed=0))) > 0
