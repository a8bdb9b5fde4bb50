"""Whether a set of goals determines the world, decided before anyone trains: graphs, finite fields, exact numbers.

Importing `recheck` registers how verdicts of this room are decided again.
"""

from tabular_inversion.sufficiency.by_draws.generic import generic
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage, linkage
from tabular_inversion.sufficiency.by_paths.structural import structural
from tabular_inversion.sufficiency.concrete import concrete
from tabular_inversion.sufficiency.order import GoalOrder, order_goals
from tabular_inversion.sufficiency.recheck import verify
from tabular_inversion.sufficiency.several_discounts import DiscountsNeeded, discounts_needed
from tabular_inversion.sufficiency.smallest.minimal import InsufficientGoalsError, MinimalGoals, minimal

__all__ = [
    "Cut",
    "DiscountsNeeded",
    "GoalOrder",
    "InsufficientGoalsError",
    "Linkage",
    "MinimalGoals",
    "concrete",
    "discounts_needed",
    "generic",
    "linkage",
    "minimal",
    "order_goals",
    "structural",
    "verify",
]
