"""The published experiments in exact, finite form, each a folder of figures, data and a report.

The modules `four_rooms`, `mountain_car` and `reacher` each have a function ``reproduce``, which
``tabular-inversion reproduce`` calls.
"""

from tabular_inversion.experiments.run_folder import Comparison, RunFolder

__all__ = ["Comparison", "RunFolder"]
