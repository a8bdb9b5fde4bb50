"""Value iteration at the speed of memory: compiled sweeps over a sparse kernel, all goals of a block at once.

A sweep reads the kernel once for up to 16 goals, which lie side by side in memory. States are taken in their order and
back again, each with the newest values of the others (Gauss-Seidel) and with its own self-loops solved. On a grid,
values then travel the whole way in one sweep, and tens of sweeps suffice where the discount alone would ask for
thousands. Where rows lead anywhere, nothing is gained over Newton's method, which is left to do it.

No bound on values is read off here: whoever takes the result proves one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.bellman.problem import Problem
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.parallel import run_pieces, usable_cores

_TINY = float(np.finfo(np.float64).tiny)
_BLOCK = 16
"""Goals that share one reading of the kernel."""
_LEAST_STATES = 20_000
"""Below, Newton's method is as fast, and compiling would take longer than either."""
_SAMPLE = 2**16
_LOCAL = 0.125
"""Rows lead not further than this part of all states on average, in the order in which states are numbered."""
_MOST_SWEEPS = 1000
_TRIAL = 40
"""Sweeps after which the speed is measured, again and again."""
_WORTH = 200
"""More sweeps to come than that are left to Newton's method: it starts from what was found."""


def can_sweep(part: Problem) -> bool:
    """Tell whether sweeps are the way to solve: a large sparse world, local in the order of its states, and numba."""
    world: Any = part.world
    large = world.is_sparse and world.n_states >= _LEAST_STATES
    if not large or world.discount == 1.0 or find_spec("numba") is None:
        return False
    rows = world.rows
    sample = np.linspace(0, rows.nnz - 1, min(rows.nnz, _SAMPLE), dtype=np.int64)
    at = (np.searchsorted(rows.indptr, sample, side="right") - 1) // world.n_actions
    return bool(np.abs(rows.indices[sample] - at).mean() <= _LOCAL * world.n_states)


def swept(part: Problem, target: float, progress: Callable[[int, int], None] | None = None) -> FloatArray:
    """Return M of optimal agents, shape (G, S), near enough for Newton's method to end at once, or as far as it pays.

    Parameters
    ----------
    part : Problem
        The goals, in a sparse world.
    target : float
        The largest change of an entry at which to stop, relative to each goal's largest.
    progress : callable, optional
        ``progress(done, total)`` in goals, every second.
    """
    n_goals = len(part.rewards)
    width = min(_BLOCK, -(-n_goals // usable_cores()))
    blocks = [slice(start, min(start + width, n_goals)) for start in range(0, n_goals, width)]
    with ThreadPoolExecutor(min(usable_cores(), len(blocks))) as threads:  # compiled code runs beside other threads
        found = run_pieces(
            _swept_block, (part, target), blocks, threads, progress, [block.stop - block.start for block in blocks]
        )
    return np.concatenate(found)


def _swept_block(shared: tuple[Problem, float], goals: slice) -> FloatArray:
    part, target = shared[0].select(goals), shared[1]
    rows: Any = part.world.rows
    extra = part.action_rewards
    rho = np.zeros((0, 0, 0)) if extra is None else np.ascontiguousarray(np.moveaxis(extra, 0, -1))
    fixed = (rows.indptr, rows.indices, rows.data, part.world.available, rho)
    rewards, factors = (np.ascontiguousarray(each.T) for each in (part.rewards, part.factors))
    m, changed = rewards.copy(), np.empty(len(part.rewards))
    before = np.inf
    for count in range(1, _MOST_SWEEPS + 1):
        _kernel()(*fixed, rewards, factors, m, count % 2 == 1, changed)
        left = float((changed / np.maximum(target * largest(m.T), _TINY)).max())
        if left <= 1.0:
            break
        if count % _TRIAL == 0:
            gained = np.log(before / left) if before < np.inf else np.inf
            if np.log(left) * _TRIAL > _WORTH * gained:
                break
            before = left
    return np.ascontiguousarray(m.T)


@cache
def _kernel() -> Any:
    """Compile the sweep; what was compiled is kept on disk for later runs."""
    from numba import njit

    return njit(cache=True, nogil=True)(_gauss_seidel)


def _gauss_seidel(indptr, indices, data, available, rho, rewards, factors, m, forward, changed):  # type: ignore[no-untyped-def]
    n_states, n_goals = m.shape
    n_actions = available.shape[1]
    changed[:] = 0.0
    total, best, stay = np.empty(n_goals), np.empty(n_goals), 0.0
    for place in range(n_states):
        state = place if forward else n_states - 1 - place
        best[:] = -np.inf
        for action in range(n_actions):
            if not available[state, action]:
                continue
            row, stay = state * n_actions + action, 0.0
            if rho.shape[0]:
                total[:] = rho[state, action]
            else:
                total[:] = 0.0
            for entry in range(indptr[row], indptr[row + 1]):
                weight, other = data[entry], indices[entry]
                if other == state:
                    stay += weight
                else:
                    for goal in range(n_goals):
                        total[goal] += weight * m[other, goal]
            if stay == 0.0:
                for goal in range(n_goals):
                    best[goal] = max(best[goal], rewards[state, goal] + factors[state, goal] * total[goal])
            else:
                # x = r + f (total + stay x), by staying until something else happens.
                for goal in range(n_goals):
                    factor = factors[state, goal]
                    value = (rewards[state, goal] + factor * total[goal]) / (1.0 - factor * stay)
                    best[goal] = max(best[goal], value)
        for goal in range(n_goals):
            changed[goal] = max(changed[goal], abs(best[goal] - m[state, goal]))
            m[state, goal] = best[goal]
