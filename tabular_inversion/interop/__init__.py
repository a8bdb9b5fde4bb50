"""In and out of the packages and formats that worlds come in: one file for each, both ways.

Each reader returns an `Environment`: the world, its names, and its own task as one native goal where it has one. Each
name says which layout is meant, so that no transposed array passes for a world.
"""

from tabular_inversion.interop.dictionaries import from_dict, to_dict
from tabular_inversion.interop.gymnasium_env import enumerate_environment, to_gymnasium
from tabular_inversion.interop.gymnasium_tables import from_gymnasium, to_gymnasium_table
from tabular_inversion.interop.mdpsolver_worlds import from_mdpsolver, to_mdpsolver
from tabular_inversion.interop.mdptoolbox_worlds import from_mdptoolbox, to_mdptoolbox
from tabular_inversion.interop.networkx_worlds import from_networkx
from tabular_inversion.interop.prism_files import PrismModel, read_prism, write_prism
from tabular_inversion.interop.quantecon_worlds import from_quantecon, to_quantecon
from tabular_inversion.interop.rational_kernels import exact_kernel
from tabular_inversion.interop.stormpy_models import from_stormpy, to_stormpy
from tabular_inversion.interop.transitions import from_dataframe, from_transitions, to_dataframe, to_transitions
from tabular_inversion.interop.umb_files import read_umb, read_umb_exactly, write_umb

__all__ = [
    "PrismModel",
    "enumerate_environment",
    "exact_kernel",
    "from_dataframe",
    "from_dict",
    "from_gymnasium",
    "from_mdpsolver",
    "from_mdptoolbox",
    "from_networkx",
    "from_quantecon",
    "from_stormpy",
    "from_transitions",
    "read_prism",
    "read_umb",
    "read_umb_exactly",
    "to_dataframe",
    "to_dict",
    "to_gymnasium",
    "to_gymnasium_table",
    "to_mdpsolver",
    "to_mdptoolbox",
    "to_quantecon",
    "to_stormpy",
    "to_transitions",
    "write_prism",
    "write_umb",
]
