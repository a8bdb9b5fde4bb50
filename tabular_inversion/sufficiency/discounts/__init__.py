"""Discounts at which goals that suffice elsewhere do not: exact roots of determinants of values."""

from tabular_inversion.sufficiency.discounts.exceptional import ExceptionalDiscounts, exceptional_discounts
from tabular_inversion.sufficiency.discounts.pairs import KernelPair, indistinguishable_kernels
from tabular_inversion.sufficiency.discounts.roots import AlgebraicNumber
from tabular_inversion.sufficiency.discounts.search import ExceptionalDiscount

__all__ = [
    "AlgebraicNumber",
    "ExceptionalDiscount",
    "ExceptionalDiscounts",
    "KernelPair",
    "exceptional_discounts",
    "indistinguishable_kernels",
]
