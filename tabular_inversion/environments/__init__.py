"""Worlds to try things on, and the texts that name them."""

from tabular_inversion.environments.chains import chain, river_swim
from tabular_inversion.environments.environment import Environment
from tabular_inversion.environments.graphs import graph, named_graph
from tabular_inversion.environments.random_worlds import random_mdp
from tabular_inversion.environments.rooms import four_rooms
from tabular_inversion.environments.specification import parse_environment, parse_goals

__all__ = [
    "Environment",
    "chain",
    "four_rooms",
    "graph",
    "named_graph",
    "parse_environment",
    "parse_goals",
    "random_mdp",
    "river_swim",
]
