"""Do these Q-values determine the world, and can I prove it? The exact, finite theory of P-learning."""

from tabular_inversion.agent_values import AgentValues, SolverReport
from tabular_inversion.errors import TabularInversionError
from tabular_inversion.goals import Goals
from tabular_inversion.kernel_classes import (
    Deterministic,
    KernelClass,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
)
from tabular_inversion.mdp import MDP

__version__ = "0.1.0"

__all__ = [
    "MDP",
    "AgentValues",
    "Deterministic",
    "Goals",
    "KernelClass",
    "SolverReport",
    "Sparse",
    "Stochastic",
    "Supported",
    "TabularInversionError",
    "Unconstrained",
    "__version__",
]
