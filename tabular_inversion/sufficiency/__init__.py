"""Whether a set of goals determines the world, decided before anyone trains: graphs, finite fields, exact numbers."""

from tabular_inversion.sufficiency.concrete import concrete
from tabular_inversion.sufficiency.design import GoalOrder, order_goals
from tabular_inversion.sufficiency.discounts import (
    AlgebraicNumber,
    ExceptionalDiscount,
    ExceptionalDiscounts,
    KernelPair,
    exceptional_discounts,
    indistinguishable_kernels,
)
from tabular_inversion.sufficiency.generic import generic
from tabular_inversion.sufficiency.linkages import Cut, Linkage, linkage
from tabular_inversion.sufficiency.minimal import InsufficientGoalsError, MinimalGoals, minimal
from tabular_inversion.sufficiency.structural import structural

__all__ = [
    "AlgebraicNumber",
    "Cut",
    "ExceptionalDiscount",
    "ExceptionalDiscounts",
    "GoalOrder",
    "InsufficientGoalsError",
    "KernelPair",
    "Linkage",
    "MinimalGoals",
    "concrete",
    "exceptional_discounts",
    "generic",
    "indistinguishable_kernels",
    "linkage",
    "minimal",
    "order_goals",
    "structural",
]
