"""The atlas: every small connected graph with its exceptional discounts, their nullities, and what proves them."""

from tabular_inversion.atlas.entries import AtlasDiscount, AtlasEntry, AtlasWitness, atlas_entry
from tabular_inversion.atlas.files import atlas_counts, read_atlas, write_atlas
from tabular_inversion.atlas.graphs import N_CONNECTED, check_complete, connected_graphs

__all__ = [
    "N_CONNECTED",
    "AtlasDiscount",
    "AtlasEntry",
    "AtlasWitness",
    "atlas_counts",
    "atlas_entry",
    "check_complete",
    "connected_graphs",
    "read_atlas",
    "write_atlas",
]
