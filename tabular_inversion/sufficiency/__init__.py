"""Whether a set of goals determines the world, decided before anyone trains: graphs, finite fields, exact numbers.

Importing `recheck` registers how verdicts of this room are decided again.
"""

from tabular_inversion.sufficiency.by_draws.generic import generic
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage, linkage
from tabular_inversion.sufficiency.by_paths.structural import structural
from tabular_inversion.sufficiency.concrete import concrete
from tabular_inversion.sufficiency.order import GoalOrder, order_goals
from tabular_inversion.sufficiency.recheck import verify
from tabular_inversion.sufficiency.smallest.minimal import minimal
from tabular_inversion.sufficiency.smallest.result import InsufficientGoalsError, MinimalGoals

__all__ = [
    "Cut",
    "GoalOrder",
    "InsufficientGoalsError",
    "Linkage",
    "MinimalGoals",
    "concrete",
    "generic",
    "linkage",
    "minimal",
    "order_goals",
    "structural",
    "verify",
]
