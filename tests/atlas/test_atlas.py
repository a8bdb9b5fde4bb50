"""The atlas: counts computed anew, proofs that are not forged, runs that go on, and the files of the documentation."""

import json
import lzma
import shutil
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from tabular_inversion.atlas import (
    N_CONNECTED,
    AtlasEntry,
    atlas_counts,
    atlas_entry,
    check_complete,
    connected_graphs,
    files,
    read_atlas,
    write_atlas,
)
from tabular_inversion.atlas.graphs import to_network
from tabular_inversion.cli import main
from tabular_inversion.errors import InputError, KernelError, WitnessError

DATA = Path(__file__).parent.parent.parent / "docs" / "atlas"
EXCEPTIONAL = {2: (0, 0), 3: (0, 0), 4: (0, 0), 5: (2, 0), 6: (27, 4), 7: (401, 38), 8: (7943, 618)}
"""Graphs with an exceptional discount for M, and for [M;1]."""
K33 = "EFz_"


def counted(entries):
    of_both = [entry for entry in entries if any(x.nullity_with_ones for x in entry.discounts)]
    return sum(bool(entry.discounts) for entry in entries), len(of_both)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, *(pytest.param(n, marks=pytest.mark.slow) for n in (7, 8))])
def test_the_files_of_the_documentation_are_computed_again(n, tmp_path):
    shutil.copy(DATA / f"connected-{n}.jsonl.xz", tmp_path)
    file = write_atlas(n, tmp_path)
    entries = read_atlas(file)
    some, of_both = EXCEPTIONAL[n]
    assert counted(entries) == (some, of_both)
    assert atlas_counts(file) == {
        "graphs": N_CONNECTED[n], "negative_type": N_CONNECTED[n] - some, "exceptional": some,
        "exceptional_with_ones": of_both, "with_witness": of_both, "balanced": N_CONNECTED[n], "simple": N_CONNECTED[n],
    }  # fmt: skip


@pytest.mark.parametrize("n", [7, 8])
def test_some_entries_of_the_large_files_are_verified(n):
    lines = files.lines_of(DATA / f"connected-{n}.jsonl.xz")
    assert len(lines) == N_CONNECTED[n]
    counts = files.count_lines(lines)
    assert (counts["exceptional"], counts["exceptional_with_ones"]) == EXCEPTIONAL[n]
    assert counts["balanced"] == counts["simple"] == counts["graphs"]
    for place in np.random.default_rng(n).integers(len(lines), size=6):
        entry = AtlasEntry.from_dict(json.loads(lines[place]))
        entry.verify()
        assert files.line_of(entry.graph6) == lines[place]


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 5_000_000


def test_floats_see_the_nullities():
    """Singular values at the discounts, and none that is small between them."""
    for entry in read_atlas(DATA / "connected-6.jsonl.xz")[::2]:
        distances = nx.floyd_warshall_numpy(to_network(entry.graph6))
        for found in entry.discounts:
            matrix = float(found.discount) ** distances
            ones = np.vstack([matrix, np.ones(len(matrix))])
            sizes = [(np.linalg.svd(m, compute_uv=False) < 1e-9).sum() for m in (matrix, ones)]
            assert sizes == [found.nullity, found.nullity_with_ones]
        grid = np.linspace(0.01, 0.99, 300)
        signs = np.sign(np.linalg.det(grid[:, None, None] ** distances))
        odd = sum(found.multiplicity % 2 for found in entry.discounts)
        assert (np.diff(signs) != 0).sum() == odd


def test_generators_agree():
    if shutil.which("geng") is None and shutil.which("nauty-geng") is None:
        pytest.skip("nauty is not installed")
    from tabular_inversion.atlas.graphs import _generated

    check_complete(_generated(6), 6)


def test_a_graph_of_no_list():
    star = nx.to_graph6_bytes(nx.star_graph(9), header=False).decode().strip()
    assert atlas_entry(star).discounts == ()
    with pytest.raises(KernelError):
        atlas_entry("B?")
    for text in ("B", "\x7f", "é", ""):
        with pytest.raises(InputError):
            atlas_entry(text)


