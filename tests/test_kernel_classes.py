"""Kernel classes: membership, supports, and their names on the command line."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array, issparse

from tabular_inversion import MDP, Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained
from tabular_inversion.errors import KernelClassError, SpecificationError
from tabular_inversion.kernel_classes import parse_kernel_class
from tabular_inversion.strategies import mdps, stochastic_rows

QUICK = settings(deadline=None, max_examples=50)
ROWS = np.array(
    [
        [0.0, 1.0, 0.0],
        [0.5, 0.5, 0.0],
        [0.25, 0.25, 0.5],
        [1.5, -0.5, 0.0],
        [0.5, 0.25, 0.0],
        [0.0, 0.0, 0.0],
        [np.nan, 0.5, 0.5],
    ]
)
MEMBERS: list[tuple[KernelClass, list[bool]]] = [
    (Unconstrained(), [True] * 7),
    (Stochastic(), [True, True, True, False, False, False, False]),
    (Sparse(3), [True, True, True, False, False, False, False]),
    (Sparse(2), [True, True, False, False, False, False, False]),
    (Sparse(1), [True, False, False, False, False, False, False]),
    (Deterministic(), [True, False, False, False, False, False, False]),
]


@pytest.mark.parametrize(("kernel_class", "expected"), MEMBERS, ids=lambda value: getattr(value, "name", ""))
def test_membership_of_dense_and_sparse_rows(kernel_class: KernelClass, expected: list[bool]) -> None:
    assert kernel_class.contains(ROWS).tolist() == expected
    assert kernel_class.contains(csr_array(ROWS)).tolist() == expected


def test_membership_within_a_tolerance() -> None:
    nearly = np.array([[1e-4, 1.0 - 1e-4], [-1e-4, 1.0 + 1e-4]])
    assert Stochastic().contains(nearly).tolist() == [True, False]
    assert Stochastic().contains(nearly, tolerance=1e-3).tolist() == [True, True]
    assert Deterministic().contains(nearly).tolist() == [False, False]
    assert Deterministic().contains(nearly, tolerance=1e-3).tolist() == [True, True]


@QUICK
@given(st.data(), st.integers(1, 4))
def test_every_distribution_is_stochastic(data: st.DataObject, size: int) -> None:
    row = data.draw(stochastic_rows(size))[None]
    successors = int((row > 0).sum())
    assert Stochastic().contains(row).all()
    assert Sparse(successors).contains(row).all()
    assert Deterministic().contains(row).all() == (successors == 1)
    if successors > 1:
        assert not Sparse(successors - 1).contains(row).any()


def test_only_the_unconstrained_class_says_nothing_of_sums() -> None:
    support = Supported(np.ones((1, 1, 1), bool))
    classes = [Unconstrained(), Stochastic(), Sparse(2), Deterministic(), support]
    assert [c.sums_to_one for c in classes] == [False, True, True, True, True]
    assert [c.name for c in classes] == ["unconstrained", "stochastic", "sparse:2", "deterministic", "supported"]


@pytest.mark.parametrize("size", [0, -1, 1.5, "2", None])
def test_sparse_needs_a_positive_integer(size: Any) -> None:
    with pytest.raises(KernelClassError, match="max_successors"):
        Sparse(size)


@QUICK
@given(mdps())
def test_the_support_of_a_world(mdp: MDP) -> None:
    kernel_class = Supported.of(mdp)
    expected = mdp.dense().kernel.reshape(-1, mdp.n_states) > 0
    assert issparse(kernel_class.support)
    np.testing.assert_array_equal(kernel_class.support.toarray(), expected)
    np.testing.assert_array_equal(kernel_class.sizes, mdp.n_successors.ravel())
    np.testing.assert_array_equal(kernel_class.known_supports(mdp.row_index).toarray(), expected[mdp.row_index])


def test_every_form_of_support_is_read_alike() -> None:
    mask = np.array([[[True, False], [True, True]], [[False, True], [False, False]]])
    rows = mask.reshape(4, 2)
    with_zeros = csr_array(
        (np.array([1, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1]), np.array([0, 2, 4, 5, 5])), shape=(4, 2)
    )
    for given_support in (mask, mask.tolist(), mask.astype(float), csr_array(rows), coo_array(rows), with_zeros):
        kernel_class = Supported(given_support)
        np.testing.assert_array_equal(kernel_class.support.toarray(), rows)
        assert kernel_class.sizes.tolist() == [1, 2, 1, 0]


@pytest.mark.parametrize(
    "support",
    [
        True,
        [True],
        [[True]],
        [[[True, False]]],
        [[[True], [True, False]]],
        np.zeros((0, 1, 0)),
        csr_array((3, 2)),
        csr_array((2, 0)),
        csr_array((0, 2)),
    ],
    ids=lambda support: type(support).__name__,
)
def test_supports_of_the_wrong_shape_are_refused(support: Any) -> None:
    with pytest.raises(KernelClassError, match="support"):
        Supported(support)


def test_an_available_row_without_successors_is_refused() -> None:
    kernel_class = Supported(np.array([[[True, False], [True, True]], [[False, True], [False, False]]]))
    assert kernel_class.known_supports([0, 1, 2]).shape == (3, 2)
    with pytest.raises(KernelClassError, match="support of state 1, action 1 is empty"):
        kernel_class.known_supports([2, 3])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unconstrained", Unconstrained()),
        ("stochastic", Stochastic()),
        ("deterministic", Deterministic()),
        ("sparse:1", Sparse(1)),
        ("sparse:12", Sparse(12)),
    ],
)
def test_names_are_read_back(text: str, expected: KernelClass) -> None:
    assert parse_kernel_class(text) == expected
    assert expected.name == text


def test_the_supported_class_needs_a_world() -> None:
    mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], 0.5)
    found = parse_kernel_class("supported", mdp)
    assert isinstance(found, Supported)
    assert found.sizes.tolist() == [2, 1]
    with pytest.raises(SpecificationError, match="give an environment"):
        parse_kernel_class("supported")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Stochastic",
        "sparse",
        "sparse:",
        "sparse:0",
        "sparse:-1",
        "sparse:1.5",
        "sparse:x",
        "sparse:1:2",
        " stochastic",
    ],
)
def test_unknown_names_are_refused_with_the_choices(text: str) -> None:
    with pytest.raises(SpecificationError, match=r"unknown kernel class .* expected unconstrained, stochastic"):
        parse_kernel_class(text)
