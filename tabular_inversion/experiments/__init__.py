"""The published experiments in exact, finite form, each a folder of figures, data and a report."""
