"""Sphinx configuration. Nothing is fetched, neither while building nor by readers' browsers."""

import sys
from pathlib import Path
from typing import Any

import tabular_inversion

sys.path.insert(0, str(Path(__file__).parent))  # for offline_math, statement_pages and course_pages

project = "tabular-inversion"
author = "The tabular-inversion developers"
project_copyright = "2026, the tabular-inversion developers"
version = release = tabular_inversion.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "offline_math",
    "course_pages",
]
html_math_renderer = "mathml"
templates_path = ["_templates"]
exclude_patterns = ["_build", "jupyter_execute", "_templates", "lab"]

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autosummary_generate = True
autosummary_ignore_module_all = False
default_role = "py:obj"  # single backticks in docstrings name code
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters say it in words, with shapes
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "tabular-inversion"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
SINGLE_PAGES = (
    "index",
    "quickstart",
    "verdicts",
    "goal_sets",
    "graph_theory",
    "atlas",
    "comparison",
    "notation",
    "noisy_values",
    "p_learning",
    "statements/index",
    "own_theorem",
    "course/*",
    "formal",
    "experiments/*",
    "conventions",
    "kernel_class",
    "dependencies",
    "changelog",
    "contributing",
)
html_sidebars: dict[str, list[str]] = {page: [] for page in SINGLE_PAGES}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "tango",
}


def setup(app: Any) -> None:
    """Write the pages of the statements before Sphinx looks for pages, and the laboratory beside them."""
    from statement_pages import write_pages

    from proofs_checks.laboratory import write_laboratory

    app.connect("builder-inited", lambda _app: write_pages())
    app.connect("builder-inited", lambda built: write_laboratory(Path(built.outdir) / "lab"))
