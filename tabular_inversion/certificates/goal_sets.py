"""A certificate of a smallest goal set (G4): that it suffices, and the bound from below."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabular_inversion.certificates.numbers import shown, texts
from tabular_inversion.certificates.verdicts import RowProofs, described
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactAgentValues
from tabular_inversion.identifiability import Evidence, Status
from tabular_inversion.sufficiency.smallest.lower_bounds import Branch, Leaf
from tabular_inversion.sufficiency.smallest.minimality import MinimalityProof, rules_of
from tabular_inversion.sufficiency.smallest.result import MinimalGoals


def goal_set_certificate(found: MinimalGoals) -> dict[str, Any]:
    """Return the certificate of a smallest set of goals.

    Raises
    ------
    InputError
        If the bound rests on an integer program solved in floats.
    """
    agent, proof, kernel_class, goals = found.agent, found.proof, found.kernel_class, list(found.goals)
    if found.asked is not None:
        raise InputError(
            "certificates are of plain questions, and this set was asked for with options or found in floats; "
            "`verify()` re-checks its own proof."
        )
    if found.evidence is not Evidence.EXACT or agent is None or not isinstance(proof, MinimalityProof):
        raise InputError("the set or its bound from below rests on floats, which no integers re-check.")
    asked, _ = rules_of(kernel_class, agent.n_states)
    maker = RowProofs(_restricted(agent, goals), asked, uniform=True)
    rows = [
        {"state": s, "action": a, "status": "IDENTIFIED", "proof": maker.prove(i, Status.IDENTIFIED)}
        for i, (s, a) in enumerate(np.argwhere(agent.available).tolist())
    ]
    return {
        "format": "tabular-inversion certificate",
        "version": 1,
        "claim": "smallest set",
        "class": described(asked, agent),
        "agent": shown(agent),
        "goals": goals,
        "given": list(found.given),
        "lower_bound": found.lower_bound,
        "rows": rows,
        "proofs": maker.proofs,
        "cuts": [texts(cut.vectors.T) for cut in proof.cuts],
        "tree": None if proof.tree is None else _tree(proof.tree),
    }


def _restricted(agent: ExactAgentValues, goals: list[int]) -> ExactAgentValues:
    """Return what the agent shows of some goals."""
    own = agent.policy if agent.policy is None or agent.policy.ndim < 3 else agent.policy[goals]
    return ExactAgentValues(agent.q[goals], agent.goals.select(goals), agent.discount, own, agent.available)


def _tree(tree: Leaf | Branch) -> dict[str, Any]:
    if isinstance(tree, Leaf):
        return {"weights": [[cut, str(weight)] for cut, weight in tree.weights]}
    return {"goal": tree.goal, "without": _tree(tree.without), "chosen": _tree(tree.chosen)}
