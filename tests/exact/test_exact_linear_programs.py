"""Exact feasibility and recession vectors against brute force, with either way of deciding, and with wrong answers."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion.errors import InputError, ShapeError, WitnessError
from tabular_inversion.exact import (
    Feasibility,
    Recession,
    find_nonnegative_solution,
    find_recession_vector,
    fraction_array,
    linear_programs,
    null_space,
    solve_linear,
)
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.exact.simplex import phase_one

QUICK = settings(deadline=None, max_examples=60)


@st.composite
def matrices(draw: st.DrawFn) -> FractionArray:
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    entries = st.lists(st.integers(-2, 2), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    return fraction_array(np.array(draw(entries))).reshape(shape)


def circuits(matrix: FractionArray) -> list[FractionArray]:
    """All null vectors of minimal support, up to scale: every null vector is a conformal sum of them."""
    found = []
    for size in range(1, matrix.shape[1] + 1):
        for columns in map(list, combinations(range(matrix.shape[1]), size)):
            basis = null_space(matrix[:, columns])
            if basis.shape[1] == 1 and basis.all():
                vector = np.zeros(matrix.shape[1], object)
                vector[columns] = basis[:, 0]
                found.append(vector)
    return found


def has_recession_vector(matrix: FractionArray, mask: np.ndarray) -> bool:
    return any((sign * v[mask] >= 0).all() for v in circuits(matrix) for sign in (1, -1))


def has_nonnegative_solution(matrix: FractionArray, target: FractionArray) -> bool:
    """Some vertex: independent columns that give the target with nonnegative weights."""
    if not target.any():
        return True
    for size in range(1, matrix.shape[1] + 1):
        for columns in map(list, combinations(range(matrix.shape[1]), size)):
            if null_space(matrix[:, columns]).shape[1]:
                continue
            try:
                if (solve_linear(matrix[:, columns], target) >= 0).all():
                    return True
            except InputError:
                continue
    return False


@QUICK
@given(matrices(), st.data())
def test_feasibility_agrees_with_brute_force(matrix: FractionArray, data: st.DataObject) -> None:
    target = fraction_array(data.draw(st.lists(st.integers(-2, 2), min_size=len(matrix), max_size=len(matrix))))
    expected = has_nonnegative_solution(matrix, target)
    found = find_nonnegative_solution(matrix, target)
    assert (found.solution is not None, found.certificate is not None) == (expected, not expected)
    found.verify(matrix, target)
    # The simplex method in fractions, which decides where floats mislead, answers the same.
    feasible, vector = phase_one(matrix, target)
    assert feasible == expected
    Feasibility(*((vector, None) if feasible else (None, vector))).verify(matrix, target)


@QUICK
@given(matrices(), st.booleans(), st.data())
def test_recession_agrees_with_brute_force(matrix: FractionArray, ones: bool, data: st.DataObject) -> None:
    system = np.vstack([matrix, fraction_array(np.ones((1, matrix.shape[1]), int))]) if ones else matrix
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=matrix.shape[1], max_size=matrix.shape[1])))
    expected = has_recession_vector(system, mask)
    found = find_recession_vector(system, mask)
    assert (found.vector is not None, found.certificate is not None) == (expected, not expected)
    found.verify(system, mask)


@pytest.mark.parametrize("answer", [None, 1.0, -1e300], ids=["none", "ones", "nonsense"])
def test_wrong_floats_cost_only_time(answer: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        linear_programs, "_optimum", lambda costs, **_: None if answer is None else np.full(len(costs), answer)
    )
    verdicts = []
    for _ in range(30):
        matrix = rng.integers(-2, 3, (3, 5))
        target, mask = rng.integers(-2, 3, 3), rng.random(5) < 0.7
        feasibility, recession = find_nonnegative_solution(matrix, target), find_recession_vector(matrix, mask)
        feasibility.verify(matrix, target)
        recession.verify(matrix, mask)
        verdicts += [feasibility.solution is None, recession.vector is None]
    assert 0 < sum(verdicts) < len(verdicts)


TINY = Fraction(1, 10**60)


@pytest.mark.parametrize(("target", "feasible"), [(TINY, True), (0, True), (-TINY, False)])
def test_what_floats_cannot_see_is_decided(target: Fraction, feasible: bool) -> None:
    """x + y = 1, x + (1 - 10^-60) y = 1 - target: then y = 10^60 target."""
    matrix = [[1, 1], [1, 1 - TINY]]
    found = find_nonnegative_solution(matrix, [1, 1 - target])
    assert (found.solution is not None) == feasible
    found.verify(matrix, [1, 1 - target])


def test_a_point_just_outside_a_triangle() -> None:
    """S1: column 3 of M among the columns 0, 1, 2; on an edge it is a mixture, beyond it is not."""
    for shift, mixture in [(0, True), (TINY, True), (-TINY, False)]:
        points = [[0, 1, 0, "1/2"], [0, 0, 1, shift], [1, 1, 1, 1]]
        found = find_recession_vector(points, [True, True, True, False])
        assert (found.vector is not None) == mixture
        found.verify(points, [True, True, True, False])


def test_beales_cycling_example_ends() -> None:
    """Dantzig's rule cycles for ever on this program (Beale 1955), whose least value is -1/20."""
    program = [["1/4", -60, "-1/25", 9], ["1/2", -90, "-1/50", 3], [0, 0, 1, 0]]
    costs = ["-3/4", 150, "-1/50", 6]
    matrix = np.vstack([np.hstack([fraction_array(program), np.eye(3, dtype=int)]), [*fraction_array(costs), 0, 0, 0]])
    for value, feasible in [("-1/20", True), ("-51/1000", False)]:
        target = [0, 0, 1, value]
        found = find_nonnegative_solution(matrix, target)
        assert (found.solution is not None) == feasible
        assert phase_one(fraction_array(matrix), fraction_array(target))[0] == feasible


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_empty_systems(shape: tuple[int, int]) -> None:
    matrix, zero = np.zeros(shape, int), np.zeros(shape[0], int)
    find_nonnegative_solution(matrix, zero).verify(matrix, zero)
    assert find_nonnegative_solution(matrix, zero).solution is not None
    if shape[0]:
        assert find_nonnegative_solution(matrix, zero + 1).certificate is not None
    for mask in (np.zeros(shape[1], bool), np.ones(shape[1], bool)):
        found = find_recession_vector(matrix, mask)
        found.verify(matrix, mask)
        assert (found.vector is not None) == (shape[1] > 0)


