"""Checks of every statement of the theory, with what happens when a hypothesis is dropped.

One module for each statement: its words, its hypotheses as predicates, its proof, checks at several levels of
evidence, a counterexample for each hypothesis, and wrong variants that the checks refute. Checks call
`tabular_inversion` and nothing private to themselves.

=========  ===================================  ====================  ===================================
Statement  Module                               Source                Levels reached
=========  ===================================  ====================  ===================================
L1         ``l1_resolvent``                     paper, Lemma 1        numeric, exact, symbolic
T1         ``t1_closed_form``                   paper, Theorem 1      numeric, exact, symbolic
T2a        ``t2a_deterministic_one_goal``       paper, Theorem 2      numeric, exact, symbolic, universal
T2b        ``t2b_column_matching_under_noise``  paper, Theorem 2      numeric, exact, universal
T2c        ``t2c_one_goal_among_stochastic``    paper, Theorem 2      numeric, exact, symbolic, universal
T2d        ``t2d_indicator_goal_symmetry``      paper, Theorem 2      numeric, exact, universal
P1         ``p1_gaussian_goal``                 paper, Proposition 1  numeric, certified, exact
T3a        ``t3a_generic_goals``                paper, Theorem 3      numeric, exact, symbolic
T3b        ``t3b_spanning_rewards``             paper, Theorem 3      numeric, exact, symbolic
T3c        ``t3c_goal_conditioned_policies``    paper, Theorem 3      exact, symbolic, universal
T3d        ``t3d_error_bounds``                 paper, Theorem 3      numeric, exact, universal
T5a        ``t5a_known_support``                paper, Theorem 5      numeric, exact, symbolic, universal
T5b        ``t5b_unknown_support``              paper, Theorem 5      numeric, exact, universal
S1         ``s1_simplex_geometry``              this package          numeric, exact, universal
S2         ``s2_partial_identification``        this package          numeric, exact
S3         ``s3_unseen_goals``                  this package          numeric, exact
G1         ``g1_structural_rank``               this package          exact, universal
G2         ``g2_generic_rank``                  this package          numeric, exact
G3         ``g3_bottleneck``                    this package          exact
X1         ``x1_graph_discounts``               this package          exact, universal
X2         ``x2_exceptional_discounts``         this package          certified, exact
X3         ``x3_negative_type``                 this package          exact, symbolic, universal
PA         ``pa_policies_alone``                this package          numeric, exact, symbolic
K1         ``k1_discounts_for_goals``           this package          numeric, exact, symbolic
AR         ``ar_average_reward``                this package          exact, symbolic
BQ         ``bq_quotients``                     this package          exact, symbolic
ST         ``st_statistical_verdicts``          this package          numeric, exact, symbolic
AG         ``ag_parametric_goals``              this package          numeric, exact, symbolic
G4         ``g4_minimal_goal_sets``             this package          exact
CX         ``cx_complexity``                    this package          exact, universal
=========  ===================================  ====================  ===================================

The paper is arXiv 2606.21173. Level `formal` is not in this table: Coq reaches it, here and now, for the statements
with a file in ``formal/`` (its README names their theorems), with ``verify --effort full`` and in no other way. What is
open, and why, stands in each statement's `open_levels`, in the report and on the statement's page.
`Conjecture` and `refute` are for sentences of a user's own. `proofs_checks.worlds` recovers the worlds of public
environments; it checks the package, not a statement.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from proofs_checks.conjecture import Conjecture
from proofs_checks.instance import Instance
from proofs_checks.refutation import Refutation
from proofs_checks.refutation_search import refute
from proofs_checks.statement import Statement

MODULES = (
    "l1_resolvent",
    "t1_closed_form",
    "t2a_deterministic_one_goal",
    "t2b_column_matching_under_noise",
    "t2c_one_goal_among_stochastic",
    "t2d_indicator_goal_symmetry",
    "p1_gaussian_goal",
    "t3a_generic_goals",
    "t3b_spanning_rewards",
    "t3c_goal_conditioned_policies",
    "t3d_error_bounds",
    "t5a_known_support",
    "t5b_unknown_support",
    "s1_simplex_geometry",
    "s2_partial_identification",
    "s3_unseen_goals",
    "g1_structural_rank",
    "g2_generic_rank",
    "g3_bottleneck",
    "x1_graph_discounts",
    "x2_exceptional_discounts",
    "x3_negative_type",
    "pa_policies_alone",
    "k1_discounts_for_goals",
    "ar_average_reward",
    "bq_quotients",
    "st_statistical_verdicts",
    "ag_parametric_goals",
    "g4_minimal_goal_sets",
    "cx_complexity",
)
"""In the order of the theory."""

__all__ = ["MODULES", "Conjecture", "Instance", "Refutation", "mark", "refute", "statements"]


def statements() -> tuple[Statement, ...]:
    """Return every statement, in the order of the theory.

    Examples
    --------
    >>> [statement.id for statement in statements()][:4]
    ['L1', 'T1', 'T2a', 'T2b']
    """
    return tuple(import_module(f"proofs_checks.{name}").STATEMENT for name in MODULES)


def __getattr__(name: str) -> Any:
    """Load `mark` when it is asked for: it needs the statements, which need this package."""
    if name == "mark":
        return import_module("proofs_checks.marking").mark
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
