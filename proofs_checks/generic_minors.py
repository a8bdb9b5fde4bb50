"""Minors of M as polynomials in the rewards, in all worlds of a fixed size at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_checks.polynomials import SymbolArray, adjugate, determinant, identity, symbol_arrays


def general_agent(n_goals: int, n_states: int) -> tuple[SymbolArray, SymbolArray]:
    """Return rewards R and the matrices I - discount D_g P_g of L1, one for each goal, all entries symbols.

    Each goal has a policy of its own, hence a kernel of its own, and a continuation of its own. That probabilities sum
    to one is not used.

    Examples
    --------
    >>> rewards, resolvents = general_agent(1, 2)
    >>> rewards[0, 1], resolvents[0, 0].tolist()
    (R_1, [-discount_0*C_0*P_0 + 1, -discount_0*C_0*P_1])
    """
    made = symbol_arrays(discount=(), R=(n_goals, n_states), C=(n_goals, n_states), P=(n_goals, n_states, n_states))
    weights = made["C"][:, :, None] * made["P"] * made["discount"]
    return made["R"], identity(n_states) - weights


def scaled_test_matrix(rewards: SymbolArray, resolvents: SymbolArray) -> SymbolArray:
    """Return M with row g times det(I - discount D_g P_g), a matrix of polynomials (L1).

    Examples
    --------
    >>> scaled_test_matrix(*general_agent(1, 1)).tolist()
    [[R_0]]
    """
    rows = [adjugate(matrix) @ row for matrix, row in zip(resolvents, rewards, strict=True)]
    return np.array(rows, dtype=object)


def check_minor(n_states: int, columns: list[int], *, ones: bool) -> tuple[bool, str]:
    """Check that a minor of M or of [M;1], as a polynomial in the rewards, is not zero in any world.

    Parameters
    ----------
    n_states : int
        n.
    columns : list of int
        The columns of the minor. It has as many goals as columns, or one fewer and a row of ones.
    ones : bool
        Whether there is the row of ones.

    Returns
    -------
    holds : bool
        Whether the polynomial is not zero, has degree one in the rewards of each goal, and at the rewards
        ``r_g = (I - discount D_g P_g) e_g`` takes the value ``prod_g det(I - discount D_g P_g)``, which is positive in
        every world.
    text : str
        The number of its terms.

    Examples
    --------
    >>> check_minor(2, [0, 1], ones=False)
    (True, '18 terms')
    """
    used = columns[: len(columns) - ones]
    rewards, resolvents = general_agent(len(used), n_states)
    special = np.array([matrix[:, state] for matrix, state in zip(resolvents, used, strict=True)], dtype=object)

    def minor(table: SymbolArray) -> Any:
        rows = scaled_test_matrix(table, resolvents)[:, columns]
        return determinant(np.concatenate([rows, np.ones((int(ones), len(columns)), dtype=object)]))

    polynomial, expected = minor(rewards), 1
    for matrix in resolvents:
        expected = determinant(matrix) * expected
    places = {row: [generator.ring.gens.index(generator) for generator in rewards[row]] for row in range(len(used))}
    linear = all(sum(powers[i] for i in own) == 1 for powers in polynomial for own in places.values())
    return bool(polynomial) and linear and minor(special) == expected, f"{len(polynomial)} terms"
