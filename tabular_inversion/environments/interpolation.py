"""Grids, and interpolation between their points by simplices (Kuhn) or by boxes (multilinear)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tabular_inversion._typing import FloatArray, IntArray, SparseMatrix
from tabular_inversion.environments._checks import check_count
from tabular_inversion.errors import InputError, ShapeError
from tabular_inversion.kinds import checked
from tabular_inversion.validation import frozen_array, real_array

Beyond: TypeAlias = Literal["refuse", "clip", "wrap"]
Interpolation: TypeAlias = Literal["kuhn", "multilinear"]

_STEPS_PER_CELL = 2.0**36
"""Places within a cell are rounded to this many steps. So a point that misses a grid point, or a face between two
simplices, by rounding alone does not get further successors with weights such as 1e-17; and Kuhn weights, being
whole multiples of a power of two, sum to exactly one."""

_MOST_POINTS = 2**13
"""Up to here, on an axis around zero, rounding of coordinates stays below a step."""

_MOST_STATES = 2**31 - 1


@checked
@dataclass(frozen=True)
class Axis:
    """One coordinate of a grid: equally spaced points, and what becomes of arrivals outside.

    Parameters
    ----------
    low, high : float
        The range, ``low < high``.
    count : int
        How many grid points, from 2 to 8192. They include both ends, except that on a circle `high` is `low`.
    beyond : {"refuse", "clip", "wrap"}
        An arrival outside is an error; or moves to the nearer end; or goes round the circle of length ``high - low``.

    Raises
    ------
    InputError
        If the range is empty or not finite, the count is out of range, or `beyond` is unknown.

    Examples
    --------
    >>> Axis(0.0, 1.0, 5).points
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    >>> Axis(0.0, 1.0, 5, beyond="wrap").points
    array([0. , 0.2, 0.4, 0.6, 0.8])
    """

    low: float
    high: float
    count: int
    beyond: Beyond = "refuse"

    def __post_init__(self) -> None:
        check_count("count", self.count, least=2)
        if self.count > _MOST_POINTS:
            raise InputError(f"count is {self.count}; an axis has at most {_MOST_POINTS} grid points.")
        try:
            proper = -np.inf < self.low < self.high < np.inf and np.isfinite(self.high - self.low)
        except TypeError:
            proper = False
        if not proper:
            raise InputError(f"an axis from {self.low!r} to {self.high!r} is empty; expected finite low < high.")
        if self.beyond not in get_args(Beyond):
            raise InputError(f"beyond is {self.beyond!r}; expected one of {', '.join(get_args(Beyond))}.")
        if not (np.diff(self.points) > 0).all():
            raise InputError(f"from {self.low!r} to {self.high!r} there are no {self.count} floats; widen it.")

    @property
    def wraps(self) -> bool:
        """Whether this is a circle."""
        return self.beyond == "wrap"

    @property
    def spacing(self) -> float:
        """The distance between neighbouring grid points."""
        return (self.high - self.low) / (self.count if self.wraps else self.count - 1)

    @property
    def points(self) -> FloatArray:
        """The grid points, ascending, shape (count,)."""
        return np.linspace(self.low, self.high, self.count, endpoint=not self.wraps)


@checked
@dataclass(frozen=True)
class Grid:
    """All combinations of the points of some axes: the states of a world, the last axis running fastest.

    Parameters
    ----------
    axes : sequence of Axis
        At least one.

    Raises
    ------
    InputError
        If there is no axis, or there are 2^31 states or more.

    Examples
    --------
    >>> square = Grid([Axis(0.0, 1.0, 2), Axis(0.0, 1.0, 2)])
    >>> square.coordinates
    array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]])
    >>> square.interpolation([[0.5, 0.25]]).toarray()
    array([[0.5 , 0.  , 0.25, 0.25]])
    >>> square.interpolation([[0.5, 0.25]], method="multilinear").toarray()
    array([[0.375, 0.125, 0.375, 0.125]])
    """

    axes: Sequence[Axis]

    def __post_init__(self) -> None:
        axes = tuple(self.axes)
        if not axes or not all(isinstance(axis, Axis) for axis in axes):
            raise InputError(f"axes is {self.axes!r}; expected at least one Axis, and nothing else.")
        object.__setattr__(self, "axes", axes)
        if self.n_states > _MOST_STATES:
            raise InputError(f"a grid of {' x '.join(map(str, self.shape))} points is too large; give fewer points.")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of points of each axis: ``v.reshape(grid.shape)`` is a function of the state as a table."""
        return tuple(int(axis.count) for axis in self.axes)

    @property
    def n_states(self) -> int:
        """n, the number of grid points."""
        return int(np.prod(self.shape, dtype=object))

    @cached_property
    def coordinates(self) -> FloatArray:
        """Where each state lies, shape (S, d), read-only."""
        tables = np.meshgrid(*(axis.points for axis in self.axes), indexing="ij")
        return frozen_array(np.stack(tables, axis=-1).reshape(-1, len(self.axes)))

    def interpolation(self, points: ArrayLike, *, method: Interpolation = "kuhn") -> SparseMatrix:
        """Return the weights that express points by grid points.

        Parameters
        ----------
        points : array_like, shape (B, d)
            Anywhere on the axes; outside of them as each axis says.
        method : {"kuhn", "multilinear"}
            ``"kuhn"``: each box is cut into d! simplices by the order of the coordinates within it; at most d + 1
            weights. ``"multilinear"``: at most 2^d.

        Returns
        -------
        scipy.sparse.csr_array, shape (B, S)
            Rows are distributions, with positive entries only. ``weights @ v`` interpolates v, and equals v at grid
            points; where v is affine (and the axes do not wrap), so is the interpolation.

        Raises
        ------
        ShapeError
            If the points have another number of coordinates than the grid.
        InputError
            If a number is not finite or outside of an axis that refuses it, or the method is unknown.

        References
        ----------
        H. W. Kuhn, "Some combinatorial lemmas in topology", IBM Journal 4 (1960) 518-524; S. Davies,
        "Multidimensional triangulation and interpolation for reinforcement learning", NIPS 9 (1996) 1005-1011.
        """
        check_method(method)
        places = real_array("points", points, "(B, d)", InputError)
        if places.ndim != 2 or places.shape[1] != len(self.axes):
            raise ShapeError(f"points has shape {places.shape}; expected (B, d) = (any, {len(self.axes)}).")
        wrong = self.refused(places)
        if wrong is not None:
            raise InputError(f"point number {wrong[0]}: {wrong[1]}.")
        states, weights = self.corners(places, method)
        return weight_matrix(states, weights, self.n_states)

    def refused(self, points: FloatArray) -> tuple[int, str] | None:
        """Return the first point that is not finite or not on the grid, and what is wrong with it; None if all are."""
        bad = ~np.isfinite(points)
        for i, axis in enumerate(self.axes):
            if axis.beyond == "refuse":
                bad[:, i] |= np.abs(points[:, i] - (axis.low + axis.high) / 2) > _half_range(axis)
        if not bad.any():
            return None
        point, i = (int(j) for j in np.argwhere(bad)[0])
        axis, value = self.axes[i], float(points[point, i])
        if not np.isfinite(value):
            return point, f"coordinate {i} is {value}; coordinates are finite: correct it"
        return point, (
            f"coordinate {i} is {value!r}, outside of [{axis.low:g}, {axis.high:g}]; widen the axis, or give it "
            'beyond="clip" or "wrap"'
        )

    def corners(self, points: FloatArray, method: Interpolation) -> tuple[IntArray, FloatArray]:
        """Return states and weights, each of shape (B, d + 1) or (B, 2^d), of points that are not refused."""
        first = np.zeros(len(points), np.intp)
        fractions, strides = np.empty(points.shape), np.empty(points.shape, np.intp)
        stride = self.n_states
        for i, axis in enumerate(self.axes):
            stride //= axis.count
            cell, fractions[:, i] = _place(axis, points[:, i])
            first += stride * cell
            strides[:, i] = np.where(cell == axis.count - 1, -stride * (axis.count - 1), stride)
        return (_kuhn if method == "kuhn" else _multilinear)(first, fractions, strides)


