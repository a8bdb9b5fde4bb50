"""What learned values determine, with stated probability: ensembles, bootstrap, intervals, training that is left."""

from tabular_inversion.ensembles.bootstrap import bootstrap
from tabular_inversion.ensembles.counts import sampling_noise
from tabular_inversion.ensembles.ensemble import Ensemble
from tabular_inversion.ensembles.estimate import EnsembleInversion, invert_ensemble
from tabular_inversion.ensembles.interval_sets import IntervalSets
from tabular_inversion.ensembles.training import TrainingNeeded, training_needed

__all__ = [
    "Ensemble",
    "EnsembleInversion",
    "IntervalSets",
    "TrainingNeeded",
    "bootstrap",
    "invert_ensemble",
    "sampling_noise",
    "training_needed",
]
