"""Whether values determine the world: verdicts with proofs and witnesses."""

from tabular_inversion.identifiability.identify import identify
from tabular_inversion.identifiability.verdict import Evidence, Scope, Status, Verdict, Witness, WitnessError
from tabular_inversion.identifiability.witnesses import check_forward

__all__ = [
    "Evidence",
    "Scope",
    "Status",
    "Verdict",
    "Witness",
    "WitnessError",
    "check_forward",
    "identify",
]
