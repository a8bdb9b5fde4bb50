"""Why no number of discounts suffices: an eigenvector that no reward sees (Popov, Belevitch, Hautus), exactly (K1)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_poly, fmpz_poly
from numpy.typing import NDArray

from tabular_inversion import exact
from tabular_inversion.errors import WitnessError
from tabular_inversion.exact.rationals import FractionArray, matrix_to_flint
from tabular_inversion.kinds import checked
from tabular_inversion.records import Record


@checked
@dataclass(frozen=True, eq=False, repr=False)
class HautusVector(Record):
    """A vector v with ``v P = lambda v`` and ``R v = 0``: at this lambda ``[lambda I - P, R^T]`` has no full rank.

    Attributes
    ----------
    minimal_polynomial : tuple of int
        Coefficients, constant first, of the irreducible polynomial of lambda, which may be complex: each of its roots
        is such an eigenvalue.
    coefficients : numpy.ndarray of Fraction, shape (S, degree)
        The entries of v as polynomials in lambda, constant first.

    Examples
    --------
    >>> cycle = exact.fraction_array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    >>> found = hautus_vector(cycle, exact.fraction_array([[1, 1, 1]]))
    >>> found, found.eigenvalues.round(3).tolist()
    (<HautusVector: degree 2>, [(-0.5+0.866j), (-0.5-0.866j)])
    >>> found.verify(cycle, exact.fraction_array([[1, 1, 1]]))
    """

    minimal_polynomial: tuple[int, ...]
    coefficients: FractionArray

    def __repr__(self) -> str:
        return f"<HautusVector: degree {len(self.minimal_polynomial) - 1}>"

    @property
    def eigenvalues(self) -> NDArray[np.complex128]:
        """All lambda, as floats."""
        roots: NDArray[np.complex128] = np.roots(self.minimal_polynomial[::-1]).astype(complex)
        return roots

    def verify(self, chain: FractionArray, rewards: FractionArray) -> None:
        """Multiply out, in the field of lambda.

        Raises
        ------
        WitnessError
            Naming the field that does not hold.
        """
        polynomial = fmpz_poly(list(self.minimal_polynomial))
        degree = polynomial.degree()
        if degree < 1 or [m for _, m in polynomial.factor()[1]] != [1] or abs(polynomial.content()) != 1:
            raise WitnessError(f"minimal_polynomial: {list(self.minimal_polynomial)} is not irreducible.")
        if self.coefficients.shape != (len(chain), degree) or not self.coefficients.any():
            raise WitnessError(f"coefficients: expected shape {(len(chain), degree)}, not all zero.")
        if (rewards @ self.coefficients).any():
            raise WitnessError("coefficients: a reward sees the vector.")
        modulus, moved = fmpq_poly(polynomial), chain.T @ self.coefficients
        for entry, image in zip(self.coefficients, moved, strict=True):
            if (fmpq_poly([0, *map(_rational, entry)]) - fmpq_poly(list(map(_rational, image)))) % modulus:
                raise WitnessError("coefficients: the vector is no eigenvector.")


def hautus_vector(chain: FractionArray, rewards: FractionArray) -> HautusVector | None:
    """Return an eigenvector of P from the left that is orthogonal to all rewards, or None if there is none.

    Parameters
    ----------
    chain : numpy.ndarray of Fraction, shape (S, S)
        P.
    rewards : numpy.ndarray of Fraction, shape (G, S)
        R; with a row of ones below it where rows are known to sum to one.
    """
    rows = [rewards]
    for _ in range(len(chain) - 1):
        rows.append(rows[-1] @ chain.T)
    unseen = exact.null_space(np.concatenate(rows))
    if unseen.shape[1] == 0:
        return None
    # P^T maps what is unseen into itself: there it is this matrix.
    inner = exact.solve_linear(unseen, chain.T @ unseen)
    factor = min(matrix_to_flint(inner).charpoly().numer().factor()[1], key=lambda pair: pair[0].degree())[0]
    factor = factor if factor.leading_coefficient() > 0 else -factor
    coefficients = [int(c) for c in factor.coeffs()]
    # With w in the kernel of q(B), (q(x) - q(B)) / (x - B) w is an eigenvector at each root of q.
    start = exact.null_space(_at(coefficients, inner))[:, 0]
    powers = [start]
    for _ in coefficients[2:]:
        powers.append(inner @ powers[-1])
    degree = len(coefficients) - 1
    vector = np.full((len(start), degree), Fraction(0), dtype=object)
    for i in range(1, degree + 1):
        for j in range(i):
            vector[:, i - 1 - j] += coefficients[i] * powers[j]
    return HautusVector(tuple(coefficients), np.asarray(unseen @ vector))


def _at(coefficients: list[int], matrix: FractionArray) -> FractionArray:
    """Return a polynomial at a matrix (Horner)."""
    unit = exact.fraction_array(np.eye(len(matrix), dtype=int))
    result = 0 * unit
    for c in reversed(coefficients):
        result = result @ matrix + c * unit
    return result


def _rational(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)
