"""Ranks, null spaces, solutions and determinants against sympy, against known answers, and with wrong proofs."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.errors import InputError, ShapeError, WitnessError
from tabular_inversion.exact import determinant, fraction_array, null_space, rank, solve_linear
from tabular_inversion.exact.modular import LARGEST_PRIME
from tabular_inversion.exact.rationals import FractionArray

SHAPES = [(0, 0), (2, 0), (0, 2), (1, 1), (2, 2), (3, 2), (2, 3), (4, 4)]
"""Every function meets every shape, empty ones too."""

# Multiples of the first prime vanish modulo it, so that it hides pivots; the others find them.
ENTRIES = st.one_of(
    st.integers(-2, 2).map(Fraction),
    st.fractions(-2, 2, max_denominator=5),
    st.sampled_from([Fraction(LARGEST_PRIME), Fraction(10**40), Fraction(1, 10**40), Fraction(3, LARGEST_PRIME)]),
)


@st.composite
def matrices(draw: st.DrawFn, n_rows: int | None = None) -> FractionArray:
    rows = draw(st.integers(1, 4)) if n_rows is None else n_rows
    columns = draw(st.integers(1, 4))
    entries = draw(st.lists(ENTRIES, min_size=rows * columns, max_size=rows * columns))
    return fraction_array(np.array(entries, dtype=object)).reshape(rows, columns)


def sympy_matrix(matrix: FractionArray) -> sympy.Matrix:
    return sympy.Matrix(*matrix.shape, [sympy.Rational(x.numerator, x.denominator) for x in matrix.ravel()])


def low_rank(n_rows: int, n_columns: int, wanted: int, *, seed: int, size: int = 9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-size, size + 1, (n_rows, wanted)) @ rng.integers(-size, size + 1, (wanted, n_columns))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: tuple[int, int]) -> None:
    zeros = np.zeros(shape, int)
    result = rank(zeros)
    assert result.rank == 0
    result.verify(zeros)
    assert null_space(zeros).tolist() == np.eye(shape[1], dtype=int).tolist()
    assert solve_linear(zeros, zeros[:, :1]).shape == (shape[1], min(shape[1], 1))
    if shape[0] == shape[1]:
        assert determinant(zeros) == (0 if shape[0] else 1)


@settings(deadline=None, max_examples=80)
@given(matrices())
def test_rank_agrees_with_sympy_and_its_proof_verifies(matrix: FractionArray) -> None:
    result = rank(matrix)
    assert result.rank == sympy_matrix(matrix).rank()
    result.verify(matrix)


@settings(deadline=None, max_examples=60)
@given(matrices())
def test_null_space_is_complete_independent_and_reduced(matrix: FractionArray) -> None:
    basis = null_space(matrix)
    assert basis.shape == (matrix.shape[1], matrix.shape[1] - sympy_matrix(matrix).rank())
    assert not (matrix @ basis).any()
    expected = sympy_matrix(matrix).nullspace()
    for column, vector in zip(basis.T, expected, strict=True):
        assert [sympy.Rational(x.numerator, x.denominator) for x in column] == list(vector)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_solution_solves_and_its_absence_is_true(data: st.DataObject) -> None:
    matrix = data.draw(matrices())
    targets = data.draw(matrices(len(matrix)))
    joint = sympy_matrix(np.hstack([matrix, targets]))
    if joint.rank() == sympy_matrix(matrix).rank():
        solution = solve_linear(matrix, targets)
        assert np.array_equal(matrix @ solution, targets)
        assert np.array_equal(solve_linear(matrix, targets[:, 0]), solution[:, 0])
    else:
        with pytest.raises(InputError, match="contradict"):
            solve_linear(matrix, targets)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 4))
def test_determinant_agrees_with_sympy(data: st.DataObject, size: int) -> None:
    entries = data.draw(st.lists(ENTRIES, min_size=size**2, max_size=size**2))
    matrix = fraction_array(np.array(entries, dtype=object)).reshape(size, size)
    expected = sympy_matrix(matrix).det()
    assert determinant(matrix) == Fraction(int(expected.p), int(expected.q))


@pytest.mark.parametrize("wanted", [0, 1, 20, 39, 40])
@pytest.mark.parametrize("shape", [(40, 40), (40, 50), (50, 40)])
def test_known_ranks(shape: tuple[int, int], wanted: int) -> None:
    matrix = low_rank(*shape, wanted, seed=wanted)
    result = rank(matrix)
    assert result.rank == wanted
    result.verify(matrix)
    assert ("full" in result.proof) == (wanted == 40)


def test_short_and_long_null_vectors_from_either_side() -> None:
    rng = np.random.default_rng(0)
    repeated_columns = rng.integers(-99, 100, (12, 12))
    repeated_columns[:, 6:] = repeated_columns[:, :6]
    assert rank(repeated_columns).side == "right"
    assert rank(repeated_columns.T).side == "left"
    # No short null vectors on either side: these need p-adic lifting.
    long = low_rank(30, 30, 29, seed=1, size=99)
    result = rank(long)
    assert max(abs(x.numerator) for x in result.null_vectors.ravel()).bit_length() > 100
    for matrix in (repeated_columns, repeated_columns.T, long):
        rank(matrix).verify(matrix)


def test_a_prime_that_hides_a_pivot_is_replaced() -> None:
    hidden = np.array([[LARGEST_PRIME, 0], [0, 1]])
    result = rank(hidden)
    assert (result.rank, result.prime) == (2, 2**61 - 31)
    result.verify(hidden)
    assert null_space(hidden).shape == (2, 0)
    assert solve_linear(hidden, [1, 1]).tolist() == [Fraction(1, LARGEST_PRIME), Fraction(1)]


def test_near_singular_matrices_are_told_from_singular_ones() -> None:
    tiny = Fraction(1, 10**200)
    nearly = fraction_array([[1, 1], [1, 1]])
    nearly[1, 1] += tiny
    assert (rank(nearly).rank, determinant(nearly)) == (2, tiny)
    hilbert = fraction_array([[Fraction(1, i + j + 1) for j in range(25)] for i in range(25)])
    assert rank(hilbert).rank == 25
    assert np.linalg.matrix_rank(hilbert.astype(float)) < 25  # the float rank is wrong


def test_wrong_proofs_are_caught() -> None:
    singular, regular = np.array([[1, 2], [3, 6]]), np.array([[1, 2], [3, 4]])
    proof = rank(singular)
    proof.verify(singular)
    wrong = [
        replace(proof, rank=2),
        replace(proof, rank=0),
        replace(proof, null_vectors=fraction_array([[1], [1]])),
        replace(proof, null_vectors=fraction_array([[0], [0]])),
        replace(proof, null_vectors=np.empty((2, 0), object)),
        replace(proof, null_vectors=fraction_array([[2, -4], [-1, 2]])),
        replace(proof, side="left"),
    ]
    for claim in wrong:
        with pytest.raises(WitnessError):
            claim.verify(singular)
    with pytest.raises(WitnessError):
        proof.verify(regular)
    with pytest.raises(WitnessError):
        rank(regular).verify(singular)
    with pytest.raises(WitnessError, match="no prime"):
        replace(proof, prime=6).verify(singular)


@pytest.mark.parametrize("function", [rank, null_space, determinant])
def test_bad_matrices_are_refused(function: object) -> None:
    with pytest.raises(ShapeError, match="rows, columns"):
        function([1, 2])
    with pytest.raises(InputError, match="allow_float"):
        function([[0.5]])
    with pytest.raises(InputError, match="regular"):
        function([[1, 2], [3]])


def test_bad_systems_are_refused() -> None:
    with pytest.raises(ShapeError, match="square"):
        determinant([[1, 2]])
    for right in ([1, 2], [[[1]]], 1):
        with pytest.raises(ShapeError, match="right-hand sides"):
            solve_linear([[1, 2]], right)
    with pytest.raises(InputError, match="allow_float"):
        solve_linear([[1]], [0.5])


@settings(deadline=None, max_examples=40)
@given(matrices(), st.randoms(use_true_random=False))
def test_rank_does_not_depend_on_order_scale_or_side(matrix: FractionArray, random: object) -> None:
    rows, columns = list(range(matrix.shape[0])), list(range(matrix.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    expected = rank(matrix).rank
    assert rank(matrix[rows][:, columns] * Fraction(-7, 3)).rank == expected
    assert rank(matrix.T).rank == expected
    assert rank(np.vstack([matrix, matrix[:1] + matrix[-1:]])).rank == expected
