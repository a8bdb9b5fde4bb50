"""`invert`: from an agent's values to a kernel, with a verdict on whether it is the only one."""

from tabular_inversion.inversion.inverting import invert
from tabular_inversion.inversion.result import Inversion

__all__ = ["Inversion", "invert"]
