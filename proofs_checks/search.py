"""Search for counterexamples: hypothesis draws instances that lack one assumption and shrinks one that refutes.

``python -m proofs_checks.search T3b`` searches for every hypothesis of T3b that says where to look, and writes what it
finds to ``proofs_checks/stored/T3b.json``, from where `verify` replays it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from proofs_checks.instance import Instance
from proofs_checks.statement import Statement
from proofs_checks.stored import entries


def find_counterexample(
    statement: Statement, drops: str, *, seed: int = 0, max_examples: int = 5000
) -> Instance | None:
    """Search for a small instance that satisfies all hypotheses but one, and refutes the conclusion.

    Parameters
    ----------
    statement : Statement
        Whose hypothesis `drops` has `violations`.
    drops : str
        The name of that hypothesis.
    seed : int
        Of the search; the same seed finds the same instance.
    max_examples : int
        How many instances to try before giving up.

    Returns
    -------
    Instance or None
        A minimal one, as far as hypothesis shrinks; None if none was found.

    Raises
    ------
    LookupError
        If there is no such hypothesis, or it does not say where to look.

    Examples
    --------
    >>> from proofs_checks.t3b_spanning_rewards import STATEMENT
    >>> found = find_counterexample(STATEMENT, "the rewards span: rank R = n")
    >>> found.world.n_states
    2
    """
    from hypothesis import HealthCheck, find, settings
    from hypothesis.errors import NoSuchExample

    chosen = [h for h in statement.hypotheses if h.name == drops]
    if not chosen or chosen[0].violations is None:
        options = [h.name for h in statement.hypotheses if h.violations is not None]
        raise LookupError(f"{statement.id} has no searchable hypothesis {drops!r}; there are {options}.")

    def refutes(instance: Instance) -> bool:
        return statement.lacks_only(instance, drops) and not statement.conclude(instance).holds

    quiet = settings(max_examples=max_examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    try:
        return find(chosen[0].violations(), refutes, settings=quiet, random=Random(seed))  # noqa: S311 - a search
    except NoSuchExample:
        return None


def search_all(statement: Statement, *, seed: int = 0) -> list[dict[str, Any]]:
    """Return the entries to store: what the search finds, and what was put there by hand and is not searched."""
    searched = {h.name for h in statement.hypotheses if h.violations is not None}
    kept = [entry for entry in entries(statement.id) if entry["name"] not in searched]
    found = []
    for name in sorted(searched):
        instance = find_counterexample(statement, name, seed=seed)
        if instance is None:
            raise LookupError(f"{statement.id}: the search found no counterexample without {name!r}.")
        found.append({"name": name, "found": f"search, seed {seed}", "instance": instance.to_dict()})
    return kept + found


def main(arguments: Sequence[str] | None = None) -> int:
    """Search for the statements named (all if none) and write what is found.

    Examples
    --------
    >>> main(["T0"])
    Traceback (most recent call last):
    SystemExit: unknown statement T0
    """
    from proofs_checks import statements

    known = {statement.id: statement for statement in statements()}
    for name in list(sys.argv[1:] if arguments is None else arguments) or list(known):
        if name not in known:
            sys.exit(f"unknown statement {name}")
        found = search_all(known[name])
        if found:
            write(name, found)
    return 0


def write(statement_id: str, found: list[dict[str, Any]]) -> Path:
    """Write the stored counterexamples of a statement, whole or not at all."""
    file = Path(__file__).parent / "stored" / f"{statement_id}.json"
    file.with_suffix(".part").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file.with_suffix(".part").replace(file)


if __name__ == "__main__":
    sys.exit(main())
