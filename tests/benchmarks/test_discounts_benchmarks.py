"""How fast exceptional discounts are found, beside what no way round avoids."""

from fractions import Fraction

import networkx as nx
import pytest
import sympy

from tabular_inversion import Goals
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.discounts.value_polynomials import metric_rows
from tabular_inversion.environments import four_rooms, graph
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.exact.polynomials.matrices import determinant

pytestmark = pytest.mark.benchmark


def test_all_graphs_on_6_nodes(race):
    """Aim: under 50 milliseconds a graph. The baseline is sympy's determinant and root isolation, on every tenth."""
    graphs = [g for g in nx.graph_atlas_g() if len(g) == 6 and nx.is_connected(g)]
    worlds = [graph(g) for g in graphs]
    x = sympy.symbols("x")

    def by_sympy():
        for g in graphs[::10]:
            steps = dict(nx.all_pairs_shortest_path_length(g))
            table = sympy.Matrix(6, 6, lambda i, j, steps=steps: x ** steps[i][j]).to_DM(domain=sympy.ZZ[x])
            polynomial = sympy.Poly(table.domain.to_sympy(table.det()), x)
            polynomial.intervals(inf=0, sup=1, eps=Fraction(1, 2**10))

    race(
        lambda: [exceptional_discounts(world) for world in worlds],
        by_sympy,
        per=(len(graphs), len(graphs[::10])),
        seconds_hoped_for=0.05,
    )


def test_four_rooms(race):
    """The baseline is the determinant alone."""
    world = four_rooms()
    rows = metric_rows(ExactMDP.from_float(world), ExactGoals.from_float(Goals.indicator(68)))
    assert rows is not None
    race(lambda: exceptional_discounts(world), lambda: determinant([row.numerators for row in rows]), rounds=3)