def test_tampered_entries_are_refused():
    entry = atlas_entry(K33)
    (found,) = entry.discounts
    other = atlas_entry("DFw")
    forged = {
        "graph6": ["DFw", "B?", ""],
        "negative_type": [other.negative_type],
        "discounts": [
            (),
            (found, found),
            other.discounts,
            *((replace(found, **change),) for change in (
                {"nullity": 2}, {"nullity_with_ones": 0}, {"multiplicity": 3}, {"witness": None},
                {"witness": replace(found.witness, step=Fraction(1, 3))},
                {"witness": replace(found.witness, state=1)},
                {"discount": other.discounts[0].discount},
            )),
        ],
    }  # fmt: skip
    for name, values in forged.items():
        for value in values:
            with pytest.raises(WitnessError):
                replace(entry, **{name: value}).verify()
    entry.verify()


def test_lists_that_lack_or_repeat_a_graph_are_refused():
    graphs = connected_graphs(5)
    check_complete(graphs, 5)
    relabelled = nx.relabel_nodes(to_network(graphs[3]), dict(enumerate([4, 2, 0, 1, 3])))
    twin = nx.to_graph6_bytes(nx.Graph(sorted(relabelled.edges)), nodes=range(5), header=False).decode().strip()
    for wrong in (graphs[1:], [*graphs, twin], [twin, *graphs[1:]], [*graphs[:-1], "D??"], [*graphs[:-1], "BW"]):
        with pytest.raises(WitnessError):
            check_complete(wrong, 5)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupted_run_goes_on(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(files, "_AT_ONCE", 4)
    whole = read_atlas(DATA / "connected-5.jsonl.xz")
    seen = []

    def stop(done, _total):
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atlas(5, tmp_path, progress=stop)
    part = tmp_path / "connected-5.part.jsonl"
    part.write_text(part.read_text() + '{"graph":"D')  # cut short while it was written
    started = []
    file = write_atlas(5, tmp_path, workers=workers, progress=lambda done, total: started.append((done, total)))
    assert seen == [4, 8]
    assert started[0][0] > 8
    assert started[-1] == (21, 21)
    assert not part.exists()
    assert {e.graph6 for e in read_atlas(file)} == {e.graph6 for e in whole}
    assert all(e == atlas_entry(e.graph6) for e in read_atlas(file))


def test_a_wrong_or_damaged_file_is_found(tmp_path):
    file = write_atlas(5, tmp_path)
    lines = files.lines_of(file)
    for place, change in ((20, ('"positive":0', '"positive":1')), (3, ('"weights":["2"', '"weights":["3"'))):
        wrong = list(lines)
        wrong[place] = wrong[place].replace(*change)
        assert wrong != lines
        file.write_bytes(lzma.compress("".join(line + "\n" for line in wrong).encode()))
        with pytest.raises(WitnessError, match=json.loads(lines[place])["graph"].replace("?", r"\?")):
            write_atlas(5, tmp_path)
    for content in (b"nothing", lzma.compress(b"[1]\n"), lzma.compress(b"{}\n")):
        file.write_bytes(content)
        with pytest.raises(InputError):
            write_atlas(5, tmp_path)
        with pytest.raises(InputError):
            read_atlas(file)


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", "atlas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return call


def test_the_command_writes_compares_and_times(cli, tmp_path):
    first = cli("--nodes", 5, "--folder", tmp_path, "--workers", 1, "--json")
    second = cli("--nodes", 5, "--folder", tmp_path, "--workers", 1, "--json")
    answers = [json.loads(out) for code, out, _ in (first, second) if code == 0]
    assert [answer["compared"] for answer in answers] == [False, True]
    assert {key: answers[1][key] for key in ("graphs", "negative_type", "exceptional", "exceptional_with_ones")} == {
        "graphs": 21, "negative_type": 19, "exceptional": 2, "exceptional_with_ones": 0}  # fmt: skip
    code, out, _ = cli("--nodes", 6, "--sample", 7)
    assert code == 0
    assert "7 of 112" in out
    assert "extrapolated" in out


def test_calls_that_are_refused(cli, tmp_path):
    for words in (("--nodes", 1), ("--nodes", 10), ("--sample", 0), ("--sample", 2, "--folder", tmp_path),
                  ("--sample", 2, "--workers", 1)):  # fmt: skip
        code, out, err = cli(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
    (tmp_path / "connected-4.jsonl.xz").write_bytes(b"?")
    assert cli("--nodes", 4, "--folder", tmp_path / "connected-4.jsonl.xz")[0] == 2
    with pytest.raises(InputError, match="no folder"):
        write_atlas(4, tmp_path / "elsewhere")
    assert cli("--nodes", 4, "--folder", tmp_path, "--workers", 1)[0] == 2