def _half_range(axis: Axis) -> float:
    return (axis.high - axis.low) / 2 + axis.spacing / _STEPS_PER_CELL


def _place(axis: Axis, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the grid point below each value, shape (B,), and how far the value is on the way to the next, in [0, 1].

    The last point of an axis that does not wrap has no next one: there, the fraction 1 from the point before is used.
    """
    if axis.wraps:
        offset = np.mod(values - axis.low, axis.high - axis.low)
    else:
        offset = np.clip(values, axis.low, axis.high) - axis.low
    along = np.rint(offset / axis.spacing * _STEPS_PER_CELL) / _STEPS_PER_CELL
    if not axis.wraps:
        along = np.minimum(along, axis.count - 1)
    cell = np.floor(along) if axis.wraps else np.minimum(np.floor(along), axis.count - 2)
    return cell.astype(np.intp) % axis.count, along - cell


def _kuhn(first: IntArray, fractions: FloatArray, strides: IntArray) -> tuple[IntArray, FloatArray]:
    """From the lowest corner of its box, walk along the axes in the order of falling fractions."""
    order = np.argsort(-fractions, axis=1, kind="stable")
    falling = np.take_along_axis(fractions, order, axis=1)
    weights = np.empty((len(first), fractions.shape[1] + 1))
    weights[:, 0] = 1.0
    weights[:, 1:] = falling
    weights[:, :-1] -= falling
    states = np.empty(weights.shape, np.intp)
    states[:, 0] = first
    states[:, 1:] = np.take_along_axis(strides, order, axis=1)
    return states.cumsum(axis=1), weights


def _multilinear(first: IntArray, fractions: FloatArray, strides: IntArray) -> tuple[IntArray, FloatArray]:
    """Split along one axis after the other."""
    states, weights = first[:, None], np.ones((len(first), 1))
    for fraction, stride in zip(fractions.T[:, :, None], strides.T[:, :, None], strict=True):
        states = np.concatenate([states, states + stride], axis=1)
        weights = np.concatenate([weights * (1.0 - fraction), weights * fraction], axis=1)
    return states, weights


def weight_matrix(states: Any, weights: FloatArray, n_states: int) -> SparseMatrix:
    """Return a CSR matrix (B, S) from the corners of each point, shape (B, N), without those of weight 0."""
    # Indices and pointers of one small type: scipy would widen the larger array to the type of the other.
    index = np.int32 if max(weights.size, n_states) <= np.iinfo(np.int32).max else np.int64
    pointers: IntArray = np.arange(0, weights.size + 1, weights.shape[1], dtype=index)
    columns = states.ravel().astype(index, copy=False)
    matrix: SparseMatrix = csr_array((weights.ravel(), columns, pointers), shape=(len(weights), n_states))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def check_method(method: str) -> None:
    """Raise `InputError` unless `method` is "kuhn" or "multilinear"."""
    if method not in get_args(Interpolation):
        raise InputError(f"method is {method!r}; expected one of {', '.join(get_args(Interpolation))}.")
