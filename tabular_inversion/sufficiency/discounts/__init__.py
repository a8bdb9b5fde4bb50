"""Discounts at which goals that suffice elsewhere do not: exact roots of determinants of values."""

from tabular_inversion.sufficiency.discounts.certified import (
    CertifiedDiscount,
    CertifiedDiscounts,
    certified_discounts,
)
from tabular_inversion.sufficiency.discounts.exceptional import ExceptionalDiscounts, exceptional_discounts
from tabular_inversion.sufficiency.discounts.pairs import KernelPair, indistinguishable_kernels
from tabular_inversion.sufficiency.discounts.polynomial_matrices import LongDeterminantError
from tabular_inversion.sufficiency.discounts.roots import AlgebraicNumber
from tabular_inversion.sufficiency.discounts.search import ExceptionalDiscount

__all__ = [
    "AlgebraicNumber",
    "CertifiedDiscount",
    "CertifiedDiscounts",
    "ExceptionalDiscount",
    "ExceptionalDiscounts",
    "KernelPair",
    "LongDeterminantError",
    "certified_discounts",
    "exceptional_discounts",
    "indistinguishable_kernels",
]
