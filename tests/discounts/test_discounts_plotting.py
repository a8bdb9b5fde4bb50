"""The picture of the smallest singular value: its curve and the exact marks on it."""

import networkx as nx
import numpy as np
import pytest
from matplotlib.figure import Figure

from tabular_inversion import Stochastic
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.environments import graph
from tabular_inversion.errors import InputError
from tabular_inversion.plotting import plot_discounts

K33, K32 = (exceptional_discounts(graph(nx.complete_bipartite_graph(3, b))) for b in (3, 2))


def lines(axes, gid):
    return [line for line in axes.lines if line.get_gid() == gid]


def test_the_curve_reaches_zero_at_the_mark_and_only_there():
    axes = plot_discounts(K33, points=30)
    (curve,), (mark,) = lines(axes, "sigma_min"), lines(axes, "exceptional")
    discounts, values = curve.get_xdata(), curve.get_ydata()
    assert mark.get_xdata() == [0.5, 0.5]
    assert discounts[np.argmin(values)] == 0.5
    assert values.min() < 1e-15
    away = np.abs(discounts - 0.5) > 1e-3
    assert values[away & (discounts < 0.9)].min() > 1e-4
    np.testing.assert_allclose(values[0], 1.0)


def test_irrational_marks_and_classes_and_own_axes():
    axes = Figure().add_subplot()
    assert plot_discounts(K32, points=10, ax=axes) is axes
    assert [line.get_label() for line in lines(axes, "exceptional")] == ["0.7071"]
    assert lines(plot_discounts(K32, kernel_class=Stochastic(), points=10), "exceptional") == []


def test_too_few_points_are_refused():
    with pytest.raises(InputError, match="at least 2"):
        plot_discounts(K33, points=1)