def test_numbers_of_very_different_size() -> None:
    large, small = 10**400, Fraction(1, 10**400)
    matrix = [[large, -large, 0], [0, small, -small]]
    found = find_nonnegative_solution([*matrix, [1, 1, 1]], [0, 0, 1])
    assert found.solution.tolist() == [Fraction(1, 3)] * 3
    assert find_recession_vector(matrix, [True] * 3).vector is not None


def test_wrong_answers_are_caught() -> None:
    matrix, target = [[1, 1], [1, -1]], [1, 0]
    solved = find_nonnegative_solution(matrix, target)
    solved.verify(matrix, target)
    with pytest.raises(WitnessError):
        solved.verify(matrix, [1, 1])
    for vector in ([1, 0], [2, -1], [1], ["1/2", "1/2", 0]):
        with pytest.raises(WitnessError):
            replace(solved, solution=fraction_array(vector)).verify(matrix, target)
    for vector in ([1, 0], [0, 0], [-1, 0, 0]):
        with pytest.raises(WitnessError):
            Feasibility(None, fraction_array(vector)).verify(matrix, target)
    with pytest.raises(WitnessError):
        Feasibility(None, None).verify(matrix, target)

    points, mask = [[0, 1, 2], [1, 1, 1]], [True, False, True]
    inner = find_recession_vector(points, mask)
    inner.verify(points, mask)
    with pytest.raises(WitnessError):
        inner.verify(points, [True, True, True])
    for vector in ([0, 0, 0], [-1, 2, -1], [1, 0, 0]):
        with pytest.raises(WitnessError):
            replace(inner, vector=fraction_array(vector)).verify(points, mask)
    outer = find_recession_vector(points, [False, True, True])
    outer.verify(points, [False, True, True])
    with pytest.raises(WitnessError):
        outer.verify(points, mask)
    for vector in ([0, 0], [-1, 0], [0, 1]):
        with pytest.raises(WitnessError):
            replace(outer, certificate=fraction_array(vector)).verify(points, [False, True, True])
    # Positive where it must be, but the free columns depend on each other.
    with pytest.raises(WitnessError):
        Recession(None, fraction_array([0, 1])).verify([[0, 0, 0], [0, 0, 1]], [False, False, True])
    with pytest.raises(WitnessError):
        Recession(None, None).verify(points, mask)


def test_bad_input_is_refused() -> None:
    for right in ([1, 2], [[1]], 1):
        with pytest.raises(ShapeError, match="right-hand side"):
            find_nonnegative_solution([[1, 2]], right)
    with pytest.raises(ShapeError):
        find_nonnegative_solution([1], [1])
    for mask in ([True], [1, 0], [[True, True]], True):
        with pytest.raises(ShapeError, match="nonnegative"):
            find_recession_vector([[1, 2]], mask)
    with pytest.raises(InputError, match="allow_float"):
        find_nonnegative_solution([[0.5]], [1])
    with pytest.raises(InputError, match="allow_float"):
        find_recession_vector([[0.5]], [True])
