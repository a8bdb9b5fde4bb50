"""Direct solvers: LAPACK and sparse LU, one factorisation for all goals that share a chain, batches for the others."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from scipy.linalg import lu_solve
from scipy.linalg.lapack import dgetrf
from scipy.sparse import csc_array, diags_array, eye_array
from scipy.sparse.linalg import splu

from tabular_inversion._typing import FloatArray, Kernel
from tabular_inversion.kernel_rows import dense_rows, sparse_rows
from tabular_inversion.linear_systems.systems import LinearSystems

CHUNK_BYTES = 2**28
"""Batches of matrices are cut so that one takes about this much (256 MiB)."""

Factorisation: TypeAlias = Callable[[FloatArray], FloatArray]
"""From right-hand sides (k, S) to solutions (k, S), one for each row."""

_BYTES_PER_LU_ENTRY = 16
_ORDERING: Final = "COLAMD"


def factorise_dense(chain: Kernel, factors: FloatArray) -> Factorisation:
    """Factorise I - diag(factors) P by LAPACK."""
    matrix = -factors[:, None] * dense_rows(chain)
    matrix.ravel()[:: len(factors) + 1] += 1.0
    # LAPACK stores by columns: the transposed view is what it wants, and saves a copy of the matrix.
    # Not lu_factor, which only warns, in a way that no thread can catch, where a pivot is zero.
    factors_and_unit, pivots, first_zero = dgetrf(matrix.T, overwrite_a=True)
    if first_zero:
        raise np.linalg.LinAlgError(f"pivot {first_zero} is zero")

    def solve(right_hand_sides: FloatArray) -> FloatArray:
        solution: FloatArray = lu_solve(
            (factors_and_unit, pivots), right_hand_sides.copy().T, trans=1, overwrite_b=True, check_finite=False
        )
        return solution.T

    return solve


def factorise_sparse(chain: Kernel, factors: FloatArray) -> Factorisation:
    """Factorise I - diag(factors) P by SuperLU; P may hold many chains on its diagonal."""
    weighted = csc_array(diags_array(factors) @ sparse_rows(chain))
    decomposition = splu(csc_array(eye_array(chain.shape[0], format="csc") - weighted), permc_spec=_ORDERING)
    return lambda right_hand_sides: np.ascontiguousarray(decomposition.solve(right_hand_sides.T).T)


def solve_each_dense(systems: LinearSystems, right_hand_sides: FloatArray) -> FloatArray:
    """Solve the system of each goal by LAPACK, in batches of bounded memory."""
    solution = np.empty_like(right_hand_sides)
    diagonal = np.arange(systems.n_states)
    for goals in systems.chunks(CHUNK_BYTES / (8 * systems.n_states**2)):
        part = systems.select(goals)
        matrices = -part.factors[:, :, None] * part.loops.dense()
        matrices[:, diagonal, diagonal] += 1.0
        solution[goals] = np.linalg.solve(matrices, right_hand_sides[goals, :, None])[:, :, 0]
    return solution


def solve_each_sparse(systems: LinearSystems, right_hand_sides: FloatArray) -> FloatArray:
    """Solve the system of each goal by SuperLU, many goals on the diagonal of one matrix."""
    solution = np.empty_like(right_hand_sides)
    bytes_per_goal = _BYTES_PER_LU_ENTRY * systems.loops.transitions.lu_entries
    for goals in systems.chunks(CHUNK_BYTES / bytes_per_goal):
        part = systems.select(goals)
        solve = factorise_sparse(part.loops.block_diagonal(), part.factors.ravel())
        solution[goals] = solve(right_hand_sides[goals].reshape(1, -1)).reshape(part.factors.shape)
    return solution
