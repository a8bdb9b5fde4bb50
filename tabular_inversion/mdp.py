"""Finite Markov decision processes: a transition kernel, dense or sparse, with a discount and a mask of actions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from tabular_inversion import storage
from tabular_inversion._typing import BoolArray, FloatArray, IntArray, Kernel, SparseMask, SparseMatrix
from tabular_inversion.errors import KernelError, ShapeError
from tabular_inversion.kernel_rows import KernelRows, rows_times, sparse_rows
from tabular_inversion.kinds import checked
from tabular_inversion.observed.constructors import FromObservations
from tabular_inversion.records import ReadOnly, same_if_given
from tabular_inversion.validation import (
    check_available,
    check_discount,
    check_names,
    check_order,
    finite_array,
    frozen_array,
    read_functions,
    refuse_masked,
    row_sum_limit,
    shape_of,
)

if TYPE_CHECKING:
    import networkx as nx

_CACHED_ENTRIES = 2**17
_ROUNDED = 1e-2
"""A sum this near to one may be that of a table written with few digits."""


@checked
@dataclass(frozen=True, eq=False, repr=False)
class MDP(KernelRows, FromObservations, ReadOnly):
    """A finite Markov decision process without rewards (those belong to `Goals`).

    Parameters
    ----------
    kernel : array_like, shape (S, A, S), or scipy sparse matrix, shape (S*A, S)
        ``kernel[s, a, t]`` is the probability of arriving in t from s by action a. Row (s, a) of the sparse form
        is number ``s * A + a``. Each row of an available action is a distribution: entries at least 0, sum 1
        up to rounding, which is (k + 8) * 2.2e-16 for k positive entries; see `normalised` for rounded tables.
        Rows of unavailable actions are zero.
    discount : float
        In [0, 1]. At 1, values exist for goals that end every episode, whatever the policy; `solve` checks that.
    available : array_like of bool, shape (S, A), optional
        Which actions exist in which states; all when omitted. Each state needs at least one.
    state_names, action_names : sequence of str, optional
        One name for each state or action, all different.
    coordinates : array_like, shape (S, d), optional
        Where each state lies, for pictures and Gaussian goals.

    Raises
    ------
    KernelError
        If a row is no distribution, or contradicts the mask.
    ShapeError
        If the shapes do not fit.
    DiscountError
        If the discount lies outside [0, 1].

    Notes
    -----
    The kernel is stored read-only, as given: rows are checked and never rescaled. Source: the docs, Notation.

    Examples
    --------
    >>> import numpy as np
    >>> mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)
    >>> mdp
    MDP(n_states=2, n_actions=1, discount=0.9, dense)
    >>> mdp.sparse().rows.toarray()
    array([[0.5, 0.5],
           [0. , 1. ]])
    >>> mdp.expectation([[1.0, 2.0]])
    array([[[1.5],
            [2. ]]])
    """

    kernel: Kernel
    discount: float
    available: BoolArray = None  # type: ignore[assignment]  # filled in by __post_init__
    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None
    coordinates: FloatArray | None = None

    def __post_init__(self) -> None:
        kernel, n_states, n_actions = _read_kernel(self.kernel)
        available = check_available(self.available, (n_states, n_actions), KernelError)
        _check_rows(kernel, available)
        coordinates = self.coordinates
        if coordinates is not None:
            coordinates = finite_array("coordinates", coordinates, (n_states, None), "(S, d)", KernelError)
        fields = {
            "kernel": kernel,
            "discount": check_discount(self.discount),
            "available": available,
            "state_names": check_names("state_names", self.state_names, n_states, KernelError),
            "action_names": check_names("action_names", self.action_names, n_actions, KernelError),
            "coordinates": coordinates,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        form = "sparse" if self.is_sparse else "dense"
        return f"MDP(n_states={self.n_states}, n_actions={self.n_actions}, discount={self.discount:g}, {form})"

    def __eq__(self, other: object) -> bool:
        """Whether both describe the same world exactly, whichever way each kernel is stored."""
        if not isinstance(other, MDP):
            return NotImplemented
        return (
            self.discount == other.discount
            and np.array_equal(self.available, other.available)
            and (self.state_names, self.action_names) == (other.state_names, other.action_names)
            and same_if_given(self.coordinates, other.coordinates)
            and (
                abs(sparse_rows(self.rows) - sparse_rows(other.rows)).max() == 0 if self.shape == other.shape else False
            )
        )

    @property
    def n_states(self) -> int:
        """n, the number of states."""
        return int(self.kernel.shape[-1])

    @property
    def n_actions(self) -> int:
        """m, the number of actions."""
        return int(self.available.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(S, A, S), however the kernel is stored."""
        return (self.n_states, self.n_actions, self.n_states)

    @property
    def is_sparse(self) -> bool:
        """Whether the kernel is stored as a CSR matrix (S*A, S)."""
        return bool(issparse(self.kernel))

    @property
    def rows(self) -> Kernel:
        """The kernel as a matrix (S*A, S), of ndarray or csr_array type as stored; row (s, a) is s*A + a."""
        return self.kernel.reshape(-1, self.n_states) if isinstance(self.kernel, np.ndarray) else self.kernel

    @cached_property
    def row_index(self) -> IntArray:
        """Numbers s*A + a of the rows of available actions, ascending."""
        return np.flatnonzero(self.available)

    @cached_property
    def support(self) -> BoolArray | SparseMask:
        """Where the kernel is positive: bool array (S, A, S), or bool csr_array (S*A, S), as the kernel is stored."""
        if isinstance(self.kernel, np.ndarray):
            return frozen_array(self.kernel > 0, bool)
        support = csr_array(self.kernel, copy=True)
        support.eliminate_zeros()
        return support.astype(np.bool_)

    @cached_property
    def n_successors(self) -> IntArray:
        """How many states each row reaches, integer array (S, A); 0 where the action is unavailable."""
        rows = self.support
        counts = rows.sum(axis=2) if isinstance(rows, np.ndarray) else np.diff(rows.indptr)
        return np.asarray(counts, dtype=np.intp).reshape(self.available.shape)

    @property
    def is_deterministic(self) -> bool:
        """Whether every available row has one successor."""
        return bool(self.n_successors.max() == 1)

    def dense(self) -> MDP:
        """Return the same world with kernel (S, A, S)."""
        return self._with_kernel(self.toarray()) if self.is_sparse else self

    def sparse(self) -> MDP:
        """Return the same world with kernel CSR (S*A, S)."""
        return self if self.is_sparse else self._with_kernel(csr_array(self.rows))

    def _with_kernel(self, kernel: Kernel) -> MDP:
        names = (self.state_names, self.action_names)
        return MDP(kernel, self.discount, self.available, *names, coordinates=self.coordinates)

    def with_discount(self, discount: float) -> MDP:
        """Return the same world with another discount in [0, 1]."""
        names = (self.state_names, self.action_names)
        return MDP(self.kernel, discount, self.available, *names, coordinates=self.coordinates)

    def expectation(self, functions: ArrayLike) -> FloatArray:
        """Return the expected value, on arrival, of each function of the next state.

        Parameters
        ----------
        functions : array_like, shape (G, S)
            Functions of the state, for example the test matrix M.

        Returns
        -------
        numpy.ndarray, shape (G, S, A)
            ``result[g, s, a] = sum_t kernel[s, a, t] * functions[g, t]``; 0 where the action is unavailable.

        Raises
        ------
        InputError
            If a number is not finite.
        ShapeError
            If the functions are not on the states of this world.
        """
        values, rows = read_functions(functions, self.n_states), self.rows
        shape = (values.shape[0], self.n_states, self.n_actions)
        if not self.is_sparse:
            return np.asarray(values @ rows.T).reshape(shape)
        flat = np.empty((values.shape[0], rows.shape[0]))
        # A sparse matrix times a dense one gives goals last; few at a time, the result is turned while in the cache.
        step = max(4, _CACHED_ENTRIES // rows.shape[0])
        for start in range(0, len(flat), step):
            flat[start : start + step] = rows_times(rows, values[start : start + step].T).T
        return flat.reshape(shape)

    def permute_states(self, order: ArrayLike) -> MDP:
        """Rename states: state i of the result is state ``order[i]`` of this one.

        Parameters
        ----------
        order : array_like of int, shape (S,)
            Each state once.

        Returns
        -------
        MDP

        Raises
        ------
        KernelError
            If `order` does not list each state exactly once.
        """
        new = check_order(order, self.n_states, KernelError)
        row_order = (new[:, None] * self.n_actions + np.arange(self.n_actions)).ravel()
        rows = self.rows[row_order][:, new]
        return MDP(
            rows.reshape(self.shape) if isinstance(rows, np.ndarray) else rows,
            self.discount,
            self.available[new],
            None if self.state_names is None else tuple(self.state_names[i] for i in new),
            self.action_names,
            None if self.coordinates is None else self.coordinates[new],
        )

    def state_name(self, state: int) -> str:
        """Return the name of a state, or its number where states have no names."""
        return str(state) if self.state_names is None else self.state_names[state]

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Return the kernel as a directed multigraph: an edge (s, t) keyed by action, with its probability.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are states, with attributes ``name`` and, where known, ``pos``.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for state in range(self.n_states):
            graph.add_node(state, name=self.state_name(state))
            if self.coordinates is not None:
                graph.nodes[state]["pos"] = tuple(self.coordinates[state].tolist())
        entries = csr_array(self.rows).tocoo()
        states, actions = np.divmod(entries.row, self.n_actions)
        columns = (states.tolist(), actions.tolist(), entries.col.tolist(), entries.data.tolist())
        edges: Any = ((s, t, a, {"probability": p}) for s, a, t, p in zip(*columns, strict=True) if p > 0)
        graph.add_edges_from(edges)
        return graph

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write this world to a .npz or .json file, exactly; see `tabular_inversion.storage`."""
        arrays: dict[str, NDArray[Any]] = {"available": self.available}
        kernel = self.kernel
        if isinstance(kernel, np.ndarray):
            arrays["kernel"] = kernel
        else:
            arrays |= {"data": kernel.data, "indices": kernel.indices, "indptr": kernel.indptr}
        if self.coordinates is not None:
            arrays["coordinates"] = self.coordinates
        names = {"state_names": self.state_names, "action_names": self.action_names}
        storage.write(path, "mdp", arrays, {"discount": self.discount, "shape": self.shape} | names)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: float = storage.MAX_BYTES) -> MDP:
        """Read a world written by `save`, whose arrays take no more memory than `max_bytes`.

        Raises
        ------
        FileFormatError
            If the file is missing, damaged, or larger than allowed.
        FileAccessError
            If it cannot be read.
        """
        arrays, metadata = storage.read(path, "mdp", max_bytes=max_bytes)
        with storage.content_of(path):
            n_states, n_actions = arrays["available"].shape  # what the metadata says could be any number
            if list(metadata["shape"]) != [n_states, n_actions, n_states]:
                raise ValueError(f"shape {metadata['shape']}, and available {arrays['available'].shape}")
            kernel: Any = arrays.get("kernel")
            if kernel is None:
                parts = (arrays["data"], arrays["indices"], arrays["indptr"])
                kernel = csr_array(parts, shape=(n_states * n_actions, n_states))
            names = (metadata["state_names"], metadata["action_names"])
            return cls(kernel, metadata["discount"], arrays["available"], *names, coordinates=arrays.get("coordinates"))


def _read_kernel(kernel: Kernel | ArrayLike) -> tuple[Kernel, int, int]:
    if issparse(kernel):
        return _read_sparse(kernel)
    shape = shape_of("kernel", kernel, KernelError)
    if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0:
        raise ShapeError(
            f"kernel has shape {shape}; expected (S, A, S): write kernel.reshape({shape[1]}, "
            f"{shape[0] // shape[1]}, {shape[1]}) for rows (s, a) of number s*A + a."
        )
    array = finite_array("kernel", kernel, (None, None, None), "(S, A, S)", KernelError)
    if array.shape[0] != array.shape[2]:
        raise ShapeError(f"kernel has shape {array.shape}; expected (S, A, S) with the same S at both ends.")
    return array, array.shape[0], array.shape[1]


def _read_sparse(kernel: Any) -> tuple[SparseMatrix, int, int]:
    shape = kernel.shape
    if len(shape) != 2 or 0 in shape or shape[0] % shape[1]:
        raise ShapeError(f"kernel has shape {shape}; expected (S*A, S): rows a positive multiple of columns.")
    if np.issubdtype(kernel.dtype, np.complexfloating):
        raise KernelError("kernel holds complex numbers; give real ones.")
    refuse_masked("kernel", getattr(kernel, "data", None), KernelError)
    try:
        matrix: SparseMatrix = csr_array(kernel, dtype=np.float64, copy=True)
        matrix.check_format()
    except (TypeError, ValueError) as problem:
        raise KernelError(f"kernel has broken indices ({problem}); build the sparse matrix again.") from problem
    matrix.sum_duplicates()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.flags.writeable = False
    return matrix, shape[1], shape[0] // shape[1]


def _check_rows(kernel: Kernel, available: BoolArray) -> None:
    """Raise `KernelError` unless available rows are distributions and the others are zero: one check, both forms."""
    n_states, n_actions = available.shape
    rows: Any = kernel.reshape(-1, n_states) if isinstance(kernel, np.ndarray) else kernel

    def where(row: int) -> str:
        return f"state {row // n_actions}, action {row % n_actions}"

    entries = rows.data if issparse(kernel) else rows
    bad = ~np.isfinite(entries) | (entries < 0)
    if bad.any():
        if issparse(kernel):
            first = int(np.flatnonzero(bad)[0])
            row, column = int(np.searchsorted(rows.indptr, first, side="right")) - 1, int(rows.indices[first])
            value = entries[first]
        else:
            row, column = (int(i) for i in np.argwhere(bad)[0])
            value = rows[row, column]
        raise KernelError(
            f"kernel row of {where(row)} has {value} at next state {column}; probabilities lie in [0, 1]: correct it."
        )
    sums = np.asarray(rows.sum(axis=1)).ravel()
    positive = np.asarray((rows > 0).sum(axis=1)).ravel() if issparse(kernel) else np.count_nonzero(rows, axis=1)
    limits = row_sum_limit(positive)
    flat, beside = available.ravel(), np.abs(sums - 1.0)
    off = flat & (beside > limits)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        remedy = "correct it, or mark the action as unavailable"
        if beside[row] < _ROUNDED:
            remedy = f"if it was rounded, call normalised(kernel, within={2 * beside[row]:.0e})"
        raise KernelError(
            f"kernel row of {where(row)} sums to {float(sums[row])!r}; a distribution sums to 1 up to rounding, "
            f"{limits[row]:.1e} ({int(off.sum())} such rows): {remedy}."
        )
    filled = ~flat & (sums != 0)
    if filled.any():
        row = int(np.flatnonzero(filled)[0])
        raise KernelError(f"kernel row of {where(row)} is marked unavailable and sums to {sums[row]}; set it to 0.")
