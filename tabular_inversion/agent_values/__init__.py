"""What an agent shows: Q-values, the way it values states, goals, discounts and noise. Never the kernel."""

from tabular_inversion.agent_values.operators import state_values
from tabular_inversion.agent_values.report import SolverReport
from tabular_inversion.agent_values.values import AgentValues, Operator

__all__ = ["AgentValues", "Operator", "SolverReport", "state_values"]
