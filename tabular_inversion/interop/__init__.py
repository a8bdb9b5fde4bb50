"""Other packages' environments: gymnasium's transition tables, and exact fractions of what they store as floats."""

from tabular_inversion.interop.gymnasium_tables import from_gymnasium, to_gymnasium_table
from tabular_inversion.interop.rational_kernels import exact_kernel

__all__ = ["exact_kernel", "from_gymnasium", "to_gymnasium_table"]
