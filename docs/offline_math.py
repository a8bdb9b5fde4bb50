"""Formulas as MathML, by the converter of the report: browsers show them without a network and without scripts.

A dollar sign that is left in a text is a formula that nobody read, and makes the build fail.
"""

from typing import Any

from docutils import nodes
from sphinx.util import logging

from proofs_checks.page import breakable, claims

logger = logging.getLogger(__name__)


def visit_inline(self: Any, node: nodes.math) -> None:
    self.body.append(breakable(node.astext()))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Long formulas stand on lines of their own, one for each claim, and scroll where even one is too wide."""
    lines = "".join(breakable(claim, block=True) for claim in claims(node.astext()))
    self.body.append(f'<div class="math-block" tabindex="0" role="group" aria-label="formula">{lines}</div>')
    raise nodes.SkipNode


def check_dollars(_app: Any, doctree: nodes.document, _name: str) -> None:
    for text in doctree.findall(nodes.Text):
        parents = []
        parent = text.parent
        while parent is not None:
            parents.append(parent)
            parent = parent.parent
        quoted = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block, nodes.comment)
        if "$" in text and not any(isinstance(p, quoted) for p in parents):
            logger.warning("a dollar sign is left in: %s", str(text)[:80], location=text.parent)


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("doctree-resolved", check_dollars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
