"""Discounts at which goals that suffice elsewhere do not: exact roots of determinants of values."""

from tabular_inversion.discounts.certified import (
    CertifiedDiscount,
    CertifiedDiscounts,
    certified_discounts,
)
from tabular_inversion.discounts.exceptional import ExceptionalDiscounts, exceptional_discounts
from tabular_inversion.discounts.negative_type import NegativeType, negative_type
from tabular_inversion.discounts.pairs import KernelPair, indistinguishable_kernels
from tabular_inversion.discounts.search import ExceptionalDiscount
from tabular_inversion.exact.polynomials.matrices import LongDeterminantError
from tabular_inversion.exact.polynomials.roots import AlgebraicNumber

__all__ = [
    "AlgebraicNumber",
    "CertifiedDiscount",
    "CertifiedDiscounts",
    "ExceptionalDiscount",
    "ExceptionalDiscounts",
    "KernelPair",
    "LongDeterminantError",
    "NegativeType",
    "certified_discounts",
    "exceptional_discounts",
    "indistinguishable_kernels",
    "negative_type",
]
