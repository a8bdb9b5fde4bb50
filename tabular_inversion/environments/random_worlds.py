"""Random worlds, dense, sparse or deterministic, that repeat exactly for a seed."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from tabular_inversion._typing import IntArray
from tabular_inversion.environments._checks import check_count, random_generator
from tabular_inversion.errors import InputError
from tabular_inversion.kinds import checked
from tabular_inversion.mdp import MDP

_MOST_DENSE_ENTRIES = 2**28
"""2 GiB of float64; beyond that, a dense kernel is refused before it is allocated."""
_MOST_SPARSE_ENTRIES = 2**26
"""Drawing them takes a few GiB."""


@checked
def random_mdp(
    n_states: int,
    n_actions: int,
    *,
    branching: int | None = None,
    discount: float = 0.95,
    seed: int | np.random.Generator,
) -> MDP:
    """Draw a world: each row reaches `branching` different states, with probabilities uniform on their simplex.

    Parameters
    ----------
    n_states, n_actions : int
        n and m, at least 1.
    branching : int, optional
        How many successors each row has, from 1 (a deterministic world) to n, drawn uniformly without repetition.
        When omitted, every state is a successor and the kernel is dense.
    discount : float
        In [0, 1].
    seed : int or numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    MDP
        Dense without `branching`, else sparse.

    Raises
    ------
    InputError
        If a size or the seed is out of range, or the kernel would take more than a few GiB.

    Examples
    --------
    >>> random_mdp(4, 2, seed=0)
    MDP(n_states=4, n_actions=2, discount=0.95, dense)
    >>> random_mdp(1000, 2, branching=3, seed=0).n_successors.max()
    np.int64(3)
    """
    n = check_count("n_states", n_states, least=1)
    m = check_count("n_actions", n_actions, least=1)
    rng = random_generator(seed)
    if branching is None:
        if n * m * n > _MOST_DENSE_ENTRIES:
            raise InputError(f"a dense kernel of {n} x {m} x {n} numbers takes more than 2 GiB; give branching=b.")
        weights = rng.standard_exponential((n, m, n))
        return MDP(weights / weights.sum(axis=2, keepdims=True), discount)
    b = check_count("branching", branching, least=1)
    if b > n:
        raise InputError(f"branching is {b}; a row has at most n_states = {n} successors.")
    if n * m * b > _MOST_SPARSE_ENTRIES:
        raise InputError(f"{n} x {m} rows of {b} successors have over {_MOST_SPARSE_ENTRIES} entries; choose fewer.")
    successors = _distinct(rng, n * m, n, b)
    weights = rng.standard_exponential((n * m, b))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    indptr = np.arange(0, n * m * b + 1, b)
    return MDP(csr_array((probabilities.ravel(), successors.ravel(), indptr), shape=(n * m, n)), discount)


def _distinct(rng: np.random.Generator, n_rows: int, n: int, b: int) -> IntArray:
    """Draw, for each row, b different numbers below n: Floyd's algorithm, all rows at a time."""
    chosen = np.empty((n_rows, b), dtype=np.intp)
    for i, largest in enumerate(range(n - b, n)):
        drawn = rng.integers(0, largest, size=n_rows, endpoint=True)
        repeated = (chosen[:, :i] == drawn[:, None]).any(axis=1)
        chosen[:, i] = np.where(repeated, largest, drawn)
    return chosen
