"""The rules of the house: which room may import which, sizes, what `import tabular_inversion` loads, docstrings."""

import ast
import importlib
import inspect
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import networkx as nx
import pytest

import tabular_inversion
from tabular_inversion.errors import KernelError

ROOT = Path(__file__).parent.parent
PACKAGES = ("tabular_inversion", "proofs_checks")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ROOMS = (
    "checker",
    "errors",
    "kinds",
    "_typing",
    "parallel",
    "validation",
    "highs",
    "storage",
    "records",
    "record_files",
    "normalisation",
    "kernel_rows",
    "observed",
    "mdp",
    "interval_mdp",
    "goals",
    "policies",
    "agent_values",
    "linear_systems",
    "bellman",
    "kernel_classes",
    "class_tables",
    "exact",
    "recovery",
    "identifiability",
    "equivalence",
    "error_bounds",
    "inversion",
    "streaming",
    "diagnosis",
    "planning",
    "discounts",
    "sufficiency",
    "certificates",
    "learning",
    "ensembles",
    "environments",
    "atlas",
    "interop",
    "strategies",
    "plotting",
    "experiments",
    "tabular_inversion",
    "proofs_checks",
    "cli",
    "proofs_checks.commands",
    "__main__",
)
"""The rooms in order: a module imports from its own room and from those before it, never from one after it.

The public face, `tabular_inversion/__init__.py`, and the second package, `proofs_checks`, have their places too."""
LIBRARIES_LOADED_LATE = {"networkx", "sympy", "flint", "matplotlib", "gymnasium", "hypothesis", "typer", "rich"}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_SILENCED = 30


