"""The report as one self-contained page: no network, no scripts, readable on a phone and in print.

Needs the extra ``report``: Jinja2 fills the page in, latex2mathml turns formulas into MathML, which browsers show by
themselves, and markdown-it-py reads the proofs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from proofs_checks import statements
from proofs_checks.instance import Instance
from proofs_checks.statement import LEVELS
from tabular_inversion import identify
from tabular_inversion.errors import MissingDependencyError

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from mdit_py_plugins.dollarmath import dollarmath_plugin
except ModuleNotFoundError as missing:
    # A module's name is not always that of the distribution.
    library = {"markdown_it": "markdown-it-py", "mdit_py_plugins": "mdit-py-plugins"}.get(
        str(missing.name).partition(".")[0], str(missing.name)
    )
    raise MissingDependencyError.of("the HTML report needs", library, "report") from missing

_TALLEST = 12
"""Kernels with more rows than this are drawn without their numbers."""


def render(report: dict[str, Any], *, now: datetime | None = None) -> str:
    """Return the page for a report of `verify`.

    Parameters
    ----------
    report : dict
        What ``tabular-inversion verify --json`` prints.
    now : datetime, optional
        The time to put on the page; the present when omitted.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> from proofs_checks.running import run_statements
    >>> from proofs_checks.t3b_spanning_rewards import STATEMENT
    >>> summary = {"statements": 1, "held": 1, "failed": 0, "worlds": 0}
    >>> facts = {"summary": summary, "worlds": [], "effort": "quick", "seed": 0, "seconds": 1.0, "versions": {}}
    >>> page = render(facts | {"statements": run_statements([STATEMENT])})
    >>> "<math" in page, "<script" in page, "http" in page.replace("http://www.w3.org/1998/Math/MathML", "")
    (True, False, False)
    """
    known = {statement.id: statement for statement in statements()}
    return (
        _templates()
        .get_template("page.html.jinja")
        .render(
            report=report,
            statements=[(known[row["id"]], row, _by_level(row)) for row in report["statements"]],
            levels=LEVELS,
            draw=draw_instance,
            when=(now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )


def mathml(latex: str, *, block: bool = False) -> str:
    """Turn a formula into MathML.

    Examples
    --------
    >>> mathml("x")
    '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>x</mi></mrow></math>'
    """
    return str(convert(latex, display="block" if block else "inline"))


_RELATIONS = frozenset("=<>+-") | {
    rf"\{name}" for name in ("le", "ge", "leq", "geq", "ne", "in", "notin", "iff", "Rightarrow", "Leftarrow", "implies",
                             "to", "mapsto", "subseteq", "quad", "qquad", "text")
}  # fmt: skip
_OPENING = frozenset((*"([{", r"\{", r"\begin", r"\left", r"\langle", r"\lfloor"))
_CLOSING = frozenset((*")]}", r"\}", r"\end", r"\right", r"\rangle", r"\rfloor"))


def breakable(latex: str, *, block: bool = False, longest: int = 24) -> str:
    """Turn a formula into MathML that a browser can break before relations and signs outside brackets.

    Browsers do not break lines inside one ``math`` element; a formula is written as several, side by side.

    Parameters
    ----------
    latex : str
        The formula.
    block : bool
        Whether it stands on a line of its own.
    longest : int
        Formulas with no more symbols than this stay whole.

    Examples
    --------
    >>> breakable("a = b").count("<math"), breakable("a = b + (c - d)", longest=3).count("<math")
    (1, 3)
    """
    tokens = re.findall(r"\\[a-zA-Z]+|\\.|\S|\s+", latex)
    if sum(not symbol.isspace() for symbol in tokens) <= longest:
        return mathml(latex, block=block)
    parts, depth = [""], 0
    for i, symbol in enumerate(tokens):
        before = "".join(tokens[:i]).rstrip()[-1:]
        if symbol in _RELATIONS and depth == 0 and parts[-1].strip() and before not in {"^", "_", "&"}:
            parts.append("" if symbol in {r"\quad", r"\qquad"} else "{}")
        depth = max(0, depth + (symbol in _OPENING) - (symbol in _CLOSING))
        parts[-1] += symbol
        if symbol == "," and depth == 0:
            parts.append("")
    shown = [mathml(part) for part in parts if part.strip() not in {"", "{}"}]
    if block:
        shown = [part.replace('display="inline"', 'display="inline" displaystyle="true"') for part in shown]
        return f'<div class="claim">{"<wbr>".join(shown)}</div>'
    return "<wbr>".join(shown)


def claims(latex: str) -> list[str]:
    r"""Split the formula of a statement where one claim ends with a semicolon and the next begins.

    Examples
    --------
    >>> claims(r"a = b; \quad c = d; \qquad e")
    ['a = b', 'c = d', 'e']
    """
    return re.split(r";\s*\\q*uad\s*", latex)


def joined(text: str) -> str:
    r"""Put each formula inside a paragraph on one line: a line that begins with a sign would begin a list.

    Examples
    --------
    >>> joined("as $a\n+ b$ is\n- so to speak - odd")
    'as $a + b$ is\n- so to speak - odd'
    """
    pieces = re.split(r"(\$\$.*?\$\$|\$.*?\$|`.*?`)", text, flags=re.DOTALL)
    inline = [piece[:1] == "$" and piece[:2] != "$$" for piece in pieces]
    return "".join(" ".join(piece.split()) if one else piece for piece, one in zip(pieces, inline, strict=True))


def markdown(text: str) -> str:
    """Turn a proof, Markdown with dollar signs around formulas, into HTML.

    Examples
    --------
    >>> found = markdown("Let $x$ be *free*.")
    >>> "<math" in found, "<em>free</em>" in found
    (True, True)
    """
    reader = MarkdownIt("commonmark", renderer_cls=RendererHTML)
    dollarmath_plugin(
        reader, allow_labels=False, renderer=lambda formula, options: breakable(formula, block=options["display_mode"])
    )
    return str(reader.render(joined(text)))


def draw_instance(instance: dict[str, Any]) -> str:
    """Return the heat maps of an instance as HTML; see `pictures`."""
    return _templates().get_template("pictures.html.jinja").render(instance=instance, pictures=pictures(instance))


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("proofs_checks", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"mathml": breakable, "claims": claims, "markdown": markdown, "worst": _worst}
    return environment


def pictures(instance: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the heat maps that show an instance: a matrix of cells (text, shade) for each action, and the rewards.

    Parameters
    ----------
    instance : dict
        As `Instance.to_dict` returns it.

    Returns
    -------
    list of dict
        ``title``, ``rows`` (cells with ``text``, ``shade`` from 0 to 1, ``title``), and ``plain``: whether numbers fit.
    """
    kernel, available = instance["kernel"], instance["available"]
    n_actions = len(kernel[0])
    drawn = [
        _heat_map(
            "kernel" if n_actions == 1 else f"kernel, action {a}",
            [row[a] if available[s][a] else ["0"] * len(kernel) for s, row in enumerate(kernel)],
        )
        for a in range(n_actions)
    ]
    drawn.append(_heat_map("rewards, a row for each goal", instance["rewards"]))
    drawn += _shown(Instance.from_dict(instance))
    if any(Fraction(c) != 1 for row in instance["continuation"] for c in row):
        drawn.append(_heat_map("continuation", instance["continuation"]))
    further = {"action rewards, goal": instance["action_rewards"]} | instance["extra"]
    if n_actions > 1:
        further = {"policy, a row for each state": instance["policy"]} | further
    return drawn + [_heat_map(*table) for name, values in further.items() for table in _tables(name, values)]


