"""The same questions in rational and finite-field arithmetic: `fractions.Fraction` outside, python-flint inside."""

from tabular_inversion.exact.agent_values import ExactAgentValues
from tabular_inversion.exact.average_reward import AverageRewardValues, average_reward
from tabular_inversion.exact.bellman import bellman_residual, evaluate, modular_test_matrix, solve
from tabular_inversion.exact.linear_algebra import ExactRank, determinant, null_space, rank, solve_linear
from tabular_inversion.exact.linear_programs import (
    Feasibility,
    Recession,
    find_nonnegative_solution,
    find_recession_vector,
)
from tabular_inversion.exact.lumping import coarsest_lumpable, lump
from tabular_inversion.exact.model import ExactGoals, ExactMDP
from tabular_inversion.exact.modular import primes
from tabular_inversion.exact.rationals import as_fraction, fraction_array

__all__ = [
    "AverageRewardValues",
    "ExactAgentValues",
    "ExactGoals",
    "ExactMDP",
    "ExactRank",
    "Feasibility",
    "Recession",
    "as_fraction",
    "average_reward",
    "bellman_residual",
    "coarsest_lumpable",
    "determinant",
    "evaluate",
    "find_nonnegative_solution",
    "find_recession_vector",
    "fraction_array",
    "lump",
    "modular_test_matrix",
    "null_space",
    "primes",
    "rank",
    "solve",
    "solve_linear",
]
