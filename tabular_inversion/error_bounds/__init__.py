"""What noise in values does to a recovered kernel (T2b, T3d): bounds, constants, instances that attain them."""

from tabular_inversion.error_bounds.bounds import (
    ErrorBound,
    error_bound,
    perturbation_constant,
    separation_radius,
)

__all__ = ["ErrorBound", "error_bound", "perturbation_constant", "separation_radius"]
