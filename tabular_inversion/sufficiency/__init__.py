"""Whether a set of goals determines the world, decided before anyone trains: graphs, finite fields, exact numbers."""

from tabular_inversion.sufficiency.concrete import concrete
from tabular_inversion.sufficiency.design import GoalOrder, order_goals
from tabular_inversion.sufficiency.discounts import (
    AlgebraicNumber,
    CertifiedDiscount,
    CertifiedDiscounts,
    ExceptionalDiscount,
    ExceptionalDiscounts,
    KernelPair,
    LongDeterminantError,
    certified_discounts,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.sufficiency.generic import generic
from tabular_inversion.sufficiency.linkages import Cut, Linkage, linkage
from tabular_inversion.sufficiency.minimal import InsufficientGoalsError, MinimalGoals, minimal
from tabular_inversion.sufficiency.structural import structural

__all__ = [
    "AlgebraicNumber",
    "CertifiedDiscount",
    "CertifiedDiscounts",
    "Cut",
    "ExceptionalDiscount",
    "ExceptionalDiscounts",
    "GoalOrder",
    "InsufficientGoalsError",
    "KernelPair",
    "Linkage",
    "LongDeterminantError",
    "MinimalGoals",
    "certified_discounts",
    "concrete",
    "exceptional_discounts",
    "generic",
    "indistinguishable_kernels",
    "linkage",
    "minimal",
    "order_goals",
    "structural",
]
