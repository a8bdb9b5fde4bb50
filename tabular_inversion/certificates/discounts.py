"""Certificates of exceptional discounts: M and a null vector in the field of a root (X1, X2)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq_poly

from tabular_inversion import exact
from tabular_inversion.certificates.numbers import texts
from tabular_inversion.discounts.exceptional import ExceptionalDiscounts
from tabular_inversion.discounts.policy_pieces import between
from tabular_inversion.discounts.search import ExceptionalDiscount, with_ones
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactMDP
from tabular_inversion.exact.polynomials.matrices import null_vector
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.policies import deterministic

_WIDTH = Fraction(1, 2**256)
"""So narrow is the interval of the root that the checker sees which actions are best without halving it."""


def discount_certificates(found: ExceptionalDiscounts) -> list[dict[str, Any]]:
    """Return a certificate for each discount at which columns are dependent.

    Raises
    ------
    InputError
        If there is none: that there is no exceptional discount has no short certificate here.
    """
    chosen = [one for one in found.discounts if one.rank < found.n_states]
    if not chosen:
        raise InputError("no discount makes columns dependent, and that there is none has no certificate.")
    return [_certificate(found, one) for one in chosen]


def _certificate(found: ExceptionalDiscounts, one: ExceptionalDiscount) -> dict[str, Any]:
    number, matrix = one.discount.refine(_WIDTH), found.matrix(one.discount)
    ones = one.rank_with_ones < found.n_states
    vector = null_vector(with_ones(matrix) if ones else matrix, number)
    modulus = fmpq_poly(number.polynomial)
    piece = next(piece for piece in found.pieces if number < piece.upper)
    functions = []
    for row in piece.rows:
        unit, inverse, _ = fmpq_poly(row.denominator).xgcd(modulus)
        functions.append([(fmpq_poly(p) * inverse / unit[0]) % modulus for p in row.numerators])
    world, extra = found.mdp, found.goals.action_rewards
    return {
        "format": "tabular-inversion certificate",
        "version": 1,
        "claim": "exceptional discount",
        "polynomial": [str(x) for x in number.minimal_polynomial],
        "interval": [str(number.lower), str(number.upper)],
        "world": {
            "kernel": texts(world.kernel),
            "available": world.available.tolist(),
            "rewards": texts(found.goals.rewards),
            "continuation": texts(found.goals.continuation),
            "action_rewards": None if extra is None else texts(extra),
        },
        "optimal": found.policy is None,
        "policy": texts(_policy(found, between(piece.lower, piece.upper)) if found.policy is None else found.policy),
        "test_functions": [[_coefficients(p) for p in row] for row in functions],
        "vector": [_coefficients(p) for p in vector or []],
        "with_ones": ones,
    }


def _policy(found: ExceptionalDiscounts, sample: Fraction) -> FractionArray:
    """Return optimal actions (G, S, A) on the piece around a rational discount."""
    world = ExactMDP(found.mdp.kernel, sample, found.mdp.available)
    q = exact.solve(world, found.goals).q
    lowest = min(x for x in q.ravel().tolist() if x is not None) - 1
    best = np.where(world.available, q, lowest).argmax(axis=2)
    return exact.fraction_array(deterministic(best, world.available).astype(int))


def _coefficients(polynomial: fmpq_poly) -> list[str]:
    return [str(x) for x in polynomial.coeffs()]
