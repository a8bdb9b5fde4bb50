"""Checks of every statement of the theory, with what happens when a hypothesis is dropped.

One module for each statement; each calls `tabular_inversion` and nothing private to itself.

=========  ===============================  ================  ==================================================
Statement  Module                           Source            Levels reached
=========  ===============================  ================  ==================================================
L1         ``l1_resolvent``                 paper, Lemma 1    exact, numeric
T1         ``t1_closed_form``               paper, Theorem 1  exact (fixed point), numeric (rate)
T2a        ``t2a_deterministic_one_goal``   paper, Theorem 2  exact, numeric
T3a        ``t3a_generic_goals``            paper, Theorem 3  exact, numeric
T3b        ``t3b_spanning_rewards``         paper, Theorem 3  exact, numeric
T5a        ``t5a_known_support``            paper, Theorem 5  exact, numeric
=========  ===============================  ================  ==================================================

The paper is arXiv 2606.21173. Levels `symbolic` and `universal` are open for all of them: no check was written yet.
`proofs_checks.worlds` recovers the worlds of public environments; it checks the package, not a statement.
"""

from __future__ import annotations

from importlib import import_module

from proofs_checks.statement import Statement

MODULES = (
    "l1_resolvent",
    "t1_closed_form",
    "t2a_deterministic_one_goal",
    "t3a_generic_goals",
    "t3b_spanning_rewards",
    "t5a_known_support",
)

__all__ = ["MODULES", "statements"]


def statements() -> tuple[Statement, ...]:
    """Return every statement, in the order of the theory.

    Examples
    --------
    >>> [statement.id for statement in statements()]
    ['L1', 'T1', 'T2a', 'T3a', 'T3b', 'T5a']
    """
    return tuple(import_module(f"proofs_checks.{name}").STATEMENT for name in MODULES)
