"""Worlds: what the constructor refuses, equality of dense and sparse, renaming of states, files."""

import pickle
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, coo_matrix, csc_array, csr_array, csr_matrix

from tabular_inversion import MDP, storage
from tabular_inversion.errors import DiscountError, FileFormatError, KernelError, ShapeError
from tabular_inversion.strategies import mdps

QUICK = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
KERNEL = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
MASK = np.array([[True, True], [True, False]])


def world(**changes: Any) -> MDP:
    fields: dict[str, Any] = {"kernel": KERNEL, "discount": 0.9, "available": MASK}
    return MDP(**(fields | changes))


def sparse_rows(kernel: Any) -> Any:
    array = np.asarray(kernel)
    return csr_array(array.reshape(-1, array.shape[-1]))


@st.composite
def worlds_with_names(draw: st.DrawFn) -> MDP:
    mdp = draw(mdps())
    named = draw(st.booleans())
    return MDP(
        mdp.kernel,
        mdp.discount,
        mdp.available,
        [f"state {s}" for s in range(mdp.n_states)] if named else None,
        [f"action {a}" for a in range(mdp.n_actions)] if named else None,
        draw(st.sampled_from([None, np.arange(2.0 * mdp.n_states).reshape(-1, 2) / 3])),
    )


@pytest.mark.parametrize("form", [csr_array, csr_matrix, csc_array, coo_array, coo_matrix])
def test_every_sparse_form_is_read_alike(form: Any) -> None:
    mdp = MDP(form(KERNEL.reshape(4, 2)), 0.9, MASK)
    assert mdp.is_sparse
    assert mdp == world()


def test_sizes_and_rows() -> None:
    for mdp in (world(), world().sparse()):
        assert (mdp.n_states, mdp.n_actions, mdp.shape) == (2, 2, (2, 2, 2))
        assert mdp.row_index.tolist() == [0, 1, 2]
        assert mdp.n_successors.tolist() == [[2, 1], [1, 0]]
        assert not mdp.is_deterministic
    assert repr(world()) == "MDP(n_states=2, n_actions=2, discount=0.9, dense)"
    assert repr(world().sparse()) == "MDP(n_states=2, n_actions=2, discount=0.9, sparse)"
    assert MDP([[[0.0, 1.0]], [[1.0, 0.0]]], 0.0).is_deterministic


BAD_ROWS = [
    ([[[0.5, 0.4]], [[0.0, 1.0]]], r"state 0, action 0 sums to .*0\.9.*\(1 such rows\)"),
    ([[[3.0, -2.0]], [[0.0, 1.0]]], r"state 0, action 0 has -2\.0 at next state 1"),
    ([[[1.0, 0.0]], [[np.nan, 1.0]]], "nan"),
    ([[[1.0, 0.0]], [[np.inf, 1.0]]], "inf"),
    ([[[1.0, 0.0]], [[0.0, 0.0]]], r"state 1, action 0 sums to"),
    ([[[1.0, 0.0]], [[0.0, 1.0 + 9e-10]]], r"state 1, action 0 sums to .*normalised\(kernel, within=2e-09\)"),
]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("kernel", "match"), BAD_ROWS)
def test_rows_that_are_no_distributions_are_refused_dense_and_sparse(kernel: Any, match: str, sparse: bool) -> None:
    with pytest.raises(KernelError, match=match):
        MDP(sparse_rows(kernel) if sparse else kernel, 0.9)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_row_of_an_unavailable_action_is_zero(sparse: bool) -> None:
    kernel = KERNEL.copy()
    kernel[1, 1] = [0.0, 1.0]
    with pytest.raises(KernelError, match=r"state 1, action 1 is marked unavailable and sums to 1\.0; set it to 0"):
        world(kernel=sparse_rows(kernel) if sparse else kernel)
    with pytest.raises(KernelError, match="state 1, action 1 sums to"):
        world(available=None)


def test_rounding_within_the_tolerance_is_kept_as_given() -> None:
    kernel = [[[0.1, 0.9 - 5e-16]], [[0.0, 1.0]]]
    assert MDP(kernel, 0.9).kernel[0, 0].tolist() == [0.1, 0.9 - 5e-16]


@pytest.mark.parametrize(
    "kernel",
    [
        1.0,
        [1.0],
        [[1.0]],
        [[[1.0, 0.0]]],
        [[[]]],
        np.zeros((0, 1, 0)),
        np.zeros((1, 0, 1)),
        csr_array((3, 2)),
        csr_array((0, 2)),
        csr_array((2, 0)),
        coo_array(np.array([1.0, 0.0])),
    ],
    ids=lambda kernel: f"{type(kernel).__name__}{np.shape(kernel)}",
)
def test_kernels_of_the_wrong_shape_are_refused(kernel: Any) -> None:
    with pytest.raises(ShapeError, match="expected"):
        MDP(kernel, 0.9)


