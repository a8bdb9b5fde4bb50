"""Pictures, drawn where the states lie. Needs matplotlib, the extra `plot`.

States are drawn as unit cells: the first coordinate goes down and the second to the right, as rows and columns of a
grid do. Nothing here touches pyplot: each function draws on the axes it is given, or on a figure of its own.
"""

from tabular_inversion.plotting.discounts import plot_discounts
from tabular_inversion.plotting.goal_sets import plot_comparison, plot_goals
from tabular_inversion.plotting.kernels import LEAST_DRAWN, plot_error, plot_kernel, plot_recovery, plot_values
from tabular_inversion.plotting.witnesses import plot_witness

__all__ = [
    "LEAST_DRAWN",
    "plot_comparison",
    "plot_discounts",
    "plot_error",
    "plot_goals",
    "plot_kernel",
    "plot_recovery",
    "plot_values",
    "plot_witness",
]
