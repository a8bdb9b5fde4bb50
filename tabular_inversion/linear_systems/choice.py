"""Which linear solver: predicted seconds, from sizes and structure alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from tabular_inversion.errors import InputError
from tabular_inversion.linear_systems.systems import LinearSystems
from tabular_inversion.linear_systems.transitions import DENSE_BYTES
from tabular_inversion.validation import shortened

Way: TypeAlias = Literal["doubling", "dense", "sparse", "iterative"]
Method: TypeAlias = Literal["auto", "doubling", "dense", "sparse", "iterative"]

_DIRECT: tuple[Way, ...] = ("dense", "sparse")
METHODS: tuple[Method, ...] = ("auto", "doubling", "dense", "sparse", "iterative")

# Measured on one core of 2024. Only the ratios matter, and only to within a factor of two or so.
_DENSE_RATE = 3e10
"""Operations a second of large LAPACK calls; systems of 1000 states run at half of it, smaller ones slower still."""
_HALF_RATE_SIZE = 1000
_SPARSE_LU_RATE = 8e9
"""Operations of the envelope a second: SuperLU's own orderings leave most of them out."""
_SPARSE_LU_SECONDS = 3e-4
_SPARSE_LU_SECONDS_PER_STATE = 2e-6
_SPARSE_LU_SECONDS_PER_ENTRY = 5e-8
"""For each entry of the right-hand sides."""
_VECTOR_RATE = 2e9
_VECTOR_OPERATIONS = 20
"""Operations on each entry of a vector in one iteration of BiCGSTAB, apart from the two products."""
_ITERATION_SECONDS = 5e-5
_ADVANTAGE = 2.0
"""How much faster an iteration must be: at equal speed, a factorisation is more exact."""
_PATIENCE = 0.02
"""Seconds that a factorisation may take anyway, for the same reason."""
_NO_TIME = 0.01
"""Seconds that are not worth a closer look."""

_SPARSE_LU_BYTES = 2**29


def check_method(method: str) -> None:
    """Raise `InputError` unless `method` is one of `METHODS`."""
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"method is {shortened(method)}; expected one of {', '.join(METHODS)}.")


def direct_way(systems: LinearSystems) -> Way | None:
    """Return the faster of dense and sparse LU among those that fit into memory; None if neither does."""
    seconds = {way: predicted_seconds(systems, way) for way in _DIRECT}
    best = min(_DIRECT, key=seconds.__getitem__)
    return best if np.isfinite(seconds[best]) else None


def choose_way(systems: LinearSystems) -> Way:
    """Return the way that is predicted to take the least time.

    Deterministic chains are followed by doubling. Otherwise the choice is between dense LU, sparse LU (fast where
    the envelope after reordering is narrow, as on grids; ruinous on random patterns) and BiCGSTAB. At about equal
    speed, and where both take no time to speak of, a factorisation is preferred: it is more exact.
    """
    if systems.loops.is_deterministic:
        return "doubling"
    if predicted_seconds(systems, "dense") <= _NO_TIME:
        return "dense"
    if _iterative_seconds(systems, diameter=np.inf) <= _NO_TIME:  # without a look at the structure, which takes longer
        return "iterative"
    direct = direct_way(systems)
    if direct is None:
        return "iterative"
    limit = max(_PATIENCE, _ADVANTAGE * predicted_seconds(systems, "iterative"))
    return direct if predicted_seconds(systems, direct) <= limit else "iterative"


def predicted_seconds(systems: LinearSystems, way: Way) -> float:
    """Predict how long a way takes, roughly; infinite where it does not fit into memory."""
    transitions, n = systems.loops.transitions, systems.n_states
    matrices = 1 if systems.is_shared else systems.n_goals
    if way == "dense":
        if 8 * n**2 > DENSE_BYTES:
            return np.inf
        operations = matrices * 2 / 3 * n**3 + systems.n_goals * 2 * n**2
        return operations * (1 + _HALF_RATE_SIZE / n) / _DENSE_RATE
    if way == "sparse":
        if 16 * transitions.lu_entries > _SPARSE_LU_BYTES:
            return np.inf
        operations = matrices * transitions.lu_flops + systems.n_goals * 2 * transitions.lu_entries
        seconds = _SPARSE_LU_SECONDS + matrices * n * _SPARSE_LU_SECONDS_PER_STATE
        return seconds + systems.n_goals * n * _SPARSE_LU_SECONDS_PER_ENTRY + operations / _SPARSE_LU_RATE
    # Reverse Cuthill-McKee orders by distance, so n over the mean height of the envelope is about the diameter.
    return _iterative_seconds(systems, diameter=2 * n**2 / transitions.lu_entries)


def _iterative_seconds(systems: LinearSystems, *, diameter: float) -> float:
    """Predict BiCGSTAB: it needs more iterations where the discount is high and information travels far."""
    loops, n = systems.loops, systems.n_states
    left = 1.0 - float(systems.factors.max())
    iterations = 15 + 2 * min(diameter, 1.0 / np.sqrt(left) if left > 0 else np.inf)
    if loops.transitions.is_sparse:
        product = 2 * loops.entries_per_state * n / _VECTOR_RATE
    else:
        product = 2 * n**2 * (1 if systems.is_shared else loops.transitions.n_actions) / _DENSE_RATE
    return float(
        iterations * (systems.n_goals * (2 * product + _VECTOR_OPERATIONS * n / _VECTOR_RATE) + _ITERATION_SECONDS)
    )
