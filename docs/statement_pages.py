"""Write a page for each statement from its module: the statement, its proof, what was checked, and what breaks.

Runs before each build (see conf.py); the checks are those of ``tabular-inversion verify --effort quick``.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import tabular_inversion
from proofs_checks import MODULES, statements
from proofs_checks.formal_theory import definitions, formal_ids, theorems
from proofs_checks.page import draw_instance, joined
from proofs_checks.running import run_statements
from proofs_checks.statement import LEVELS, Statement
from tabular_inversion.parallel import usable_cores

FOLDER = Path(__file__).parent / "statements" / "generated"


def write_pages() -> None:
    """Run every statement and write its page, and the table of all."""
    known = statements()
    reports = run_statements(known, workers=usable_cores())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for module, statement, report in zip(MODULES, known, reports, strict=True):
        write_if_new(FOLDER / f"{module}.md", page(module, statement, report, [s.id for s in known]))
    write_if_new(FOLDER / "table.txt", table(known, reports))
    write_if_new(FOLDER / "rooms.txt", rooms_table())
    write_if_new(FOLDER / "levels.txt", levels_table(known, reports))
    write_if_new(FOLDER / "coq_definitions.txt", coq(definitions("Base")))


def rooms() -> dict[str, list[tuple[str, str]]]:
    """Return, for each statement, the modules of the package whose docstring's first line names it, with that line."""
    folder = Path(tabular_inversion.__file__).parent
    found: dict[str, list[tuple[str, str]]] = {statement.id: [] for statement in statements()}
    for path in sorted(folder.rglob("*.py")):
        line = path.read_text(encoding="utf-8").partition("\n")[0].strip('"')
        parts = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        named = {word for bracket in re.findall(r"\(([^)]*)\)", line) for word in bracket.split(", ")}
        for known in named & set(found):
            found[known].append((name, line))
    return found


def rooms_table() -> str:
    """Return the table of statements and the modules that decide or use them, in MyST."""
    lines = ["| statement | module | what it does |", "|---|---|---|"]
    for known, modules in rooms().items():
        lines += [f"| [{known}]({known}) | `{name}` | {line} |" for name, line in modules]
    return "\n".join(lines) + "\n"


