"""The pages keep up with the code: every room and statement has its place, and the picture shows what it says."""

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np

import proofs_checks
from proofs_checks.running import run_statements
from proofs_checks.t3b_spanning_rewards import STATEMENT

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def rooms() -> set[str]:
    """Name every public module and package directly under `tabular_inversion`."""
    found = (ROOT / "tabular_inversion").glob("*")
    names = {path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").exists()}
    return {f"tabular_inversion.{name}" for name in names if not name.startswith("_")}


def test_the_reference_lists_every_room() -> None:
    listed = re.findall(r"^   (\S+)$", (DOCS / "api" / "index.md").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {name for name in listed if not name.startswith("proofs_checks")} == rooms()
    assert {"proofs_checks", "proofs_checks.statement"} <= set(listed)


def statement_pages() -> Any:
    """Load the script that writes the pages of the statements."""
    specification = importlib.util.spec_from_file_location("statement_pages", DOCS / "statement_pages.py")
    assert specification is not None
    assert specification.loader is not None
    script: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    return script


def test_a_statements_page_holds_all_of_its_module() -> None:
    script = statement_pages()
    ids = [statement.id for statement in proofs_checks.statements()]
    [report] = run_statements([STATEMENT])
    page = script.page("t3b_spanning_rewards", STATEMENT, report, ids)
    assert page.startswith("(T3b)=\n# T3b: Spanning rewards")
    assert STATEMENT.latex in page
    for hypothesis in STATEMENT.hypotheses:
        assert f"- {hypothesis.name}" in page
    assert page.count("| held |") == len(STATEMENT.checks)
    assert page.count("**Without") == len(STATEMENT.counterexamples)
    assert page.count(": refuted, ") == len(STATEMENT.mutations)
    assert "$\\square$" in page
    assert "By [L1](L1) $m_g" in page
    assert "{download}`proofs_checks.t3b_spanning_rewards <../../../proofs_checks/t3b_spanning_rewards.py>`" in page
    assert 'src="../../lab/index.html?id=T3b&amp;embed=1"' in page


def test_the_statements_of_the_paper_and_of_the_package_have_their_rooms() -> None:
    rooms = statement_pages().rooms()
    without = {name for name, modules in rooms.items() if not modules}
    ours = {"S1", "S2", "S3", "G1", "G2", "G3", "X1", "X2"}
    assert not without & (ours | {name for name in rooms if re.fullmatch(r"[LPT]\d[a-d]?", name)})
    assert "tabular_inversion.identifiability.sparse_rows" in [name for name, _ in rooms["T5b"]]


def test_links_stay_out_of_formulas() -> None:
    script = statement_pages()
    assert script.linked("By L1, $L1$ and `T3a`; T3a.\n\n$$\nT3a\n$$", ["L1", "T3a"]) == (
        "By [L1](L1), $L1$ and `T3a`; [T3a](T3a).\n\n$$\nT3a\n$$"
    )
    assert script.linked("By L1", []) == "By L1"


def test_the_table_of_statements_names_all() -> None:
    script = statement_pages()
    known = proofs_checks.statements()
    reports = [{"evidence": [{"level": "exact", "held": True}], "counterexamples": []} for _ in known]
    table = script.table(known, reports)
    assert all(f"[{statement.id}]({statement.id})" in table for statement in known)


def test_contributing_lists_the_rooms_in_their_order() -> None:
    quoted = " ".join(line[2:] for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("> "))
    named = [
        word
        for word in re.findall(r"\w+", quoted)
        if f"tabular_inversion.{word}" in rooms() | {"tabular_inversion._typing"}
    ]
    assert set(named) == {name.partition(".")[2] for name in rooms()} | {"_typing"}
    test_house = (ROOT / "tests" / "test_house.py").read_text()
    ordered = [test_house.index(f'    "{name}",\n') for name in named]
    assert ordered == sorted(ordered)


def test_the_picture_shows_what_its_caption_says() -> None:
    specification = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    assert specification is not None
    assert specification.loader is not None
    script: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    axes = script.recovery_picture().axes[:6]
    titles = [panel.get_title() for panel in axes]
    assert titles[1:3] == ["from 68 goals: IDENTIFIED", "from 1 goal: NOT IDENTIFIED"]
    (many,), (one,) = (panel.findobj(lambda artist: artist.get_gid() == "cells") for panel in axes[4:])
    assert many.get_array().max() < 1e-10
    assert np.median(np.asarray(one.get_array())) > 0.1
