"""Do these Q-values determine the world, and can I prove it? The exact, finite theory of P-learning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabular_inversion.agent_values import AgentValues, SolverReport
    from tabular_inversion.bellman import bellman_residual, evaluate, solve, solve_soft
    from tabular_inversion.diagnosis import Diagnosis, diagnose
    from tabular_inversion.ensembles import Ensemble, EnsembleInversion, invert_ensemble, training_needed
    from tabular_inversion.equivalence import ValueEquivalence, value_equivalence
    from tabular_inversion.error_bounds import error_bound, separation_radius
    from tabular_inversion.errors import TabularInversionError
    from tabular_inversion.goals import Goals
    from tabular_inversion.identifiability import Evidence, Status, Verdict, Witness, identify
    from tabular_inversion.inversion import Inversion, invert
    from tabular_inversion.kernel_classes import (
        Deterministic,
        KernelClass,
        Sparse,
        Stochastic,
        Supported,
        Unconstrained,
    )
    from tabular_inversion.mdp import MDP
    from tabular_inversion.normalisation import Normalised, normalised
    from tabular_inversion.planning import plan, robust
    from tabular_inversion.sufficiency.by_draws.generic import generic as suffices_for_almost_all
    from tabular_inversion.sufficiency.by_paths.structural import structural as suffices_by_paths
    from tabular_inversion.sufficiency.concrete import concrete as suffices_in_world
    from tabular_inversion.sufficiency.smallest.minimal import minimal

__version__ = "0.1.0"

# A room is loaded when something of it is first asked for: importing the package, and a command's help, is quick.
_LATER = {
    "errors": ("TabularInversionError",),
    "mdp": ("MDP",),
    "normalisation": ("Normalised", "normalised"),
    "goals": ("Goals",),
    "kernel_classes": ("Deterministic", "KernelClass", "Sparse", "Stochastic", "Supported", "Unconstrained"),
    "agent_values": ("AgentValues", "SolverReport"),
    "bellman": ("bellman_residual", "evaluate", "solve", "solve_soft"),
    "identifiability": ("Evidence", "Status", "Verdict", "Witness", "identify"),
    "equivalence": ("ValueEquivalence", "value_equivalence"),
    "inversion": ("Inversion", "invert"),
    "diagnosis": ("Diagnosis", "diagnose"),
    "planning": ("plan", "robust"),
    "ensembles": ("Ensemble", "EnsembleInversion", "invert_ensemble", "training_needed"),
    "error_bounds": ("error_bound", "separation_radius"),
    "sufficiency": ("minimal",),
}
_ROOM_OF = {name: room for room, names in _LATER.items() for name in names}
# In their room these are called by how they decide; here by what they say.
_RENAMED = {
    "suffices_by_paths": ("sufficiency", "structural"),
    "suffices_for_almost_all": ("sufficiency", "generic"),
    "suffices_in_world": ("sufficiency", "concrete"),
}
_PLACES = {name: (room, name) for name, room in _ROOM_OF.items()} | _RENAMED

__all__ = [
    "MDP",
    "AgentValues",
    "Deterministic",
    "Diagnosis",
    "Ensemble",
    "EnsembleInversion",
    "Evidence",
    "Goals",
    "Inversion",
    "KernelClass",
    "Normalised",
    "SolverReport",
    "Sparse",
    "Status",
    "Stochastic",
    "Supported",
    "TabularInversionError",
    "Unconstrained",
    "ValueEquivalence",
    "Verdict",
    "Witness",
    "__version__",
    "bellman_residual",
    "diagnose",
    "error_bound",
    "evaluate",
    "identify",
    "invert",
    "invert_ensemble",
    "minimal",
    "normalised",
    "plan",
    "robust",
    "separation_radius",
    "solve",
    "solve_soft",
    "suffices_by_paths",
    "suffices_for_almost_all",
    "suffices_in_world",
    "training_needed",
    "value_equivalence",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        room, inside = _PLACES[name]
        return getattr(import_module(f"tabular_inversion.{room}"), inside)
    raise AttributeError(f"module 'tabular_inversion' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