@pytest.mark.parametrize("kernel", [[[[1.0], [0.5, 0.5]]], [[["x"]]], [[[1j]]], csr_array([[1j]]), None])
def test_kernels_that_are_no_numbers_are_refused(kernel: Any) -> None:
    with pytest.raises((KernelError, ShapeError)):
        MDP(kernel, 0.9)


def test_a_sparse_kernel_with_broken_indices_is_refused() -> None:
    broken = csr_array(KERNEL.reshape(4, 2))
    broken.indices[0] = 7
    with pytest.raises(KernelError, match="indices"):
        MDP(broken, 0.9, MASK)


@pytest.mark.parametrize("discount", [1.0 + 1e-15, -0.1, np.nan, "x"])
def test_bad_discounts_are_refused(discount: Any) -> None:
    with pytest.raises(DiscountError):
        world(discount=discount)
    with pytest.raises(DiscountError):
        world().with_discount(discount)


@pytest.mark.parametrize("discount", [0.0, 1 - 1e-12, 1.0])
def test_discounts_at_the_ends_of_the_range_are_taken(discount: float) -> None:
    assert world().with_discount(discount).discount == discount


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"available": [[True, True]]}, ShapeError, "available"),
        ({"available": [[1, 1], [1, 0]]}, ShapeError, "available"),
        ({"available": [[True, True], [False, False]]}, KernelError, "state 1 has no available action"),
        ({"state_names": ["a"]}, KernelError, "1 entries; expected 2"),
        ({"state_names": ["a", "a"]}, KernelError, "repeats 'a'"),
        ({"action_names": ["a", "b", "c"]}, KernelError, "3 entries; expected 2"),
        ({"coordinates": [[0.0]]}, ShapeError, "coordinates"),
        ({"coordinates": [0.0, 1.0]}, ShapeError, "coordinates"),
        ({"coordinates": [[0.0], [np.nan]]}, KernelError, "coordinates"),
    ],
)
def test_bad_fields_are_refused(changes: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        world(**changes)


@pytest.mark.parametrize("sparse", [False, True])
def test_worlds_are_read_only_and_do_not_share_memory(sparse: bool) -> None:
    kernel = sparse_rows(KERNEL) if sparse else KERNEL.copy()
    mdp = world(kernel=kernel)
    (kernel.data if sparse else kernel)[:] = 9.0
    assert mdp == world()
    with pytest.raises(ValueError, match="read-only"):
        (mdp.kernel.data if sparse else mdp.kernel)[0] = 1.0
    with pytest.raises(AttributeError):
        mdp.discount = 0.5  # type: ignore[misc]


def test_stored_zeros_are_no_successors_and_stay() -> None:
    rows = csr_array((np.array([1.0, 0.0, 1.0]), np.array([0, 1, 1]), np.array([0, 2, 3])), shape=(2, 2))
    mdp = MDP(rows, 0.9)
    assert mdp.n_successors.tolist() == [[1], [1]]
    assert mdp.is_deterministic
    assert mdp.kernel.nnz == 3
    assert mdp == MDP([[[1.0, 0.0]], [[0.0, 1.0]]], 0.9)


def test_duplicate_entries_are_summed() -> None:
    rows = coo_array((np.array([0.5, 0.5, 1.0]), (np.array([0, 0, 1]), np.array([1, 1, 0]))), shape=(2, 2))
    assert MDP(rows, 0.9) == MDP([[[0.0, 1.0]], [[1.0, 0.0]]], 0.9)


@QUICK
@given(mdps(), st.data())
def test_dense_and_sparse_agree_in_everything(mdp: MDP, data: st.DataObject) -> None:
    dense, sparse = mdp.dense(), mdp.sparse()
    assert (dense.is_sparse, sparse.is_sparse) == (False, True)
    assert dense == sparse == mdp
    assert dense.sparse().dense() == dense
    np.testing.assert_array_equal(dense.rows, sparse.rows.toarray())
    np.testing.assert_array_equal(dense.support.reshape(-1, mdp.n_states), sparse.support.toarray())
    np.testing.assert_array_equal(dense.n_successors, sparse.n_successors)
    np.testing.assert_array_equal(dense.row_index, sparse.row_index)
    assert dense.is_deterministic == sparse.is_deterministic
    functions = data.draw(st.integers(1, 3).map(lambda k: np.arange(1.0, 1 + k * mdp.n_states).reshape(k, -1)))
    # Sums of at most 4 products below 12.
    np.testing.assert_allclose(dense.expectation(functions), sparse.expectation(functions), rtol=0, atol=1e-13)
    order = data.draw(st.permutations(range(mdp.n_states)))
    assert dense.permute_states(order) == sparse.permute_states(order)
    assert sorted(dense.to_networkx().edges(keys=True)) == sorted(sparse.to_networkx().edges(keys=True))


@QUICK
@given(mdps())
def test_expectation_is_a_sum_over_next_states(mdp: MDP) -> None:
    functions = np.arange(2.0 * mdp.n_states).reshape(2, -1)
    expected = np.einsum("sat,gt->gsa", mdp.dense().kernel, functions)
    np.testing.assert_allclose(mdp.expectation(functions), expected, rtol=0, atol=1e-13)
    assert not mdp.expectation(functions)[:, ~mdp.available].any()


@QUICK
@given(worlds_with_names(), st.data())
def test_renaming_states(mdp: MDP, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(mdp.n_states))))
    renamed = mdp.permute_states(order)
    assert renamed.is_sparse == mdp.is_sparse
    kernel = mdp.dense().kernel
    np.testing.assert_array_equal(renamed.dense().kernel, kernel[order][:, :, order])
    assert [renamed.state_name(i) for i in range(mdp.n_states)] == (
        [mdp.state_name(s) for s in order] if mdp.state_names else [str(i) for i in range(mdp.n_states)]
    )
    assert renamed.permute_states(np.argsort(order)) == mdp
    assert mdp.permute_states(range(mdp.n_states)) == mdp
    second = data.draw(st.permutations(range(mdp.n_states)))
    assert renamed.permute_states(second) == mdp.permute_states(order[second])


