"""The report as a page: complete, self-contained, and shown by a browser on a wide screen and on a narrow one."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
from markupsafe import escape

from proofs_checks import statements
from proofs_checks.page import claims, markdown, mathml, pictures, render
from proofs_checks.running import run_statements
from proofs_checks.stored import stored
from proofs_checks.t3b_spanning_rewards import STATEMENT

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
WORLD = {
    "environment": "chain:<4>", "n_states": 4, "n_actions": 2, "n_goals": 1, "goals": "generic:1",
    "class": "stochastic", "status": "NOT_IDENTIFIED", "expected": "IDENTIFIED", "rank": 2, "condition": 1.5,
    "max_residual": 0.0,    "max_error": 0.25, "witness_gap": 0.0, "seconds": 0.1, "held": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def report():
    return {
        "summary": {"statements": 1, "held": 1, "failed": 1, "worlds": 1}, "worlds": [WORLD], "effort": "quick",
        "seed": 5, "seconds": 2.0, "versions": {"numpy": "2.0"}, "statements": run_statements([STATEMENT]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(report):
    return render(report, now=datetime(2026, 1, 2, tzinfo=UTC))


def test_the_page_says_all_that_the_report_says(report, page):
    [row] = report["statements"]
    text = re.sub(r"\s+", " ", page)
    for part in (
        "1 failed", "2026-01-02", "numpy 2.0", "seed 5", "tabular-inversion verify T3b --effort quick --seed 5",
        "NOT_IDENTIFIED", "(expected IDENTIFIED)", "chain:&lt;4&gt;", STATEMENT.plain.split(",")[0],
    ):  # fmt: skip
        assert part in text
    for check in row["evidence"]:
        assert str(escape(check["title"])) in text
        assert f">{check['instances']}<" in text
    for example in row["counterexamples"]:
        assert str(escape(example["text"])) in text
    for mutation in row["mutations"]:
        assert str(escape(mutation["changes"])) in text
    assert all(f"open: {reason}" in text for reason in row["open_levels"].values())
    assert text.count('class="heat') == sum(len(pictures(e["instance"])) for e in row["counterexamples"])


def test_the_page_needs_no_network_and_no_scripts(page):
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import|src=", page)
    assert set(re.findall(r"https?://[^\s\"<]+", page)) == {"http://www.w3.org/1998/Math/MathML"}


def test_failures_are_named(report):
    [row] = report["statements"]
    broken = row | {"held": False, "evidence": [row["evidence"][0] | {"held": False, "failures": ["rank <5>"]}]}
    text = render(report | {"statements": [broken]})
    assert "rank &lt;5&gt;" in text
    assert "FAILED 40" in text


def test_formulas_become_mathml_and_proofs_become_paragraphs():
    assert mathml(r"\begin{bmatrix} M \\ \mathbf 1^\top \end{bmatrix}", block=True).count("<mtr>") == 2
    text = markdown("Take $x_1$.\n\n$$\ny^2\n$$\n\nThen *done*.")
    assert text.count("<math") == 2
    assert text.count("<p>") >= 2
    assert "$" not in text


def test_no_dollar_sign_is_left_in_any_proof():
    for statement in statements():
        assert "$" not in re.sub(r"<code>.*?</code>", "", markdown(statement.proof)), statement.id
    assert "$" in markdown("A $lonely sign.")


def test_counterexamples_show_m_the_values_and_both_rows():
    drawn = {
        p["title"]: p["rows"]
        for p in pictures(stored("T3a", "k >= n - 1 for stochastic kernels, k >= n for all")().to_dict())
    }
    [m], [values] = drawn["M, a row for each goal"], drawn["values, a column for each state and action"]
    assert (len(m), len(values)) == (3, 3)
    [rows] = [rows for title, rows in drawn.items() if title.startswith("two rows")]
    first, second = ([Fraction(cell["text"]) for cell in row] for row in rows)
    assert first != second
    columns = [Fraction(cell["text"]) for cell in m]
    assert sum(x * p for x, p in zip(columns, first, strict=True)) == sum(
        x * p for x, p in zip(columns, second, strict=True)
    )


def test_claims_stand_on_lines_of_their_own():
    s1 = next(statement for statement in statements() if statement.id == "S1")
    assert len(claims(s1.latex)) == 5
    assert all(mathml(claim) for claim in claims(s1.latex))


def test_pictures_show_numbers_that_are_nested_deeper():
    instance = stored("T3d", "the policy is known, or optimal")().to_dict()
    shown = {p["title"]: [[cell["text"] for cell in row] for row in p["rows"]] for p in pictures(instance)}
    assert shown["noise"] == [["-1/10", "1/10"]]
    assert shown["action rewards, goal"] == [["0", "2"]]
    assert shown["policy, a row for each state"] == [["1/4", "3/4"]]


def test_pictures_show_every_number():
    instance = stored("T3b", "K_{3,3}")().to_dict()
    drawn = pictures(instance)
    assert [p["title"] for p in drawn][:3] == [f"kernel, action {a}" for a in range(3)]
    assert [[cell["text"] for cell in row] for row in drawn[0]["rows"]] == [row[0] for row in instance["kernel"]]
    shades = np.array([[cell["shade"] for cell in row] for row in drawn[0]["rows"]])
    np.testing.assert_array_equal(shades, np.array([row[0] for row in instance["kernel"]], float))


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_the_page_without_scrolling_sideways(page, tmp_path, width):
    # Headless windows are at least 500 wide: a frame has any width, and its page tells its own.
    ask = "<script>document.title = document.documentElement.scrollWidth;</script></body>"
    (tmp_path / "report.html").write_text(page.replace("</body>", ask))
    frame = f'<iframe id="f" src="report.html" style="width:{width}px;height:900px;border:0"></iframe>'
    tell = "<script>onload = () => { document.body.dataset.width = f.contentDocument.title; };</script>"
    (tmp_path / "frame.html").write_text(f"<body>{frame}{tell}</body>")
    command = (BROWSER, *QUIET, f"--user-data-dir={tmp_path}/profile", "--allow-file-access-from-files")
    shown = subprocess.run(
        (*command, "--dump-dom", f"file://{tmp_path}/frame.html"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert f'data-width="{width}"' in shown
    picture = tmp_path / "page.png"
    subprocess.run(
        (*command, "--window-size=1000,1400", f"--screenshot={picture}", f"file://{tmp_path}/report.html"),
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    matplotlib_image = pytest.importorskip("matplotlib.image")
    pixels = matplotlib_image.imread(picture)
    assert pixels.shape[:2] == (1400, 1000)
    assert np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0).shape[0] > 50