def name_of(path: Path) -> str:
    """Name a file as `import` does."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(source: str, module: str, *, is_package: bool) -> Iterator[str]:
    """Yield every module that `source` imports, also inside functions, by its full name."""
    known = {name_of(path) for path in MODULES}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".") if is_package else module.split(".")[:-1]
            start = base[: len(base) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            submodules = [f"{origin}.{alias.name}" for alias in node.names if f"{origin}.{alias.name}" in known]
            yield from submodules
            if len(submodules) < len(node.names):
                yield origin


def place(module: str) -> int:
    """Say where a module stands in the order of rooms."""
    package, _, rest = module.partition(".")
    if module.startswith("proofs_checks.commands"):
        return ROOMS.index("proofs_checks.commands")
    room = rest.partition(".")[0] if package == "tabular_inversion" else ""
    return ROOMS.index(room or package)


def wrong_imports(source: str, module: str, *, is_package: bool) -> list[str]:
    """List the imports of a module that go against the order of the rooms."""
    own = place(module)
    return [
        other
        for other in imported_modules(source, module, is_package=is_package)
        if other.partition(".")[0] in PACKAGES and place(other) > own
    ]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """List the sets of modules, each sorted, that import one another in a circle."""
    network = nx.DiGraph([(module, other) for module, others in graph.items() for other in others])
    loops = set(nx.nodes_with_selfloops(network))
    parts = nx.strongly_connected_components(network)
    return sorted(sorted(part) for part in parts if len(part) > 1 or part & loops)


def silenced(source: str) -> list[int]:
    """Return the numbers of the lines whose comments silence the type checker."""
    return [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and re.match(r"#\s*type:\s*ignore", token.string)
    ]


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code: no blank lines, comments or docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def long_functions(source: str) -> dict[str, int]:
    """Return the functions above the limit, with their number of code lines."""
    lines = code_lines(source)
    sizes = {
        node.name: len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES}


def test_few_lines_silence_the_type_checker() -> None:
    assert silenced("x = '# type: ignore'\ny = f()  # type: ignore[misc]\nz = 1  #type: ignore\n") == [2, 3]
    places = [f"{name_of(path)}:{line}" for path in MODULES for line in silenced(path.read_text())]
    assert len(places) <= MAX_SILENCED, f"{len(places)} lines: {', '.join(places)}; write the type instead"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_import_only_rooms_before_them(path: Path) -> None:
    wrong = wrong_imports(path.read_text(), name_of(path), is_package=path.name == "__init__.py")
    assert not wrong, f"{name_of(path)} imports {wrong}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from tabular_inversion.bellman import solve", ["tabular_inversion.bellman"]),
        ("def f():\n    import tabular_inversion.plotting", ["tabular_inversion.plotting"]),
        ("from tabular_inversion import MDP", ["tabular_inversion"]),
        ("from tabular_inversion import policies", ["tabular_inversion.policies"]),
        ("from .agent_values import AgentValues", ["tabular_inversion.agent_values"]),
        ("import proofs_checks", ["proofs_checks"]),
        ("import numpy\nfrom tabular_inversion import errors\nfrom .validation import locate", []),
    ],
)
def test_the_import_rule_catches_wrong_imports(source: str, found: list[str]) -> None:
    assert wrong_imports(source, "tabular_inversion.goals", is_package=False) == found


def test_no_files_import_one_another_in_a_circle() -> None:
    """Imports inside functions count: they hide a circle, and do not open it."""
    graph = {
        name_of(path): {
            other
            for other in imported_modules(path.read_text(), name_of(path), is_package=path.name == "__init__.py")
            if other.partition(".")[0] in PACKAGES
        }
        for path in MODULES
    }
    assert len(graph) > 100
    assert not circles(graph)


def test_the_rule_of_circles_finds_them() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]
    assert circles({"a": {"a"}, "b": {"a"}}) == [["a"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    inside = "def f():\n    from tabular_inversion.goals import Goals"
    assert list(imported_modules(inside, "tabular_inversion.mdp", is_package=False)) == ["tabular_inversion.goals"]


def test_every_room_is_in_the_order() -> None:
    found = {name_of(path).split(".")[1] for path in MODULES if name_of(path).startswith("tabular_inversion.")}
    assert found | {"tabular_inversion", "proofs_checks", "proofs_checks.commands"} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= MAX_MODULE_LINES
    assert not long_functions(source)


def test_the_size_rule_counts_code_and_nothing_else() -> None:
    padding = '    """Text.\n\n    More text.\n    """\n    # Why.\n\n'
    body = "    x = 1\n" * (MAX_FUNCTION_LINES - 1)
    assert not long_functions("def fits():\n" + padding + body)
    assert long_functions("def too_long():\n" + padding + body + "    return (\n        x\n    )\n") == {"too_long": 53}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_pickle_and_no_mention_of_what_users_cannot_see(path: Path) -> None:
    source = path.read_text()
    imports = {name.partition(".")[0] for name in imported_modules(source, name_of(path), is_package=False)}
    assert not imports & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
    assert "allow_pickle=True" not in source
    assert not re.findall(r"THEORY\.md|DESIGN\.md|STYLE\.md|shared/|issue #?\d", source)


def test_the_package_does_without_the_statements() -> None:
    """What serves them is found by name: `tabular_inversion.cli.plugs`."""
    package = [path for path in MODULES if path.is_relative_to(ROOT / "tabular_inversion")]
    wrong = [
        name_of(path)
        for path in package
        if any(
            name.partition(".")[0] == "proofs_checks"
            for name in imported_modules(path.read_text(), name_of(path), is_package=path.name == "__init__.py")
        )
    ]
    assert not wrong


def test_no_ladder_asks_which_kernel_class_it_is() -> None:
    """What depends on the class stands in a table of its own (`ClassTable`), or is a method of the class."""
    classes = "Unconstrained|Stochastic|Supported|Sparse|Deterministic"
    ladder = re.compile(rf"isinstance\(\S*kernel_class, .*({classes})")
    assert ladder.search("if isinstance(question.kernel_class, Sparse | Deterministic):")
    assert not [name_of(path) for path in MODULES if ladder.search(path.read_text())]


def test_every_verify_raises_or_returns_nothing() -> None:
    found = [
        (name_of(path), ast.unparse(node.returns) if node.returns is not None else "nothing stated")
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name in {"verify", "check_verdict"}
    ]
    assert len(found) > 20
    assert not [(name, returns) for name, returns in found if returns != "None" and not name.endswith("cli.app")]


def test_import_loads_no_heavy_library() -> None:
    code = "import sys, tabular_inversion; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "tabular_inversion" in loaded
    assert not loaded & {"numpy", "scipy", *LIBRARIES_LOADED_LATE}


def without_example(module: ModuleType) -> list[str]:
    """List the functions and classes in a module's `__all__` whose docstring shows no example; errors need none."""
    exported = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return [
        name
        for name, value in exported.items()
        if (inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, Exception)))
        and ">>>" not in (inspect.getdoc(value) or "")
    ]


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of)
def test_public_names_have_a_docstring_with_an_example(path: Path) -> None:
    assert not without_example(importlib.import_module(name_of(path)))


def test_the_docstring_rule_sees_what_is_missing() -> None:
    module = ModuleType("invented")
    exported = {"place": place, "MDP": tabular_inversion.MDP, "KernelError": KernelError}
    vars(module).update(exported, __all__=list(exported))
    assert without_example(module) == ["place"]


def test_versions_agree_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert citation is not None
    assert project["version"] == tabular_inversion.__version__ == citation[1]
    assert f"[{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()
