"""Whether values determine the world: verdicts with proofs and witnesses."""

from tabular_inversion.errors import WitnessError
from tabular_inversion.identifiability.advantage_values import AdvantageValues
from tabular_inversion.identifiability.asked import Hint, Scope, ValuesQuestion
from tabular_inversion.identifiability.explanation import Explanation
from tabular_inversion.identifiability.judge import identify
from tabular_inversion.identifiability.noise_limits import limits_of_values as _limits_of_values  # noqa: F401 - registers itself
from tabular_inversion.identifiability.policies_alone import PoliciesVerdict, identify_from_policies, reshape_world
from tabular_inversion.identifiability.recheck import verify
from tabular_inversion.identifiability.verdict import Evidence, Status, Verdict
from tabular_inversion.identifiability.witness import Witness
from tabular_inversion.identifiability.witnesses import check_forward

__all__ = [
    "AdvantageValues",
    "Evidence",
    "Explanation",
    "Hint",
    "PoliciesVerdict",
    "Scope",
    "Status",
    "ValuesQuestion",
    "Verdict",
    "Witness",
    "WitnessError",
    "check_forward",
    "identify",
    "identify_from_policies",
    "reshape_world",
    "verify",
]