def _shown(instance: Instance) -> list[dict[str, Any]]:
    """Return M, the values of each row, and two rows that they do not tell apart, if there are."""
    agent = instance.agent
    drawn = [
        _heat_map("M, a row for each goal", _texts(agent.test_matrix)),
        _heat_map("values, a column for each state and action", _texts(agent.right_hand_sides)),
    ]
    for scope, title in (
        ("instance", "two rows with these values"),
        ("uniform", "two rows that M does not tell apart"),
    ):
        witness = identify(agent, instance.row_class, scope=scope).witness  # type: ignore[arg-type]
        if witness is not None:
            where = f", state {witness.state}, action {witness.action}" if scope == "instance" else ""
            return [*drawn, _heat_map(f"{title}{where}", _texts([witness.first, witness.second]))]
    return drawn


def _texts(values: Any) -> list[list[str]]:
    return [[str(x) for x in row] for row in values]


def _tables(title: str, values: Any) -> list[tuple[str, list[list[str]]]]:
    """Return numbers, nested one to three deep, as tables with titles; those nested deeper one after another."""
    if values is None:
        return []
    if isinstance(values[0], str):
        return [(title, [values])]
    if isinstance(values[0][0], str):
        return [(title, values)]
    return [(f"{title} {i}" if len(values) > 1 else title, part) for i, part in enumerate(values)]


def _heat_map(title: str, texts: list[list[str]]) -> dict[str, Any]:
    """Shade the numbers of a matrix by their size."""
    numbers = [[Fraction(text) for text in row] for row in texts]
    largest = max((abs(x) for row in numbers for x in row), default=Fraction(0)) or Fraction(1)
    rows = [
        [
            {"text": text, "shade": float(abs(x) / largest), "negative": x < 0, "title": f"row {i}, column {j}: {text}"}
            for j, (text, x) in enumerate(zip(row, values, strict=True))
        ]
        for i, (row, values) in enumerate(zip(texts, numbers, strict=True))
    ]
    return {"title": title, "rows": rows, "plain": max(len(rows), len(texts[0])) <= _TALLEST}


def _by_level(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sum up the checks of a statement at each level."""
    found = {}
    for level in {check["level"] for check in row["evidence"]}:
        checks = [check for check in row["evidence"] if check["level"] == level]
        found[level] = {
            "instances": sum(check["instances"] for check in checks),
            "held": all(check["held"] for check in checks),
        }
    return found


def _worst(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"
