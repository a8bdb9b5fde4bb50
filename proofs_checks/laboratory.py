"""The laboratory: static pages on which students switch off a hypothesis and watch a theorem fail.

The pages compute by themselves, exactly, in plain JavaScript; a test compares their answers with this package's. What
they show of the statements (words, formulas, stored counterexamples) is written beside them from the statements.
Needs the extra ``report`` for formulas.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proofs_checks import statements
from proofs_checks.instance import Instance
from proofs_checks.statement import Statement
from tabular_inversion.errors import FileAccessError

PAGES = ("index.html", "lab.css", "numbers.js", "algebra.js", "world.js", "verdict.js", "statements.js",
         "pictures.js", "app.js")  # fmt: skip
"""What is copied as it stands; ``data.js`` is written."""

_LARGEST = 3
"""About how many states a first world has."""


def source_folder() -> Path:
    """Return where the pages are: inside an installed package, or in the documentation of a checkout."""
    here = Path(__file__).parent
    for folder in (here / "lab", here.parent / "docs" / "lab"):
        if (folder / "index.html").is_file():
            return folder
    raise FileAccessError(f"the laboratory's pages are not beside {here}; install the package again.")


def write_laboratory(folder: Path) -> Path:
    """Write all pages into a folder that any web server, or a browser without one, can show.

    Parameters
    ----------
    folder : pathlib.Path
        Made where it is missing.

    Returns
    -------
    pathlib.Path
        The page to open.

    Raises
    ------
    FileAccessError
        If the pages cannot be read, or not be written there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     page = write_laboratory(Path(name))
    ...     page.name, (page.parent / "data.js").read_text().startswith("globalThis.LABORATORY")
    ('index.html', True)
    """
    source = source_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in PAGES:
            if (source / name).resolve() != (folder / name).resolve():
                shutil.copyfile(source / name, folder / name)
        text = json.dumps({"statements": [described(s) for s in statements()]}, ensure_ascii=False)
        (folder / "data.js").write_text(f"globalThis.LABORATORY = {text};\n", encoding="utf-8")
    except OSError as problem:
        raise FileAccessError(f"{folder}: the laboratory cannot be written there ({problem.strerror}).") from problem
    return folder / "index.html"


def described(statement: Statement) -> dict[str, Any]:
    """Return what a page shows of a statement: words, formulas, hypotheses, and worlds to start from."""
    from proofs_checks.page import breakable, claims

    return {
        "id": statement.id,
        "title": statement.title,
        "plain": statement.plain,
        "formulas": [breakable(claim, block=True) for claim in claims(statement.latex)],
        "hypotheses": [hypothesis.name for hypothesis in statement.hypotheses],
        "words": list(statement.words),
        "presets": list(presets(statement)),
    }


def presets(statement: Statement) -> Iterator[dict[str, Any]]:
    """Yield a world on which the statement holds, then its stored counterexamples that are small enough to edit."""
    yield {"name": "a world where it holds", "instance": first_instance(statement).to_dict()}
    for example in statement.counterexamples:
        if example.instance is not None:
            instance = example.instance()
            if max(instance.world.n_states, instance.goals.n_goals) <= 8:
                yield {"name": f"counterexample: {example.text}", "instance": instance.to_dict()}


def first_instance(statement: Statement) -> Instance:
    """Return a small world that satisfies all hypotheses, and so the conclusion; for X1 the graph K_{3,3}."""
    if statement.id == "X1":
        import networkx as nx

        from proofs_checks.x1_graph_discounts import on_graph

        return on_graph(nx.complete_bipartite_graph(3, 3), Fraction(1, 3))
    rng = np.random.default_rng(0)
    drawn = [statement.draw(rng, _LARGEST) for _ in range(12)]
    return max(drawn, key=lambda i: (i.world.n_states == _LARGEST, -i.world.n_actions, -i.goals.n_goals))
