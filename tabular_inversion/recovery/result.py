"""What every recovery method returns."""

from dataclasses import dataclass

from tabular_inversion._typing import FloatArray, Kernel


@dataclass(frozen=True, eq=False)
class Recovery:
    """Rows that explain the values as well as the class allows. Whether they are the only ones is `identify`'s part.

    Attributes
    ----------
    rows : numpy.ndarray or scipy.sparse.csr_array, shape (rows, S)
        One row for each available (s, a), in ascending order of s*A + a.
    residual : numpy.ndarray, shape (rows,)
        ``max_g |M p - q|`` of each row.
    rank : int
        Numerical rank of the system that was inverted: of M for the unconstrained class, of [M;1] for all others.
    condition : float
        Largest condition number (ratio of extreme nonzero singular values) among the systems solved.
    method : str
        How the rows were found.
    """

    rows: Kernel
    residual: FloatArray
    rank: int
    condition: float
    method: str
