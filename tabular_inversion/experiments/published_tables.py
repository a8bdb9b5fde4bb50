"""What is published on MountainCar and Reacher: tables of the reference implementation, 10 seeds, neural agents.

Source: README of the reference implementation of Letcher et al., "Inverting the Bellman Equation: From Q-Values to
World Models", arXiv 2606.21173 (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedReturns:
    """Returns for one goal that no agent was trained on, each as (mean, spread).

    Attributes
    ----------
    optimal : tuple of float
        Of an optimal policy.
    from_model : tuple of float
        Of the policy that is optimal in the world model extracted from the agent.

    Examples
    --------
    >>> MOUNTAIN_CAR.unseen["fast"].optimal
    (0.436, 0.019)
    """

    optimal: tuple[float, float]
    from_model: tuple[float, float]


@dataclass(frozen=True)
class PublishedTable:
    """The published numbers of one environment.

    Attributes
    ----------
    q_nmse, model_nmse : float
        Normalised mean squared errors of the Q-values of the agent trained on position goals, and of the world model
        extracted from it.
    unseen : mapping from str to PublishedReturns
        By task, as `tabular_inversion.environments` names it.
    between : mapping from (str, str) to float
        Normalised mean squared errors between two world models, or one and the true world.

    Examples
    --------
    >>> MOUNTAIN_CAR.between["position", "velocity"]
    0.00017
    """

    q_nmse: float
    model_nmse: float
    unseen: Mapping[str, PublishedReturns]
    between: Mapping[tuple[str, str], float]


MOUNTAIN_CAR = PublishedTable(
    q_nmse=0.1,
    model_nmse=0.0067,
    unseen={
        "fast": PublishedReturns((0.436, 0.019), (0.357, 0.125)),
        "gentle": PublishedReturns((0.377, 0.028), (0.308, 0.132)),
        "shortest": PublishedReturns((0.625, 0.045), (0.591, 0.099)),
    },
    between={("position", "velocity"): 0.00017, ("position", "true"): 0.0072, ("velocity", "true"): 0.0073},
)
"""MountainCar: four position goals, or four velocity goals; discount 0.99; tables of 200 points for each coordinate."""

REACHER = PublishedTable(
    q_nmse=0.57,
    model_nmse=0.00012,
    unseen={
        "far": PublishedReturns((0.712, 0.077), (0.708, 0.083)),
        "angle": PublishedReturns((0.679, 0.072), (0.673, 0.081)),
        "velocity": PublishedReturns((0.652, 0.06), (0.647, 0.064)),
    },
    between={},
)
"""Reacher: four fingertip goals; discount 0.99; 100 steps; value iteration on 50 points for each coordinate."""
