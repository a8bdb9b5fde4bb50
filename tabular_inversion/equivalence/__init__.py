"""All kernels that give an agent its values: what is known of a world that is not identified (S2, S3)."""

from tabular_inversion.equivalence.factory import value_equivalence
from tabular_inversion.equivalence.interface import Interval, ValueEquivalence
from tabular_inversion.interval_mdp import IntervalMDP

__all__ = ["Interval", "IntervalMDP", "ValueEquivalence", "value_equivalence"]
