"""Worlds to try things on, and the texts that name them."""

from tabular_inversion.environments.chains import chain, river_swim
from tabular_inversion.environments.continuous_grids import interpolated_mdp
from tabular_inversion.environments.continuous_systems import ContinuousSystem, Task
from tabular_inversion.environments.environment import Environment
from tabular_inversion.environments.graphs import graph, named_graph
from tabular_inversion.environments.hard_instances import exact_cover, set_cover
from tabular_inversion.environments.interpolation import Axis, Grid
from tabular_inversion.environments.mountain_car import MOUNTAIN_CAR, mountain_car
from tabular_inversion.environments.random_worlds import random_mdp
from tabular_inversion.environments.reacher import REACHER, reacher
from tabular_inversion.environments.rooms import four_rooms
from tabular_inversion.environments.specification import parse_environment, parse_goals

__all__ = [
    "MOUNTAIN_CAR",
    "REACHER",
    "Axis",
    "ContinuousSystem",
    "Environment",
    "Grid",
    "Task",
    "chain",
    "exact_cover",
    "four_rooms",
    "graph",
    "interpolated_mdp",
    "mountain_car",
    "named_graph",
    "parse_environment",
    "parse_goals",
    "random_mdp",
    "reacher",
    "river_swim",
    "set_cover",
]
