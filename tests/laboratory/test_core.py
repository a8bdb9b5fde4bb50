"""The laboratory's JavaScript core against the package: verdicts in all classes and scopes, lamps and conclusions."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import lab_oracle
import numpy as np
import pytest

from proofs_checks import statements
from proofs_checks.laboratory import PAGES, source_folder

NODE = shutil.which("node")
HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(NODE is None, reason="no node on this machine: the JavaScript core cannot be run")


def compare(lines, folder=None):
    """Return how many answers were compared, and those that differ."""
    found = subprocess.run(
        [NODE, HERE / "compare.js", folder or source_folder()],
        input="\n".join(lines), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    *differing, last = found.stdout.splitlines()
    return json.loads(last), differing


@needs_node
def test_the_core_answers_as_the_package_does_on_all_stored_cases():
    lines = gzip.decompress(lab_oracle.STORED.read_bytes()).decode().splitlines()
    cases = [json.loads(line) for line in lines]
    lamps = [case for case in cases if "lamps" in case]
    assert {case["id"] for case in lamps} <= {statement.id for statement in statements()}
    for statement in {case["id"] for case in lamps}:  # every lamp is seen on and off, every conclusion both ways
        rows = np.array([[*case["lamps"], case["holds"]] for case in lamps if case["id"] == statement])
        assert (rows.any(axis=0) & ~rows.all(axis=0)).all(), statement
    answers = [answer for case in cases for answer in case.get("answers", [])]
    assert {(a["class"], a["scope"]) for a in answers} == {
        (c, s) for c in lab_oracle.CLASSES for s in lab_oracle.SCOPES
    }
    assert {a["status"] for a in answers} == {"IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT"}
    counts, differing = compare(lines)
    assert counts["compared"] == len(lamps) + len(answers) >= 2000
    assert (counts["differ"], differing) == (0, [])


@needs_node
def test_the_core_answers_as_the_package_does_today():
    rng = np.random.default_rng(7)
    cases = [*lab_oracle.verdict_cases(rng, 12), *lab_oracle.lamp_cases(rng, 1, 1)]
    counts, differing = compare([json.dumps(case) for case in cases])
    assert counts["compared"] > 12 * 12 + 3 * 20
    assert (counts["differ"], differing) == (0, [])


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_the_core_answers_as_the_package_does_on_many_more(seed):
    rng = np.random.default_rng(seed)
    cases = [*lab_oracle.verdict_cases(rng, 150), *lab_oracle.lamp_cases(rng, 20, 60)]
    counts, differing = compare([json.dumps(case) for case in cases])
    assert counts["compared"] > 3000
    assert (counts["differ"], differing) == (0, [])


@needs_node
@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("verdict.js", "allowed.map((j) => p[j].isZero())", "allowed.map(() => true)"),
        ("statements.js", "i.k >= largestSupport(i) - 1", "i.k >= largestSupport(i)"),
        ("statements.js", "x.cmp(far[truth]) <= 0", "x.cmp(far[truth]) < 0"),
        ("world.js", "value.cmp(q[s][best]) > 0", "value.cmp(q[s][best]) < 0"),
    ],
)
def test_a_wrong_core_is_caught(tmp_path, file, right, wrong):
    for name in PAGES:
        shutil.copy(source_folder() / name, tmp_path / name)
    text = (tmp_path / file).read_text()
    assert right in text
    (tmp_path / file).write_text(text.replace(right, wrong))
    lines = gzip.decompress(lab_oracle.STORED.read_bytes()).decode().splitlines()
    few = [line for line in lines if '"id": "T5a"' in line or '"id": "T2b"' in line]
    counts, _ = compare(lines[:25] + few, tmp_path)
    assert counts["differ"] > 0


@needs_node
def test_lamps_have_the_names_of_the_hypotheses():
    """A statement without lamps in the core is shown with words alone; those that have some have all, in order."""
    ask = "for (const id in TI.statements) console.log(JSON.stringify([id, Object.keys(TI.statements[id].lamps)]))"
    files = [source_folder() / f"{name}.js" for name in ("numbers", "algebra", "world", "verdict", "statements")]
    script = "".join(f"require({json.dumps(str(file))});" for file in files) + ask
    shown = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True, timeout=60).stdout
    lamps = dict(json.loads(line) for line in shown.splitlines())
    known = {statement.id: [h.name for h in statement.hypotheses] for statement in statements()}
    common = sorted(lamps.keys() & known.keys())
    assert {name: lamps[name] for name in common} == {name: known[name] for name in common}
    assert len(common) == 30
