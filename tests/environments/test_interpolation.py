"""Grids and interpolation: laws that hold at every point, and scipy's interpolator as a second method."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from tabular_inversion._typing import FloatArray
from tabular_inversion.environments import Axis, Grid
from tabular_inversion.environments.interpolation import Beyond, Interpolation
from tabular_inversion.errors import InputError, ShapeError

METHODS: tuple[Interpolation, ...] = ("kuhn", "multilinear")
STEP = 2.0**-36
"""Places within a cell are rounded to multiples of this; a weight is off by no more than half of it for each axis."""


def most_corners(method: Interpolation, dimension: int) -> int:
    return dimension + 1 if method == "kuhn" else 2**dimension


def grid_of(draw: st.DrawFn, beyond: tuple[Beyond, ...]) -> Grid:
    dimension = draw(st.integers(1, 4))
    axes = []
    for _ in range(dimension):
        low = draw(st.floats(-5, 5))
        width = draw(st.floats(0.1, 10))
        axes.append(Axis(low, low + width, draw(st.integers(2, 5)), draw(st.sampled_from(beyond))))
    return Grid(axes)


@st.composite
def grids(draw: st.DrawFn, beyond: tuple[Beyond, ...] = ("refuse", "clip")) -> Grid:
    return grid_of(draw, beyond)


def points_in(grid: Grid, rng: np.random.Generator, count: int = 50) -> FloatArray:
    """Draw points in the box; some coordinates on grid lines, some equal fractions, where simplices meet."""
    low, spacing = (np.array([getattr(axis, name) for axis in grid.axes]) for name in ("low", "spacing"))
    cells = np.array([axis.count - (0 if axis.wraps else 1) for axis in grid.axes])
    along = rng.uniform(0, cells, (count, len(cells)))
    along[: count // 4] = np.floor(along[: count // 4]) + rng.integers(0, 2, (count // 4, 1)) * 0.5
    along[count // 4 : count // 2, 0] = np.floor(along[count // 4 : count // 2, 0])
    return low + along * spacing  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", METHODS)
@given(grid=grids(("refuse", "clip", "wrap")), seed=st.integers(0, 2**32 - 1))
def test_weights_are_a_distribution_on_few_corners(method: Interpolation, grid: Grid, seed: int) -> None:
    weights = grid.interpolation(points_in(grid, np.random.default_rng(seed)), method=method)
    assert (weights.data > 0).all()
    assert np.diff(weights.indptr).max() <= most_corners(method, len(grid.axes))
    sums = weights.sum(axis=1)
    if method == "kuhn":  # multiples of a power of two: no rounding at all
        np.testing.assert_array_equal(sums, 1.0)
    np.testing.assert_allclose(sums, 1.0, rtol=0, atol=1e-15 * 2 ** len(grid.axes))


@pytest.mark.parametrize("method", METHODS)
@given(grid=grids(), seed=st.integers(0, 2**32 - 1))
def test_affine_functions_are_reproduced(method: Interpolation, grid: Grid, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, slope, constant = points_in(grid, rng), rng.standard_normal(len(grid.axes)), rng.standard_normal()
    found = grid.interpolation(points, method=method) @ (grid.coordinates @ slope + constant)
    spacing = np.array([axis.spacing for axis in grid.axes])
    tolerance = STEP * np.abs(slope * spacing).sum() + 1e-13 * (1 + np.abs(slope).sum() * 20)
    np.testing.assert_allclose(found, points @ slope + constant, rtol=0, atol=tolerance)


@given(grid=grids(), seed=st.integers(0, 2**32 - 1))
def test_multilinear_agrees_with_scipy(grid: Grid, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, values = points_in(grid, rng), rng.standard_normal(grid.n_states)
    axes = tuple(axis.points for axis in grid.axes)
    inside = np.clip(points, [axis[0] for axis in axes], [axis[-1] for axis in axes])
    expected = RegularGridInterpolator(axes, values.reshape(grid.shape), method="linear")(inside)
    found = grid.interpolation(points, method="multilinear") @ values
    tolerance = STEP * len(axes) * np.ptp(values) + 1e-12
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("method", METHODS)
@given(grid=grids(("refuse", "clip", "wrap")))
def test_a_grid_point_is_its_own_only_successor(method: Interpolation, grid: Grid) -> None:
    weights = grid.interpolation(grid.coordinates, method=method)
    np.testing.assert_array_equal(weights.indptr, np.arange(grid.n_states + 1))
    np.testing.assert_array_equal(weights.indices, np.arange(grid.n_states))
    np.testing.assert_array_equal(weights.data, 1.0)


def kuhn_by_definition(fraction: FloatArray) -> dict[tuple[int, ...], float]:
    """Try every simplex of the unit box: corners along a path of axes; barycentric weights by linear algebra."""
    dimension = len(fraction)
    for order in itertools.permutations(range(dimension)):
        corners = np.zeros((dimension + 1, dimension))
        for step, axis in enumerate(order, start=1):
            corners[step:, axis] = 1.0
        system = np.vstack([corners.T, np.ones(dimension + 1)])
        weights = np.linalg.solve(system, np.append(fraction, 1.0))
        if weights.min() >= 0:
            return {tuple(map(int, c)): float(w) for c, w in zip(corners, weights, strict=True) if w > 0}
    raise AssertionError("the simplices cover the box")


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
def test_kuhn_against_a_search_through_all_simplices(dimension: int) -> None:
    grid = Grid([Axis(0.0, 1.0, 2)] * dimension)
    for fraction in np.random.default_rng(dimension).uniform(size=(20, dimension)):
        weights = grid.interpolation(fraction[None])
        expected = kuhn_by_definition(fraction)
        found = dict(zip(map(tuple, grid.coordinates[weights.indices].astype(int)), weights.data, strict=True))
        assert found.keys() == expected.keys()
        for corner, weight in expected.items():
            np.testing.assert_allclose(found[corner], weight, rtol=0, atol=2 * STEP)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1), turns=st.integers(-3, 3))
def test_circles_have_no_seam(method: Interpolation, seed: int, turns: int) -> None:
    """A full turn changes nothing, and values just before and just after the seam are close."""
    rng = np.random.default_rng(seed)
    grid = Grid([Axis(-np.pi, np.pi, 5, "wrap"), Axis(-1.0, 1.0, 3, "clip")])
    values = rng.standard_normal(grid.n_states)
    points = points_in(grid, rng)
    turned = points + np.array([2 * np.pi * turns, 0.0])
    found = grid.interpolation(points, method=method) @ values
    np.testing.assert_allclose(grid.interpolation(turned, method=method) @ values, found, rtol=0, atol=1e-10)
    heights = rng.uniform(-1, 1, 20)
    before, after = (np.stack([np.full(20, seam), heights], axis=1) for seam in (np.pi - 1e-9, -np.pi + 1e-9))
    jump = (grid.interpolation(before, method=method) - grid.interpolation(after, method=method)) @ values
    # The slope is at most the largest difference of values over the spacing, along each axis.
    assert np.abs(jump).max() <= 2e-9 * np.ptp(values) / grid.axes[0].spacing + 1e-10


def test_a_cell_across_the_seam_joins_the_last_point_to_the_first() -> None:
    grid = Grid([Axis(0.0, 1.0, 4, "wrap")])
    np.testing.assert_allclose(grid.interpolation([[0.8]]).toarray(), [[0.2, 0, 0, 0.8]], rtol=0, atol=STEP)


def test_far_away_on_a_circle_is_still_on_it() -> None:
    grid = Grid([Axis(0.0, 1.0, 4, "wrap")])
    weights = grid.interpolation([[1e308], [-1e308], [2.0**52 + 0.0], [-1e-300], [1.0 - 1e-16]])
    np.testing.assert_array_equal(weights.toarray(), np.tile([1.0, 0, 0, 0], (5, 1)))


@pytest.mark.parametrize("method", METHODS)
def test_clipping_moves_to_the_border(method: Interpolation) -> None:
    grid = Grid([Axis(0.0, 1.0, 3, "clip"), Axis(0.0, 1.0, 3, "clip")])
    outside = [[-5.0, 0.3], [1.7, 0.3], [0.3, 1e308], [-1.0, 2.0]]
    found = grid.interpolation(outside, method=method)
    expected = grid.interpolation(np.clip(outside, 0, 1), method=method)
    np.testing.assert_array_equal(found.toarray(), expected.toarray())


def test_points_are_equally_spaced() -> None:
    grid = Grid([Axis(0.0, 1.0, 3), Axis(0.0, 1.0, 2, "wrap")])
    assert grid.shape == (3, 2)
    np.testing.assert_array_equal(grid.coordinates, [[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5], [1, 0], [1, 0.5]])
    with pytest.raises(ValueError, match="read-only"):
        grid.coordinates[0] = 0


def test_rounding_makes_no_further_successors() -> None:
    grid = Grid([Axis(-1.2, 0.6, 8192), Axis(-0.07, 0.07, 8192)])
    points = np.stack([axis.low + axis.spacing * np.arange(8192) for axis in grid.axes], axis=1)
    assert (points != np.stack([axis.points for axis in grid.axes], axis=1)).any()
    points = np.clip(points, *([getattr(axis, end) for axis in grid.axes] for end in ("low", "high")))
    assert (np.diff(grid.interpolation(points).indptr) == 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 1), "count is 1; expected an integer of at least 2"),
        ((0.0, 1.0, 2.0), "count is 2.0; expected an integer"),
        ((0.0, 1.0, 10**6), "count is 1000000; an axis has at most 8192"),
        ((1.0, 1.0, 3), "from 1.0 to 1.0 is empty"),
        ((1.0, 0.0, 3), "from 1.0 to 0.0 is empty"),
        ((float("nan"), 0.0, 3), "from nan to 0.0 is empty"),
        ((0.0, float("inf"), 3), "from 0.0 to inf is empty"),
        ((-1e308, 1e308, 3), "is empty"),
        (("0", "1", 3), "low is '0'; expected a number"),
        ((0.0, 5e-324, 3), "from 0.0 to 5e-324 there are no 3 floats"),
        ((1.0, 1.0 + 1e-15, 9), "there are no 9 floats"),
        ((0.0, 1.0, 3, "stop"), "beyond is 'stop'; expected one of refuse, clip, wrap"),
    ],
)
def test_bad_axes(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Axis(*arguments)


@pytest.mark.parametrize("axes", [[], [3], [(0.0, 1.0, 3)]])
def test_bad_grids(axes: Any) -> None:
    with pytest.raises(InputError, match=r"expected at least one Axis|expected Axis"):
        Grid(axes)


def test_grids_too_large_to_number() -> None:
    with pytest.raises(InputError, match="8192 x 8192 x 8192 points is too large"):
        Grid([Axis(0.0, 1.0, 8192)] * 3)


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([0.5, 0.5], ShapeError, r"shape \(2,\); expected \(B, d\) = \(any, 2\)"),
        ([[0.5]], ShapeError, r"expected \(B, d\) = \(any, 2\)"),
        ([[0.5, 0.5], [0.5, np.nan]], InputError, "point number 1: coordinate 1 is nan"),
        ([[np.inf, 0.5]], InputError, "point number 0: coordinate 0 is inf"),
        ([[0.5, 1.5]], InputError, r"coordinate 1 is 1.5, outside of \[0, 1\]; widen the axis, or give it beyond="),
        ([[-0.001, 0.5]], InputError, r"coordinate 0 is -0.001, outside of \[0, 1\]"),
        ([["x", "y"]], InputError, "points cannot be read as real numbers"),
        ([[1j, 0.0]], InputError, "points holds complex numbers"),
    ],
)
def test_bad_points(points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Grid([Axis(0.0, 1.0, 3)] * 2).interpolation(points)


def test_bad_method() -> None:
    with pytest.raises(InputError, match="method is 'cubic'; expected one of kuhn, multilinear"):
        Grid([Axis(0.0, 1.0, 3)]).interpolation([[0.5]], method="cubic")  # type: ignore[arg-type]


def test_no_points_are_no_rows() -> None:
    assert Grid([Axis(0.0, 1.0, 3)]).interpolation(np.empty((0, 1))).shape == (0, 3)
