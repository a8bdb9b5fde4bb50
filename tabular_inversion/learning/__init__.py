"""Agents that learn from interaction alone, and P-learning as an algorithm rather than its limit."""

from tabular_inversion.learning.fitted import fitted_values
from tabular_inversion.learning.p_learning import PLearning, convergence_rate, p_learning
from tabular_inversion.learning.q_learning import LearningSettings, QLearner, learning_curve
from tabular_inversion.learning.seeds import SeedBatch
from tabular_inversion.learning.simulator import Simulator

__all__ = [
    "LearningSettings",
    "PLearning",
    "QLearner",
    "SeedBatch",
    "Simulator",
    "convergence_rate",
    "fitted_values",
    "learning_curve",
    "p_learning",
]
