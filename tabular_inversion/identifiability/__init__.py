"""Whether values determine the world: verdicts with proofs and witnesses."""

from tabular_inversion.identifiability.error_bounds import (
    ErrorBound,
    error_bound,
    perturbation_constant,
    separation_radius,
)
from tabular_inversion.identifiability.judgement import identify
from tabular_inversion.identifiability.verdict import Evidence, Scope, Status, Verdict, Witness, WitnessError
from tabular_inversion.identifiability.witnesses import check_forward

__all__ = [
    "ErrorBound",
    "Evidence",
    "Scope",
    "Status",
    "Verdict",
    "Witness",
    "WitnessError",
    "check_forward",
    "error_bound",
    "identify",
    "perturbation_constant",
    "separation_radius",
]
