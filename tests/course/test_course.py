"""Every chapter of the course runs: its cells as a notebook would run them, then each solution as a doctest."""

import doctest
import importlib.util
import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import proofs_checks

COURSE = Path(__file__).parent.parent.parent / "docs" / "course"
PAGES = sorted(COURSE.glob("*.md"))
CHAPTERS = [page for page in PAGES if "{statement}" in page.read_text()]
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOLUTION = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = ("A motivating example", "Definition", "Theorem", "In the laboratory", "Using the package", "Exercises")


def run(page: Path) -> int:
    """Run a page's cells and its doctests in one space of names; return how many examples failed."""
    text, names = page.read_text(), {}
    with redirect_stdout(StringIO()):
        for cell in CELL.findall(text):
            exec(compile(cell, str(page), "exec"), names)  # noqa: S102  what a reader would run
    runner = doctest.DocTestRunner(verbose=False)
    for number, block in enumerate(SOLUTION.findall(text)):
        test = doctest.DocTestParser().get_doctest(block, names, f"{page.name}, block {number}", str(page), 0)
        runner.run(test, clear_globs=False)
        names.update(test.globs)
    return runner.failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_cells_and_solutions_run(page):
    assert run(page) == 0


def test_a_wrong_solution_is_caught(tmp_path):
    wrong = (COURSE / "two_worlds.md").read_text().replace("'1/3'", "'1/2'")
    (tmp_path / "wrong.md").write_text(wrong)
    with redirect_stdout(StringIO()):
        assert run(tmp_path / "wrong.md") == 1


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_has_all_its_parts(page):
    text = page.read_text()
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == SECTIONS
    kinds = re.findall(r"^::::\{admonition\} Exercise \d\.\d \((.*)\)$", text, re.MULTILINE)
    assert kinds == ["by hand", "in code", "break it"]
    assert text.count(":::{dropdown} Solution") == len(SOLUTION.findall(text)) == 3
    known = {statement.id for statement in proofs_checks.statements()}
    assert set(re.findall(r"\{(?:statement|laboratory)\} (\w+)", text)) <= known
    assert f"{{nb-download}}`{page.stem}.ipynb`" in text


def test_the_course_has_ten_chapters_and_every_page_is_listed():
    assert len(CHAPTERS) == 10
    listed = (COURSE / "index.md").read_text().partition("toctree")[2].partition("```")[0].split()
    assert {name for name in listed if not name.startswith((":", "}"))} - {"1"} == {page.stem for page in PAGES} - {
        "index"
    }


def test_slides_come_from_the_chapters():
    pytest.importorskip("sphinx_revealjs", reason="the documentation's packages are not installed")
    sys.path.insert(0, str(COURSE.parent))
    try:
        specification = importlib.util.spec_from_file_location("course_pages", COURSE.parent / "course_pages.py")
        script = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(script)
    finally:
        sys.path.pop(0)
    for page in CHAPTERS:
        slides = script.slides(page.read_text())
        assert len(slides) == 5
        assert slides[-1].count("<h4>") == 3
        assert "<math" in slides[2]
        assert "<iframe" in slides[3]
        assert not any("$" in slide for slide in slides)