def write_if_new(file: Path, text: str) -> None:
    """Leave a file alone that has this text already, so that Sphinx does not read it again."""
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def page(module: str, statement: Statement, report: dict[str, Any], ids: list[str]) -> str:
    """Return the page of one statement in MyST."""
    proof = linked(joined(statement.proof.strip()), [i for i in ids if i != statement.id])
    parts = [
        f"({statement.id})=\n# {statement.id}: {statement.title}",
        boxed(statement),
        f"*Source:* {statement.source}. *Assumed:*\n\n{assumed(statement)}",
        formal_sentences(statement.id),
        f"## Proof\n\n{proof} $\\square$" if not proof.endswith("$$") else f"## Proof\n\n{proof}\n\n$\\square$",
        f"## What was checked\n\n{evidence(report)}",
        counterexamples(report),
        mutations(report),
        laboratory(statement),
        in_the_package(module, statement),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def boxed(statement: Statement) -> str:
    """Return the statement in words and symbols."""
    head = f":::{{admonition}} Statement {statement.id}\n:class: statement\n"
    return f"{head}{statement.plain}\n\n$$\n{statement.latex}\n$$\n:::"


def assumed(statement: Statement) -> str:
    """Return the hypotheses, and in words what no predicate expresses."""
    return "\n".join(f"- {name}" for name in (*(h.name for h in statement.hypotheses), *statement.words))


def formal_sentences(statement_id: str) -> str:
    """Return the theorems of the Coq file without their proofs, each under its sentence."""
    known = theorems(statement_id)
    if not known:
        return ""
    lines = [
        f"## In Coq\n\nWhat `formal/{statement_id}.v` proves at all sizes, in words and in Coq, without the proofs.",
        f"Does Coq accept them on your machine? `tabular-inversion verify {statement_id} --effort full`.",
    ]
    own = definitions(statement_id)
    lines += [f"Defined there, beside what all files share:\n\n{coq(own)}"] if own else []
    for theorem in known:
        stated = "\n\n".join(part for part in (theorem.context, theorem.text) if part)
        lines.append(f"{cell(theorem.sentence)}\n\n{coq(stated)}")
    return "\n\n".join(lines)


def coq(text: str) -> str:
    """Return a block of Coq."""
    return f"```{{code-block}} coq\n{text}\n```"


def levels_table(known: tuple[Statement, ...], reports: list[dict[str, Any]]) -> str:
    """Return the table of statements and levels; the last column counts the theorems that wait for Coq."""
    lines = ["| | " + " | ".join(LEVELS[:-1]) + " | theorems for Coq |", "|---|" + "---:|" * len(LEVELS)]
    for statement, report in zip(known, reports, strict=True):
        counts = [sum(c["instances"] for c in report["evidence"] if c["level"] == level) for level in LEVELS[:-1]]
        cells = [*(str(count or "") for count in counts), str(len(theorems(statement.id)) or "")]
        lines.append(f"| [{statement.id}]({statement.id}) | " + " | ".join(cells) + " |")
    others = [name for name in formal_ids() if name not in {statement.id for statement in known}]
    lines += [f"| {name} |" + " |" * (len(LEVELS) - 1) + f" {len(theorems(name))} |" for name in others]
    return "\n".join(lines) + "\n"


def linked(text: str, ids: list[str]) -> str:
    """Turn the names of other statements into links, outside formulas.

    Formulas are every second piece of what `re.split` returns.
    """
    if not ids:
        return text
    pieces = re.split(r"(\$\$.*?\$\$|\$.*?\$|`.*?`)", text, flags=re.DOTALL)
    name = re.compile(r"(?<![\w{(\[])(" + "|".join(sorted(ids, key=len, reverse=True)) + r")(?![\w\])])")
    return "".join(piece if i % 2 else name.sub(r"[\1](\1)", piece) for i, piece in enumerate(pieces))


def evidence(report: dict[str, Any]) -> str:
    """Return the table of checks, and the levels that are open."""
    lines = ["| level | what | instances | worst | |", "|---|---|---:|---:|---|"]
    for check in report["evidence"]:
        worst = "0" if check["worst"] == 0 else f"{check['worst']:.1e}"
        held = "held" if check["held"] else "**FAILED**"
        lines.append(f"| {check['level']} | {cell(check['title'])} | {check['instances']} | {worst} | {held} |")
    lines += [f"| {level} | open: {cell(reason)} | | | |" for level, reason in report["open_levels"].items()]
    lines += [f"| | at other efforts: {cell(line)} | | | |" for line in report["left_out"]]
    command = f"tabular-inversion verify {report['id']}"
    rerun = f"Run when this page was built. Again: `{command}`, with more instances `{command} --effort full`."
    return "\n".join(lines) + f"\n\n{rerun}"


def cell(text: str) -> str:
    """Make a text safe inside a table."""
    return text.replace("|", "\\|").replace("_", "\\_")


def counterexamples(report: dict[str, Any]) -> str:
    """Return what breaks without each hypothesis, drawn where an instance can be."""
    if not report["counterexamples"]:
        return ""
    parts = ["## Each hypothesis is needed"]
    for example in report["counterexamples"]:
        shown = "" if example["shown"] else " (**NOT SHOWN**)"
        parts.append(f"**Without “{cell(example['drops'])}”**: {cell(example['text'])}{shown}.")
        if example["instance"] is not None:
            drawn = "\n".join(line for line in draw_instance(example["instance"]).splitlines() if line.strip())
            parts.append(f"```{{raw}} html\n{drawn}\n```")
    return "\n\n".join(parts)


def mutations(report: dict[str, Any]) -> str:
    """Return the wrong variants that the checks refuted."""
    lines = [f"- {cell(m['changes'])}: refuted, {cell(m['by'])}" for m in report["mutations"]]
    return "## Wrong variants, refuted by the same checks\n\n" + "\n".join(lines) if lines else ""


def laboratory(statement: Statement, *, up: str = "../..") -> str:
    """Return the frame in which the statement can be broken; it is loaded when a reader comes to it."""
    address = f"{up}/lab/index.html?id={statement.id}"
    attributes = f'class="laboratory" loading="lazy" title="Laboratory: {statement.id}"'
    lines = (
        "## In the laboratory\n\nSwitch off one assumption, and watch the statement fail.\n\n```{raw} html",
        f'<iframe {attributes} src="{address}&amp;embed=1"></iframe>',
        f'<p><a href="{address}">The laboratory on a page of its own</a></p>\n```',
    )
    return "\n".join(lines)


def in_the_package(module: str, statement: Statement) -> str:
    """Return where the statement's code is."""
    names = "".join(f", {{py:obj}}`{name.rpartition('.')[2]} <{documented(name)}>`" for name in statement.api)
    own = f"{{download}}`proofs_checks.{module} <../../../proofs_checks/{module}.py>`"
    return f"## In the package\n\n{own}{names}."


def documented(name: str) -> str:
    """Return where the reference describes a name: in the room that exports it, or the room itself if none does."""
    package, first, *rest = name.split(".")
    top = first in tabular_inversion.__all__
    room = f"{package}.{getattr(tabular_inversion, first).__module__.split('.')[1] if top else first}"
    module = import_module(room)
    exported = getattr(module, "__all__", dir(module))
    inside = [first, *rest] if top else rest
    if inside[0] in exported:
        return ".".join([room, *inside])
    return f"{room}.{rest[-1]}" if rest[-1] in exported else room


def table(known: tuple[Statement, ...], reports: list[dict[str, Any]]) -> str:
    """Return the table of all statements for the index page."""
    lines = ["| | statement | evidence | counterexamples |", "|---|---|---|---:|"]
    for statement, report in zip(known, reports, strict=True):
        reached = {check["level"] for check in report["evidence"] if check["held"]}
        levels = ", ".join(level for level in LEVELS if level in reached)
        count = sum(example["shown"] for example in report["counterexamples"])
        lines.append(f"| [{statement.id}]({statement.id}) | {statement.title} | {levels} | {count} |")
    tree = "\n".join(["```{toctree}", ":hidden:", "", *(f"generated/{module}" for module in MODULES), "```"])
    return "\n".join(lines) + f"\n\n{tree}\n"
