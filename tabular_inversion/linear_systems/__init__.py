"""Linear systems (I - discount C_g P_g) x_g = b_g for all goals at once, behind one face."""

from tabular_inversion.linear_systems.choice import METHODS, Method
from tabular_inversion.linear_systems.closed_loops import ClosedLoops
from tabular_inversion.linear_systems.solver import LinearSolver
from tabular_inversion.linear_systems.systems import LinearSystems
from tabular_inversion.linear_systems.transitions import Transitions, suited_form

__all__ = ["METHODS", "ClosedLoops", "LinearSolver", "LinearSystems", "Method", "Transitions", "suited_form"]
