"""Graphs as worlds, and the texts and files that name them."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular_inversion import MDP, Goals
from tabular_inversion.bellman import solve
from tabular_inversion.environments import graph, named_graph, random_mdp
from tabular_inversion.errors import FileFormatError, InputError, KernelError, SpecificationError
from tabular_inversion.interop import from_networkx
from tabular_inversion.strategies import mdps


def arrivals(mdp: Any) -> set[tuple[int, int]]:
    """Return the pairs (s, t) that some action joins."""
    return {(int(s), int(t)) for s, _, t in np.argwhere(mdp.dense().kernel)}


def test_actions_choose_neighbours_in_order() -> None:
    mdp = graph(nx.path_graph(3), discount=0.5)
    np.testing.assert_array_equal(mdp.available, [[True, False], [True, True], [True, False]])
    expected = [[[0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 0]]]
    np.testing.assert_array_equal(mdp.dense().kernel, expected)
    assert mdp.discount == 0.5
    assert mdp.state_names == ("0", "1", "2")
    assert mdp.coordinates is None


def test_direction_is_kept() -> None:
    mdp = graph(nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("a", "c")]))
    assert arrivals(mdp) == {(0, 1), (1, 2), (2, 0), (0, 2)}
    assert mdp.state_names == ("a", "b", "c")
    np.testing.assert_array_equal(mdp.available, [[True, True], [True, False], [True, False]])


def test_parallel_edges_weights_and_self_loops() -> None:
    several = nx.MultiGraph([(0, 1), (0, 1), (1, 1)])
    several.add_edge(0, 1, weight=0.25)
    mdp = graph(several)
    assert arrivals(mdp) == {(0, 1), (1, 0), (1, 1)}
    np.testing.assert_array_equal(mdp.kernel.data, 1.0)
    np.testing.assert_array_equal(mdp.available, [[True, False], [True, True]])


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 12), p=st.floats(0.1, 1.0), seed=st.integers(0, 10_000), directed=st.booleans())
def test_every_edge_is_one_action(n: int, p: float, seed: int, directed: bool) -> None:
    drawn = nx.gnp_random_graph(n, p, seed=seed, directed=directed)
    drawn.add_edges_from((node, node) for node in list(drawn))
    mdp = graph(drawn)
    both = set(drawn.edges) | (set() if directed else {(t, s) for s, t in drawn.edges})
    assert arrivals(mdp) == both
    assert mdp.available.sum() == len(both)
    assert mdp.n_actions == max(degree for _, degree in nx.DiGraph(list(both)).out_degree)
    # The first actions are the available ones, and targets ascend.
    assert (np.diff(mdp.available.astype(int), axis=1) <= 0).all()
    for s, row in enumerate(mdp.dense().kernel.argmax(axis=2)):
        assert (np.diff(row[mdp.available[s]]) > 0).all()


def test_distances_agree_with_networkx() -> None:
    mdp = graph(named_graph("petersen"))
    reach = (mdp.dense().kernel.sum(axis=1) > 0).astype(int)
    steps = np.where(np.eye(10), 0, np.where(reach, 1, 2))
    expected = dict(nx.all_pairs_shortest_path_length(nx.petersen_graph()))
    assert all(steps[s, t] == expected[s][t] for s in range(10) for t in range(10))


def test_a_node_without_action_is_an_error_with_its_remedy() -> None:
    lonely = nx.Graph([("a", "b")])
    lonely.add_node("c")
    with pytest.raises(KernelError, match=r"node 'c' is isolated.*add a self-loop: graph.add_edge"):
        graph(lonely)
    lonely.add_edge("c", "c")
    assert graph(lonely).n_states == 3
    with pytest.raises(KernelError, match=r"node 1 leaves no edge \(a sink\).*add a self-loop"):
        graph(nx.DiGraph([(0, 1)]))


def test_an_empty_graph_and_equal_names_are_errors() -> None:
    with pytest.raises(InputError, match="no node"):
        graph(nx.Graph())
    with pytest.raises(KernelError, match="state_names repeats '1'"):
        graph(nx.Graph([(1, "1")]))


def test_positions_become_coordinates() -> None:
    mdp = graph(named_graph("grid:2x3"))
    np.testing.assert_array_equal(mdp.coordinates, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]])
    assert mdp.state_names is not None
    assert mdp.state_names[4] == "(1, 1)"
    half = nx.path_graph(2)
    half.nodes[0]["pos"] = (0.0, 0.0)
    assert graph(half).coordinates is None


@pytest.mark.parametrize("branching", [None, 3])
def test_to_networkx_keeps_every_probability(branching: int | None) -> None:
    mdp = random_mdp(7, 2, branching=branching, seed=1)
    back = np.zeros(mdp.shape)
    for s, t, a, p in mdp.to_networkx().edges(keys=True, data="probability"):
        back[s, a, t] += p
    np.testing.assert_array_equal(back, mdp.dense().kernel)


@settings(max_examples=30, deadline=None)
@given(world=mdps())
def test_a_world_is_no_graph_of_sure_moves(world: MDP) -> None:
    """Read as a graph, its probabilities and the order of its actions would be lost."""
    with pytest.raises(InputError, match=r"has probability .*interop.from_networkx"):
        graph(world.to_networkx())


def test_a_graph_goes_to_networkx_and_back() -> None:
    mdp = graph(named_graph("grid:3x4"))
    again = from_networkx(mdp.to_networkx(), discount=mdp.discount).mdp
    np.testing.assert_array_equal(again.dense().kernel, mdp.dense().kernel)
    np.testing.assert_array_equal(again.available, mdp.available)
    np.testing.assert_array_equal(again.coordinates, mdp.coordinates)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K3,3", nx.complete_bipartite_graph(3, 3)),
        ("K1,4", nx.star_graph(4)),
        ("K5", nx.complete_graph(5)),
        ("K2,2,2", nx.octahedral_graph()),
        ("petersen", nx.petersen_graph()),
        ("cycle:5", nx.cycle_graph(5)),
        ("path:4", nx.path_graph(4)),
        ("grid:3x4", nx.grid_2d_graph(3, 4)),
    ],
)
def test_names(text: str, expected: Any) -> None:
    assert nx.is_isomorphic(named_graph(text), expected)


@pytest.mark.parametrize("text", ["", "K", "K0", "K3,", "K3,0", "cycle", "cycle:", "cycle:x", "path:-1", "grid:3",
                                  "grid:0x2", "Petersen", "directed:", "no/such/file"])  # fmt: skip
def test_unknown_names_list_the_forms(text: str) -> None:
    with pytest.raises(SpecificationError, match=r"names no graph and no file; expected KN.*petersen.*grid:AxB"):
        named_graph(text)


@pytest.mark.parametrize("text", ["cycle:1", "cycle:2"])
def test_short_cycles(text: str) -> None:
    with pytest.raises(SpecificationError, match="at least 3 nodes"):
        named_graph(text)


def test_edge_list_files(tmp_path: Path) -> None:
    path = tmp_path / "edges"
    path.write_text("# a comment\n10 2\n2 1 {'weight': 3}\n\n1 10  # closes the circle\n")
    mdp = graph(named_graph(str(path)))
    assert mdp.state_names == ("1", "2", "10")
    assert arrivals(mdp) == {(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)}
    arrows = graph(named_graph(f"directed:{path}"))
    assert arrivals(arrows) == {(2, 1), (1, 0), (0, 2)}


def test_named_nodes_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "edges.txt"
    path.write_text("home work\nwork gym\n")
    assert graph(named_graph(str(path))).state_names == ("home", "work", "gym")


def test_edge_list_agrees_with_networkx(tmp_path: Path) -> None:
    drawn = nx.gnp_random_graph(9, 0.4, seed=3)
    nx.write_edgelist(drawn, tmp_path / "edges", data=False)
    expected = {frozenset(map(str, edge)) for edge in drawn.edges}
    assert {frozenset(edge) for edge in named_graph(str(tmp_path / "edges")).edges} == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it holds no edge"),
        (b"# nothing\n", "it holds no edge"),
        (b"1 2\n3\n", "line 2 has one name only"),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "edges"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        named_graph(str(path))


OTHER_FORMATS = {
    "a chain of PRISM": ("3 4\n0 1 0.5\n0 2 0.5\n1 1 1\n2 2 1\n", "line 2 has 3 columns and line 1 has 2"),
    "a decision process of PRISM": ("2 3 4\n0 0 0 0.5\n0 0 1 0.5\n", "line 2 has 4 columns"),
    "labels of PRISM": ('0="init" 1="deadlock"\n0: 0\n', "line 1 has the node '0=\"init\"'"),
    "a chain without a head": ("0 1 0.25\n0 2 0.75\n1 1 1.0\n2 2 1.0\n", "sum to 1"),
    "commas and blanks": ("0, 1\n1 2\n", "line 2 is separated by blanks and the first one by a comma"),
    "a comma behind each name": ("0, 1,\n1, 2,\n", "line 1 has an empty column"),
    "commas with a head": ("source,target\na,b\nb,a\n", "line 1 reads 'source target', a head"),
    "a head above numbers": ("origin goal\n0 1\n1 2\n", "line 1 reads 'origin goal', a head"),
    "quotes": ('"a","b"\n', "line 1 has the node"),
    "an adjacency list": ("0 1 2\n1 2 0\n2 0 1\n", "line 1 has 2 behind the names, which may be a weight or a third"),
    "a matrix of whole numbers": ("0 1 0\n1 0 1\n0 1 0\n", "line 1 has 0 behind the names"),
    "a matrix of fractions": ("0.5 0.5\n0.2 0.8\n", "line 1 has the node 0.5, which is a fraction"),
    "Matrix Market": ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 1.0\n", "line 1 has 5 columns"),
    "DIMACS": (
        "c a graph\np edge 3 2\ne 1 2\ne 2 3\n",
        "line 1 has 'graph' behind the names, which is no number|has 4 columns|one name",
    ),
    "DOT": ("digraph G {\na -> b;\n}\n", "line 3 has one name only"),
    "GML": ("graph [\nnode [\nid 0\n]\n]\n", "line 4 has one name only"),
    "JSON": ('{"nodes": [0, 1], "links": []}\n', "line 1"),
    "Python": ("import sys\nprint(sys.path)\n", "line 2 has one name only"),
    "a mark inside": ("0 1\n\ufeff1 2\n", "line 2 has the node"),
    "a column of words": ("a b friend\nb c friend\n", "line 1 has 'friend' behind the names"),
    "a weight missing": ("a b 1.5\nb c\n", "line 2 has 2 columns and line 1 has 3"),
    "half a dictionary": ("a b {'weight': 1\n", "line 1 has .* which is no dictionary"),
    "a null byte": ("a b\x00\n", "line 1 has the node"),
}


@pytest.mark.parametrize(("content", "message"), OTHER_FORMATS.values(), ids=OTHER_FORMATS.keys())
def test_whatever_is_no_edge_list_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "edges"
    path.write_text(content, encoding="utf-8")
    for prefix in ("", "directed:"):
        with pytest.raises(FileFormatError, match=message) as caught:
            named_graph(f"{prefix}{path}")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".tra", ".lab", ".sta", ".mtx", ".dot", ".gml", ".graphml", ".json"])
def test_files_of_other_formats_are_known_by_their_endings(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"edges{ending}"
    path.write_text("0 1\n1 2\n")
    with pytest.raises(FileFormatError, match="no edge list by its ending"):
        named_graph(str(path))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf0 1\n1 2\n",  # a byte order mark
        b"0 1\r\n\r\n1 2\r\n",
        b"0,1\n1,2\n",
        b"0, 1\n1 , 2",
        b"0 1 1.5\n1 2 0.5\n",
        b"0,1,1.5\n1,2,2.5\n",
        b"0 1 {'weight': 3}\n1 2 {}\n",
        b"  0\t1\n# 5 6\n1 2 # 7\n",
    ],
)
def test_edge_lists_are_read_right(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "edges"
    path.write_bytes(content)
    found = named_graph(str(path))
    assert list(found) == ["0", "1", "2"]
    assert {frozenset(edge) for edge in found.edges} == {frozenset("01"), frozenset("12")}


PIECES = st.sampled_from(["0", "1", "2", "a", "b", "b1", " ", " ", " ", "\t", "\n", "\n", ",", "#", ".5", "{}",
                          "{'w': 1}", "{", "=", ":", '"', "\ufeff", "\r", "é", "\x0b", "\u2028"])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(content=st.lists(PIECES, max_size=14).map("".join))
def test_what_is_read_is_what_networkx_reads(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = tmp_path_factory.mktemp("drawn") / "edges"
    path.write_text(content, encoding="utf-8", newline="")
    try:
        found = named_graph(str(path))
    except FileFormatError as problem:
        refusal = str(problem)
    else:
        refusal = ""
    if refusal:
        assert "line " in refusal or "holds no edge" in refusal
        return
    lines = [line.partition("#")[0] for line in content.removeprefix("\ufeff").replace("\r", "\n").split("\n")]
    delimiter = "," if any("," in line.partition("{")[0] for line in lines) else None
    kept = [line for line in lines if line.strip()]
    weighted = any(not line.rstrip().endswith("}") and len(line.split(delimiter)) > 2 for line in kept)
    read: Any = nx.parse_edgelist(kept, delimiter=delimiter, data=[("weight", float)] if weighted else True)
    assert {frozenset(map(str.strip, edge)) for edge in read.edges} == {frozenset(edge) for edge in found.edges}


@pytest.mark.parametrize(
    "text",
    ["K99999999999999999999", "K9999", "K1,99999999999999999999", "cycle:99999999999999999999", "path:99999999",
     "grid:99999x99999", "grid:1x99999999999999999999", "K" + "9" * 5000, "path:" + "9" * 5000],
)  # fmt: skip
def test_absurd_sizes_are_refused_at_once(text: str) -> None:
    with pytest.raises(SpecificationError, match=r"at most|more than"):
        named_graph(text)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="names no graph and no file"):
        named_graph(str(tmp_path))


@pytest.mark.parametrize("text", ["K3,3", "K4", "petersen", "cycle:6", "path:5", "grid:3x4"])
@pytest.mark.parametrize("discount", [0.5, 0.9])
def test_optimal_agents_show_the_similarity_matrix(text: str, discount: float) -> None:
    """With all indicator goals ending on arrival, M[g, s] = discount^d(g, s)."""
    drawn = named_graph(text)
    mdp = graph(drawn, discount=discount)
    lengths = dict(nx.all_pairs_shortest_path_length(drawn))
    expected = [[discount ** lengths[g][s] for s in drawn] for g in drawn]
    agent = solve(mdp, Goals.indicator(mdp.n_states))
    np.testing.assert_allclose(agent.test_matrix, expected, rtol=1e-12)