@pytest.mark.parametrize("order", [[0], [0, 0], [0, 2], [-1, 0], [0.0, 1.0], [[0, 1]], []])
def test_orders_that_are_no_permutation_are_refused(order: Any) -> None:
    for mdp in (world(), world().sparse()):
        with pytest.raises(KernelError):
            mdp.permute_states(order)


def test_equality() -> None:
    assert world() == world().sparse()
    assert world() != "world"
    different = [
        {"discount": 0.8},
        {"kernel": np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])},
        {"state_names": ["a", "b"]},
        {"action_names": ["a", "b"]},
        {"coordinates": [[0.0], [1.0]]},
        {"kernel": KERNEL[:, :1], "available": MASK[:, :1]},
    ]
    assert all(world(**changes) != world() for changes in different)
    assert world(coordinates=[[0.0], [1.0]]) != world(coordinates=[[0.0], [2.0]])
    with pytest.raises(TypeError):
        hash(world())


def test_a_graph_shows_every_positive_probability() -> None:
    graph = world(state_names=["left", "right"], coordinates=[[0.0, 1.0], [2.0, 3.0]]).to_networkx()
    assert isinstance(graph, nx.MultiDiGraph)
    assert {(s, t, a): d["probability"] for s, t, a, d in graph.edges(keys=True, data=True)} == {
        (0, 0, 0): 0.5,
        (0, 1, 0): 0.5,
        (0, 0, 1): 1.0,
        (1, 1, 0): 1.0,
    }
    assert dict(graph.nodes(data=True)) == {
        0: {"name": "left", "pos": (0.0, 1.0)},
        1: {"name": "right", "pos": (2.0, 3.0)},
    }
    assert world().to_networkx().nodes[1] == {"name": "1"}


@QUICK
@given(mdp=worlds_with_names(), ending=st.sampled_from([".npz", ".json"]))
def test_worlds_come_back_from_files(tmp_path: Path, mdp: MDP, ending: str) -> None:
    path = tmp_path / f"world{ending}"
    mdp.save(path)
    found = MDP.load(path)
    assert found == mdp
    assert found.is_sparse == mdp.is_sparse
    assert found.rows.dtype == np.float64
    if mdp.is_sparse:
        np.testing.assert_array_equal(found.kernel.data, mdp.kernel.data)
        np.testing.assert_array_equal(found.kernel.indptr, mdp.kernel.indptr)


@pytest.mark.parametrize("ending", [".npz", ".json"])
def test_damaged_worlds_are_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"world{ending}"
    world().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="truncated"):
        MDP.load(path)
    path.write_bytes(pickle.dumps({"kernel": KERNEL}))
    with pytest.raises(FileFormatError):
        MDP.load(path)
    storage.write(path, "agent-values", {}, {})
    with pytest.raises(FileFormatError, match="holds 'agent-values', not 'mdp'"):
        MDP.load(path)


def test_a_file_with_indices_out_of_range_is_refused(tmp_path: Path) -> None:
    parts = {
        "data": np.ones(1),
        "indices": np.array([5]),
        "indptr": np.array([0, 1]),
        "available": np.ones((1, 1), bool),
    }
    metadata = {"discount": 0.5, "shape": [1, 1, 1], "state_names": None, "action_names": None}
    storage.write(tmp_path / "world.npz", "mdp", parts, metadata)
    with pytest.raises(FileFormatError):
        MDP.load(tmp_path / "world.npz")
