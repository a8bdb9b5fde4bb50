"""Whether a set of goals determines the world, decided before anyone trains: graphs, finite fields, exact numbers.

Importing `recheck` registers how verdicts of this room are decided again.
"""

from tabular_inversion.sufficiency.assessment.asking import assess
from tabular_inversion.sufficiency.assessment.assessment import Assessment
from tabular_inversion.sufficiency.assessment.comparison import Comparison, compare
from tabular_inversion.sufficiency.assessment.next_goal import NextGoal
from tabular_inversion.sufficiency.assessment.training import TrainingCheck
from tabular_inversion.sufficiency.assessment.why import Explanation
from tabular_inversion.sufficiency.by_draws.families import GoalFamily
from tabular_inversion.sufficiency.by_draws.generic import generic
from tabular_inversion.sufficiency.by_paths.linkages import Cut, Linkage, linkage
from tabular_inversion.sufficiency.by_paths.structural import structural
from tabular_inversion.sufficiency.concrete import concrete
from tabular_inversion.sufficiency.hautus import HautusVector
from tabular_inversion.sufficiency.order import GoalOrder, order_goals
from tabular_inversion.sufficiency.recheck import verify
from tabular_inversion.sufficiency.scenarios import kernel_radii
from tabular_inversion.sufficiency.several_discounts import DiscountsNeeded, discounts_needed
from tabular_inversion.sufficiency.smallest.asked import InsufficientGoalsError
from tabular_inversion.sufficiency.smallest.minimal import minimal
from tabular_inversion.sufficiency.smallest.result import MinimalGoals

__all__ = [
    "Assessment",
    "Comparison",
    "Cut",
    "DiscountsNeeded",
    "Explanation",
    "GoalFamily",
    "GoalOrder",
    "HautusVector",
    "InsufficientGoalsError",
    "Linkage",
    "MinimalGoals",
    "NextGoal",
    "TrainingCheck",
    "assess",
    "compare",
    "concrete",
    "discounts_needed",
    "generic",
    "kernel_radii",
    "linkage",
    "minimal",
    "order_goals",
    "structural",
    "verify",
]
