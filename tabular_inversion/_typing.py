"""Type aliases that every room shares."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.signedinteger[Any]]
"""Numbers of things: of type intp where numpy makes them, int32 where a small sparse matrix holds them."""
SparseMatrix: TypeAlias = csr_array[np.float64, tuple[int, int]]
SparseMask: TypeAlias = csr_array[np.bool_, tuple[int, int]]
"""Where something is possible or wanted; False is not stored."""
Kernel: TypeAlias = FloatArray | SparseMatrix
"""An ndarray (S, A, S) or (rows, S), or a csr_array (S*A, S) or (rows, S)."""
