"""Aggregated worlds: partitions of the states between whose blocks the world moves by itself (BQ)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import IntArray
from tabular_inversion.errors import KernelError, ShapeError
from tabular_inversion.exact.model import ExactMDP
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.kinds import checked


@checked
def lump(mdp: ExactMDP, blocks: ArrayLike) -> ExactMDP:
    """Return the world between the blocks of a lumpable partition.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    blocks : array_like of int, shape (S,)
        The number of each state's block, from 0 on without a gap.

    Returns
    -------
    ExactMDP
        With as many states as blocks, and the same actions and discount.

    Raises
    ------
    KernelError
        If two states of a block lead to a block with different probabilities by the same action, or have different
        actions: then the partition is not lumpable.
    ShapeError
        If there is not one number for each state, or a block has none.

    Notes
    -----
    Goals, continuation and policies that are constant on the blocks have the same values in both worlds. Source: BQ.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/4", "1/4"]], [[1, 0, 0]], [[1, 0, 0]]], "1/2")
    >>> lump(world, [0, 1, 1]).kernel.astype(str).tolist()
    [[['1/2', '1/2']], [['1', '0']]]
    """
    labels = _read(blocks, mdp.n_states)
    first = np.unique(labels, return_index=True)[1]
    rows = _block_rows(mdp, labels)
    different = (rows != rows[first][labels]).any(axis=(1, 2)) | (mdp.available != mdp.available[first][labels]).any(
        axis=1
    )
    if different.any():
        state = int(different.argmax())
        raise KernelError(
            f"states {first[labels[state]]} and {state} of block {labels[state]} lead to the blocks in different ways; "
            "ask `coarsest_lumpable` for a partition that is lumpable."
        )
    return ExactMDP(rows[first], mdp.discount, mdp.available[first])


@checked
def coarsest_lumpable(mdp: ExactMDP, blocks: ArrayLike) -> IntArray:
    """Return the coarsest lumpable partition that refines another.

    Parameters
    ----------
    mdp : ExactMDP
        The world.
    blocks : array_like of int, shape (S,)
        States that are to be told apart have different numbers: where rewards, continuation or policy differ.

    Returns
    -------
    numpy.ndarray of int, shape (S,)
        Numbers of blocks, from 0 on, in the order of their first states.

    Raises
    ------
    ShapeError
        If there is not one number for each state.

    Notes
    -----
    Blocks are split until all of their states lead to all blocks alike. Source: BQ.

    Examples
    --------
    >>> world = ExactMDP([[["1/2", "1/4", "1/4"]], [[1, 0, 0]], [[1, 0, 0]]], "1/2")
    >>> coarsest_lumpable(world, [0, 0, 0]), coarsest_lumpable(world, [0, 1, 1])
    (array([0, 0, 0]), array([0, 1, 1]))
    """
    labels = _read(np.unique(blocks, return_inverse=True)[1], mdp.n_states)
    while True:
        rows = _block_rows(mdp, labels)
        seen: dict[tuple[object, ...], int] = {}
        keys = [(labels[s], *mdp.available[s].tolist(), *rows[s].ravel().tolist()) for s in range(mdp.n_states)]
        finer = np.array([seen.setdefault(key, len(seen)) for key in keys])
        if finer.max() == labels.max():
            return finer
        labels = finer


def _read(blocks: ArrayLike, n_states: int) -> IntArray:
    labels = np.asarray(blocks)
    if labels.shape != (n_states,) or labels.dtype.kind not in "iu" or set(labels) != set(range(labels.max() + 1)):
        raise ShapeError(f"blocks are {labels.tolist()}; expected {n_states} numbers from 0 on, without a gap.")
    return labels


def _block_rows(mdp: ExactMDP, labels: IntArray) -> FractionArray:
    """Return the probabilities of the blocks, shape (S, A, blocks)."""
    members = (labels[:, None] == np.arange(labels.max() + 1)).astype(int).astype(object)
    return np.asarray(mdp.kernel @ members)
