"""The same questions in rational and finite-field arithmetic: `fractions.Fraction` outside, python-flint inside."""

from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.exact.bellman import bellman_residual, evaluate, modular_test_matrix, solve
from tabular_inversion.exact.linear_algebra import ExactRank, determinant, null_space, rank, solve_linear
from tabular_inversion.exact.linear_programs import (
    Feasibility,
    Recession,
    find_nonnegative_solution,
    find_recession_vector,
)
from tabular_inversion.exact.model import ExactGoals, ExactMDP
from tabular_inversion.exact.modular import primes
from tabular_inversion.exact.rationals import as_fraction, fraction_array

__all__ = [
    "ExactAgentValues",
    "ExactGoals",
    "ExactMDP",
    "ExactRank",
    "Feasibility",
    "Recession",
    "as_fraction",
    "bellman_residual",
    "determinant",
    "evaluate",
    "find_nonnegative_solution",
    "find_recession_vector",
    "fraction_array",
    "modular_test_matrix",
    "null_space",
    "primes",
    "rank",
    "solve",
    "solve_linear",
]
