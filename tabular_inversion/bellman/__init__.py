"""Forward: from a world and goals to an agent's values, for all goals at once."""

from tabular_inversion.bellman.evaluation import bellman_residual, evaluate
from tabular_inversion.bellman.policy_iteration import solve, solve_soft

__all__ = ["bellman_residual", "evaluate", "solve", "solve_soft"]
