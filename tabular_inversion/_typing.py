"""Type aliases that every room shares."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.intp]
SparseMatrix: TypeAlias = Any
"""A scipy.sparse.csr_array; scipy ships no types."""
Kernel: TypeAlias = Any
"""An ndarray (S, A, S) or (rows, S), or a csr_array (S*A, S) or (rows, S)."""
