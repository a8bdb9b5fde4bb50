"""What the course adds to Sphinx: theorem boxes, frames of the laboratory, and slides from the chapters' own text.

Slides are reveal.js, copied from the package ``sphinx-revealjs``, so that they show without a network.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import sphinx_revealjs
from docutils import nodes
from markupsafe import escape
from sphinx.util.docutils import SphinxDirective
from statement_pages import boxed

from proofs_checks import statements
from proofs_checks.page import breakable, claims, markdown
from proofs_checks.statement import Statement

REVEAL = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs" / "dist"
WORDS = 90
"""On a slide, at most; paragraphs that would pass this stay in the chapter."""


def find(statement_id: str) -> Statement:
    return next(s for s in statements() if s.id == statement_id)


class StatementBox(SphinxDirective):
    """``{statement} T3a``: the box comes from the `Statement` itself."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        statement = find(self.arguments[0])
        text = f"{boxed(statement)}\n\nProof, evidence and counterexamples: [{statement.id}]({statement.id})."
        return self.parse_text_to_nodes(text)


class LaboratoryFrame(SphinxDirective):
    """``{laboratory} T3a``: the laboratory with this theorem loaded."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", frame(find(self.arguments[0]).id, "../"), format="html")]


def frame(statement_id: str, up: str) -> str:
    address = f"{up}lab/index.html?id={statement_id}"
    attributes = f'class="laboratory" loading="lazy" title="Laboratory: {statement_id}"'
    return (
        f'<iframe {attributes} src="{address}&amp;embed=1"></iframe>'
        f'<p><a href="{address}">The laboratory on a page of its own</a></p>'
    )


def sections(text: str) -> dict[str, str]:
    """Return the text under each second-level heading."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def slides(text: str) -> list[str]:
    """Return a chapter's five slides as HTML: example, definition, theorem, laboratory, exercises."""
    title = re.search(r"^# (.*)$", text, re.MULTILINE)
    parts = sections(text)
    first = f"<h2>{escape(title[1] if title else '')}</h2>{markdown(short(parts['A motivating example']))}"
    box = find(re.findall(r"\{statement\} (\w+)", parts["Theorem"])[-1])
    formulas = "".join(breakable(claim, block=True) for claim in claims(box.latex))
    theorem = f"<h3>{box.id}: {escape(box.title)}</h3><p>{escape(short(box.plain))}</p>{formulas}"
    laboratory = frame(re.findall(r"\{laboratory\} (\w+)", parts["In the laboratory"])[0], "../../")
    asked = re.findall(
        r"\{admonition\} (Exercise .*?)\n:class: exercise\n\n(.*?)\n\n:::\{dropdown\}", parts["Exercises"], re.DOTALL
    )
    exercises = "".join(f"<h4>{escape(name)}</h4>{markdown(question)}" for name, question in asked)
    definition = f"<h3>Definition</h3>{markdown(short(parts['Definition']))}"
    return [first, definition, theorem, laboratory, f"<h3>Exercises</h3>{exercises}"]


def short(text: str) -> str:
    """Return whole sentences while they fit on a slide."""
    kept: list[str] = []
    for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z“$*])", text.replace("`", "")):
        if kept and len(" ".join([*kept, sentence]).split()) > WORDS:
            break
        kept.append(sentence)
    return " ".join(kept)


STYLE = """
:root { --ground: #fff; --text: #1b1f24; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --text: #e9edf2; } a { color: #8fc1ff; } }
body, .reveal-viewport { background: var(--ground); color: var(--text); margin: 0; }
.reveal { font: 26px/1.4 system-ui, sans-serif; }
.reveal .slides section { text-align: left; }
.reveal math { font-size: 0.9em; }
.reveal .claim, .reveal math[display="block"] { margin: 0.4rem 0; text-align: left; width: fit-content; }
.reveal .controls, .reveal .progress { color: var(--text); }
.reveal iframe { width: 100%; height: 32rem; border: 1px solid #888; }
"""


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="reveal.css"><style>{style}</style>
</head>
<body>
<div class="reveal"><div class="slides">
{shown}
</div></div>
<script src="reveal.js"></script>
<script>Reveal.initialize({{ hash: true, transition: "none" }});</script>
</body>
</html>
"""


def slide_page(title: str, pages: list[str]) -> str:
    shown = "\n".join(f"<section>{page}</section>" for page in pages)
    return PAGE.format(title=escape(title), style=STYLE, shown=shown)


def write_slides(app: Any, problem: Exception | None) -> None:
    if problem is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "course" / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("reveal.css", "reveal.js"):
        shutil.copyfile(REVEAL / name, folder / name)
    for file in chapters(Path(app.srcdir)):
        text = file.read_text(encoding="utf-8")
        (folder / f"{file.stem}.html").write_text(slide_page(file.stem, slides(text)), encoding="utf-8")


def chapters(source: Path) -> list[Path]:
    """Return the files of the course that are chapters: those with a theorem."""
    return [
        file for file in sorted((source / "course").glob("*.md")) if "{statement}" in file.read_text(encoding="utf-8")
    ]


def setup(app: Any) -> dict[str, Any]:
    app.add_directive("statement", StatementBox)
    app.add_directive("laboratory", LaboratoryFrame)
    app.connect("build-finished", write_slides)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
