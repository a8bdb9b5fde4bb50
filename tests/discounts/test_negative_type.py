"""Negative type: exact inertia against eigenvalues, certificates that are not forged, and what `search` skips."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from tabular_inversion import MDP, exact
from tabular_inversion.discounts import exceptional_discounts, negative_type, search
from tabular_inversion.environments import graph
from tabular_inversion.errors import InputError, KernelError, ShapeError, WitnessError
from tabular_inversion.exact.polynomials.roots import isolate

K32 = graph(nx.complete_bipartite_graph(3, 2))


def drawn(rng):
    """Whole distances of any kind, or those of a graph with several blocks."""
    n = int(rng.integers(1, 9))
    if rng.random() < 0.5:
        upper = np.triu(rng.integers(1, 5, (n, n)), 1)
        return upper + upper.T
    tree = nx.random_labeled_tree(max(n, 2), seed=int(rng.integers(2**31)))
    tree.add_edges_from((a, b) for a, b in rng.integers(0, max(n, 2), (3, 2)).tolist() if a != b)
    return nx.floyd_warshall_numpy(tree).astype(int)


def test_the_inertia_is_that_of_the_eigenvalues():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        distances = drawn(rng)
        n = len(distances)
        result = negative_type(distances)
        result.verify()
        centred = np.eye(n) - 1 / n
        values = np.linalg.eigvalsh(centred @ distances @ centred)
        assert result.n_positive == (values > 1e-9).sum()
        assert len(result.weights) == (np.abs(values) > 1e-9).sum()
        seen.add(result.holds)
        if result.holds:
            points = result.embedding
            squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
            np.testing.assert_allclose(squares, distances, atol=1e-9)
        else:
            x = result.positive_vector
            assert x.sum() == 0
            assert x @ distances @ x > 0
            assert all(entry.denominator == 1 for entry in x)
    assert seen == {True, False}


def test_scaled_distances_have_the_same_type_and_blocks():
    steps = exact.fraction_array(nx.floyd_warshall_numpy(nx.lollipop_graph(4, 3)).astype(int))
    scaled = negative_type(steps * exact.as_fraction("2/3"))
    assert scaled.parents.tolist() == negative_type(steps).parents.tolist() != [-1] + [0] * 6


def test_forged_certificates_are_refused():
    result = negative_type(K32)
    for forged, field in (
        (replace(result, distances=result.distances + 1), "distances"),
        (replace(result, distances=result.distances * 2), "factor"),
        (replace(result, parents=np.array([1, 0, 0, 0, 0])), "parents"),
        (replace(result, weights=result.weights * 0), "weights"),
        (replace(result, weights=-result.weights), "factor"),
        (replace(result, factor=result.factor * 0), "factor"),
    ):
        with pytest.raises(WitnessError, match=field):
            forged.verify()


def test_what_is_no_metric_is_refused():
    for given, error, words in (
        ([[0, 1]], ShapeError, r"\(n, n\)"),
        ([[0, 1], [2, 0]], InputError, "not symmetric"),
        ([[0, 0], [0, 0]], InputError, "not symmetric"),
        (MDP([[[0.5, 0.5]], [[1.0, 0.0]]], 0.5), KernelError, "not deterministic"),
        (MDP([[[0.0, 1.0]], [[0.0, 1.0]]], 0.5), KernelError, "from state 0 to state 1 cannot be taken back"),
        (MDP([[[1.0, 0.0]], [[0.0, 1.0]]], 0.5), KernelError, "no way from state 0 to state 1"),
    ):
        with pytest.raises(error, match=words):
            negative_type(given)


def test_each_answer_comes_with_its_own_certificate_only():
    with pytest.raises(InputError, match="embedding"):
        negative_type(graph(nx.path_graph(3))).positive_vector  # noqa: B018 - it raises
    with pytest.raises(InputError, match="positive_vector"):
        negative_type(K32).embedding  # noqa: B018 - it raises


def test_the_search_isolates_no_root_where_the_type_is_negative(monkeypatch):
    for name in ("rank_drops", "determinant"):
        monkeypatch.setattr(search, name, lambda *_: pytest.fail("a root was sought"))
    grid = graph(nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, 4)))
    result = exceptional_discounts(grid)
    result.verify()
    assert (result.discounts, result.ranks, result.negative_type.holds) == ((), ((16, 16),), True)
    with pytest.raises(pytest.fail.Exception):
        exceptional_discounts(K32)


def joined_at_nodes(rng):
    """Graphs with a root and without, each hung on a node of the ones before."""
    parts = (nx.complete_bipartite_graph(3, 2), nx.complete_bipartite_graph(3, 3), nx.cycle_graph(5), nx.path_graph(3))
    whole = nx.Graph([(0, 1)])
    for kind in rng.integers(4, size=int(rng.integers(1, 4))):
        size, at = len(whole), int(rng.integers(len(whole)))
        names = {node: node + size - 1 if node else at for node in parts[kind]}
        whole.add_edges_from((names[a], names[b]) for a, b in parts[kind].edges)
    return whole


def test_the_search_falls_into_parts_at_cut_points(monkeypatch):
    rng, sizes, repeated = np.random.default_rng(0), [], 0
    det = search.determinant
    monkeypatch.setattr(search, "determinant", lambda matrix: sizes.append(len(matrix)) or det(matrix))
    for _ in range(12):
        result = exceptional_discounts(graph(joined_at_nodes(rng)))
        matrix = [row.numerators for row in result.pieces[0].rows]
        whole = {str(number): multiplicity for number, multiplicity in isolate(det(matrix))}
        assert {str(found.discount): found.multiplicity for found in result.discounts} == whole
        repeated += any(found.multiplicity > 1 for found in result.discounts)
        result.verify()
    assert set(sizes) == {5, 6}
    assert repeated


def test_no_metric_no_type():
    assert exceptional_discounts(MDP([[[0.5, 0.5]], [[1.0, 0.0]]], 0.5)).negative_type is None


def test_nullities_below_the_count_are_refused():
    result = exceptional_discounts(K32)
    result.verify()
    with pytest.raises(WitnessError):
        replace(result, discounts=()).verify()
