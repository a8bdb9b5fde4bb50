"""Why no kernel explains some values: what is known to go wrong, tried and ranked."""

from tabular_inversion.diagnosis.ranking import diagnose
from tabular_inversion.diagnosis.report import Diagnosis, Explanation

__all__ = ["Diagnosis", "Explanation", "diagnose"]
