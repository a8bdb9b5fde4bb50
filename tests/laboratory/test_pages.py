"""The laboratory in a browser: a student on a phone, every statement, keyboard, both schemes, no outside request."""

import itertools
import json
import re
import subprocess
import sys

import pytest

from proofs_checks import mark, statements
from proofs_checks.instance import Instance
from proofs_checks.laboratory import PAGES, source_folder
from proofs_checks.x1_graph_discounts import DISCOUNT
from tabular_inversion.exact import ExactGoals, ExactMDP

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def show(browser, pages):
    """Open a page and keep what it asks for and complains about."""
    opened = []

    def page(query, **options):
        context = browser.new_context(**options)
        shown = context.new_page()
        shown.asked, shown.errors = [], []
        shown.on("request", lambda request: shown.asked.append(request.url))
        shown.on("pageerror", lambda problem: shown.errors.append(str(problem)))
        shown.on("console", lambda said: said.type == "error" and shown.errors.append(said.text))
        shown.goto(f"{pages.as_uri()}{query}")
        opened.append((context, shown))
        return shown

    yield page
    for context, shown in opened:
        outside = [url for url in shown.asked if not url.startswith(("file:", "blob:", "data:"))]
        assert (outside, shown.errors) == ([], [])
        context.close()


def test_a_student_on_a_phone_breaks_a_lamp_and_hands_in(show, tmp_path):
    page = show("?id=X1", viewport=PHONE, color_scheme="dark", has_touch=True, accept_downloads=True)
    assert page.locator("#lamps li.on").count() == 5
    assert page.locator("#conclusion").get_attribute("class") == "lamp on"
    button = page.get_by_role("button", name=f"Task: break “{DISCOUNT}”")
    button.focus()
    page.keyboard.press("Enter")  # by keyboard
    assert "still on" in page.locator("#task").inner_text()
    page.get_by_role("button", name="1/2", exact=True).tap()  # by pointer
    assert "Done" in page.locator("#task").inner_text()
    assert page.locator("#lamps li.off").inner_text().startswith("○ off")
    assert "rank M = 5" in page.locator("#verdict").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("#name").fill("Ada")
    with page.expect_download() as saving:
        page.locator("#save").click()
    saving.value.save_as(tmp_path / "answer.json")
    found = mark(json.loads((tmp_path / "answer.json").read_text()), "X1")
    assert (found.accepted, found.drops) == (True, DISCOUNT)
    command = [sys.executable, "-m", "tabular_inversion", "exercise", "X1", str(tmp_path / "answer.json")]
    assert subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0
    page.reload()  # progress stays in the browser
    assert page.locator("#progress").inner_text().startswith("Broken so far: 1 of")
    assert page.locator("#name").input_value() == "Ada"


def test_every_statement_is_live_and_the_first_verdict_is_quick(show):
    page = show("?id=X1")
    for statement in statements():
        page.locator("#theorem").select_option(statement.id)
        assert page.locator("#problem").inner_text() == ""
        assert page.locator("#lamps li").count() == len(statement.hypotheses)
        live = page.evaluate(f"{json.dumps(statement.id)} in TI.statements")
        if live:
            assert page.locator("#lamps li.off").count() == 0, statement.id
            assert page.locator("#conclusion").get_attribute("class") == "lamp on", statement.id
        assert page.locator("#verdict").inner_text()
    ready = []
    for _ in range(4):  # of several, as the machine may be busy
        page.goto(page.url.partition("?")[0] + "?id=X1")
        ready.append(int(page.evaluate("document.body.dataset.ready")))
    assert min(ready) < 300


def test_the_editors_say_what_is_wrong_and_the_pictures_follow(show):
    page = show("?id=S1", viewport={"width": 1200, "height": 900})
    row = [["1/3", "1/3", "1/3"]]
    lost = Instance(ExactMDP([row] * 3, "1/2"), ExactGoals([[0, 1, 2]])).to_dict()
    page.evaluate(f"TI.laboratory.open('S1', {json.dumps(lost)})")
    assert page.locator("#polytope svg polygon").count() == 2  # the triangle, and all rows with these values
    assert "agree, exactly" in page.locator("#witness").inner_text()
    cell = page.locator("#kernel input").first
    cell.fill("2")
    assert "sums to" in page.locator("#problem").inner_text()
    cell.fill("two")
    assert "is no number" in page.locator("#problem").inner_text()
    assert cell.get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Make every row sum to 1").click()
    assert page.locator("#problem").inner_text() == ""
    page.locator("#theorem").select_option("X1")
    page.locator("#graphs").select_option("K2,3")
    page.get_by_role("button", name="Every state a goal that ends").click()
    page.get_by_role("button", name="1/√2").click()  # K_{3,2} loses rank there: M alone, not [M;1]
    assert "rank M = 4, rank [M;1] = 5" in page.locator("#verdict").inner_text()
    assert page.locator("#save").is_disabled()
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#discount").input_value() == "43/60"
    assert page.locator("#save").is_enabled()


def test_every_control_has_a_name(show):
    page = show("?id=T1", viewport=PHONE)
    nameless = page.evaluate(
        "[...document.querySelectorAll('input,select,button,textarea')].filter(e => !(e.labels && e.labels.length) &&"
        " !e.getAttribute('aria-label') && !e.textContent.trim()).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_texts_have_enough_contrast_in_both_schemes():
    style = (source_folder() / "lab.css").read_text()
    blocks = re.findall(r"\{([^{}]*--ground:[^{}]*)\}", style)
    schemes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in blocks]
    assert len(schemes) == 3
    for scheme in schemes:
        pairs = [*itertools.product(("text", "soft", "good", "bad", "accent"), ("ground", "raised")),
                 ("text", "good-ground"), ("text", "bad-ground"), ("good", "good-ground"), ("bad", "bad-ground"),
                 ("on-accent", "accent")]  # fmt: skip
        for first, second in pairs:
            dark, light = sorted((luminance(scheme[first]), luminance(scheme[second])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (first, second)


def test_the_pages_name_nothing_outside():
    for name in PAGES:
        text = (source_folder() / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|\bimport\(|fetch\(|@import", text), name
