"""A certificate for each row of an exact verdict: what proves it, in integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from tabular_inversion._typing import BoolArray
from tabular_inversion.certificates.numbers import (
    integer_equations,
    integer_functional,
    left_inverse,
    scales,
    shown,
    sparse,
)
from tabular_inversion.certificates.trees import no_difference, no_row_but
from tabular_inversion.class_tables import ClassTable
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactAgentValues, null_space, rank
from tabular_inversion.exact.linear_algebra import solve_linear
from tabular_inversion.exact.linear_programs import find_nonnegative_solution, find_recession_vector
from tabular_inversion.exact.rationals import FractionArray
from tabular_inversion.identifiability.rational.arrays import split_exactly
from tabular_inversion.identifiability.rational.judge_exactly import exact_system, guessed_rows
from tabular_inversion.identifiability.rational.points import affine_points, stochastic_points
from tabular_inversion.identifiability.rational.sparse import other_row
from tabular_inversion.identifiability.verdict import Status, Verdict
from tabular_inversion.kernel_classes import Deterministic, KernelClass, Sparse, Stochastic, Supported, Unconstrained


class RowProofs:
    """Proofs for the rows of one agent within a class, each made once and shared."""

    def __init__(self, agent: ExactAgentValues, kernel_class: KernelClass, *, uniform: bool) -> None:
        self.agent, self.kernel_class, self.uniform = agent, kernel_class, uniform
        self.rules = PROOF_RULES.of(kernel_class)
        self.system = exact_system(agent, kernel_class)
        self.scale = [*scales(agent), *([1] if kernel_class.sums_to_one else [])]
        self.equations = integer_equations(agent.test_matrix, scales(agent), ones=kernel_class.sums_to_one)
        self.few = self.system.max_successors
        self.proofs: list[dict[str, Any]] = []
        self._known: dict[Any, int] = {}
        self._ranks: dict[bytes, bool] = {}
        self._members: dict[int, FractionArray] = {}

    def add(self, key: Any, proof: dict[str, Any]) -> int:
        """Keep a proof under a key, and return its number."""
        self._known[key] = len(self.proofs)
        self.proofs.append(proof)
        return self._known[key]

    def shared(self, key: Any, proof: dict[str, Any]) -> int:
        """Keep a proof that serves many rows once."""
        return self._known[key] if key in self._known else self.add(key, proof)

    def prove(self, i: int, status: Status) -> int:
        """Return the number of the proof for row i."""
        if status is Status.NOT_IDENTIFIED:
            first, second = self._pair(i)
            return self.add(("pair", i), {"kind": "pair", "first": sparse(first), "second": sparse(second)})
        if self.rules.columns:
            return self.shared("columns", {"kind": "columns"})
        if status is Status.INCONSISTENT:
            return self._empty(i)
        return self._unique(i)

    def _unique(self, i: int) -> int:
        allowed = self.system.allowed[i]
        if self._independent(allowed):
            key: Any = ("whole", allowed.tobytes())
            if key in self._known:
                return self._known[key]
            return self.add(key, {"kind": "unique", **left_inverse(self.equations, np.flatnonzero(allowed))})
        if self.uniform:
            return self.shared("apart", no_difference(self.system.matrix, self.scale, self.few))
        point = self.member(i)
        key = ("face", allowed.tobytes(), (point > 0).tobytes())
        if key in self._known:
            return self._known[key]
        off = ~(point > 0)[allowed]
        found = find_recession_vector(self.system.matrix[:, allowed], off)
        if found.certificate is None:  # unique among rows of few successors only
            return self.add(("tree", i), self._tree(i, point))  # its ends are about the values of this row
        proof = {"kind": "unique", **left_inverse(self.equations, np.flatnonzero(point > 0))}
        return self.add(key, proof | {"dual": integer_functional(found.certificate, self.scale)})

    def _tree(self, i: int, point: FractionArray | None) -> dict[str, Any]:
        return no_row_but(point, self.system.matrix, self.system.values[:, i], self.scale, self.few)

    def _independent(self, allowed: BoolArray) -> bool:
        key = allowed.tobytes()
        if key not in self._ranks:
            self._ranks[key] = rank(self.system.matrix[:, allowed]).rank == allowed.sum()
        return self._ranks[key]

    def member(self, i: int) -> FractionArray:
        """Return a row of the class with the values of row i."""
        if i not in self._members:
            self._members[i] = self.rules.member(self, i)
        return self._members[i]

    @cached_property
    def points(self) -> FractionArray:
        """A member for each row that has one: floats guess, fractions decide."""
        if not self.kernel_class.sums_to_one:
            return affine_points(self.system)[0]
        return stochastic_points(self.system, guessed_rows(self.agent, self.kernel_class))[0]

    def _empty(self, i: int) -> int:
        allowed, values = self.system.allowed[i], self.system.values[:, i]
        if not self.kernel_class.sums_to_one:
            basis = null_space(self.system.matrix.T)
            seen = values @ basis
            place = int(np.flatnonzero(seen != 0)[0])
            functional = basis[:, place] * (-1 if seen[place] > 0 else 1)
        else:
            found = find_nonnegative_solution(self.system.matrix[:, allowed], values).certificate
            if found is None:
                return self.add(("empty", i), self._tree(i, None))
            functional = found
        return self.add(("empty", i), {"kind": "farkas", "dual": integer_functional(functional, self.scale)})

    def _pair(self, i: int) -> tuple[FractionArray, FractionArray]:
        return self.rules.pair(self, i)


def _vectors(maker: RowProofs, i: int) -> tuple[FractionArray, FractionArray]:
    """Go along a null vector of M."""
    system, n = maker.system, maker.system.n_states
    start = np.full(n, Fraction(1, n), dtype=object)
    if not maker.uniform:
        start = solve_linear(system.matrix, system.values[:, [i]])[:, 0]
    return start, start + null_space(system.matrix)[:, 0]


def _distributions(maker: RowProofs, i: int) -> tuple[FractionArray, FractionArray]:
    """Go along a null vector of [M;1] as far as no entry turns negative."""
    system, allowed = maker.system, maker.system.allowed[i]
    vector = np.full(system.n_states, Fraction(0), dtype=object)
    if maker.uniform:
        vector[allowed] = null_space(system.matrix[:, allowed])[:, 0]
        return split_exactly(vector)
    point = maker.member(i)
    found = find_recession_vector(system.matrix[:, allowed], ~(point > 0)[allowed]).vector
    vector[allowed] = found
    step = min(point[s] / -vector[s] for s in np.flatnonzero(vector < 0))
    return point, point + step * vector


def _any_member(maker: RowProofs, i: int) -> FractionArray:
    row: FractionArray = maker.points[i]
    return row


def _sparse_member(maker: RowProofs, i: int) -> FractionArray:
    row: FractionArray | None = maker.points[i]
    if row is None or (row != 0).sum() > maker.few:
        row = other_row(maker.system, maker.few, None, i)
    if row is None:
        raise InputError("a row has no row of few successors with its values, though the verdict says so.")
    return row


def _vertex(maker: RowProofs, i: int) -> FractionArray:
    """Take the state whose column of M has the values."""
    place = int(np.flatnonzero((maker.system.matrix == maker.system.values[:, [i]]).all(axis=0))[0])
    return np.array([Fraction(int(s == place)) for s in range(maker.system.n_states)], dtype=object)


def _few_successors(maker: RowProofs, i: int) -> tuple[FractionArray, FractionArray]:
    """Search two rows of few successors; at uniform scope the verdict's own pair serves all rows."""
    few = maker.kernel_class.most(maker.system.n_states)
    own = other_row(maker.system, few, None, i)
    other = None if own is None else other_row(maker.system, few, own, i)
    if own is None or other is None:
        raise InputError("a row has no other row of few successors, though the verdict says so.")
    return own, other


def _vertices(maker: RowProofs, i: int) -> tuple[FractionArray, FractionArray]:
    """Take two states with equal columns of M."""
    columns = [tuple(column) for column in maker.agent.test_matrix.T.tolist()]
    if maker.uniform:
        repeated = next(c for c in columns if columns.count(c) > 1)
    else:
        repeated = tuple(maker.agent.right_hand_sides[:, i].tolist())
    first, second = [s for s, column in enumerate(columns) if column == repeated][:2]
    unit = np.full((2, len(columns)), Fraction(0), dtype=object)
    unit[0, first] = unit[1, second] = Fraction(1)
    return unit[0], unit[1]


def _named(kernel_class: KernelClass, _agent: ExactAgentValues) -> dict[str, Any]:
    return {"name": kernel_class.name}


def _sizes(kernel_class: Sparse, agent: ExactAgentValues) -> dict[str, Any]:
    return {"name": "sparse", "successors": kernel_class.most(agent.n_states)}


def _supports(kernel_class: Supported, agent: ExactAgentValues) -> dict[str, Any]:
    support, m = kernel_class.support, agent.n_actions
    rows = [support.indices[support.indptr[r] : support.indptr[r + 1]].tolist() for r in range(agent.n_states * m)]
    return {"name": "supported", "support": [rows[s * m : s * m + m] for s in range(agent.n_states)]}


@dataclass(frozen=True)
class ProofRules:
    """How the rows of a class are proved, and how a certificate names the class.

    Attributes
    ----------
    pair : callable
        ``pair(maker, i)``: two members with the values of row i, or any two at uniform scope.
    described : callable
        ``described(kernel_class, agent)``: the class as the checker reads it.
    member : callable
        ``member(maker, i)``: a row of the class with the values of row i.
    columns : bool
        Whether the checker compares the columns with the values, and needs nothing else.
    one_pair : bool
        Whether, at uniform scope, the verdict's own pair serves all rows.
    """

    pair: Callable[[RowProofs, int], tuple[FractionArray, FractionArray]]
    described: Callable[[Any, ExactAgentValues], dict[str, Any]]
    member: Callable[[RowProofs, int], FractionArray] = _any_member
    columns: bool = False
    one_pair: bool = False


PROOF_RULES = ClassTable(
    "a certificate",
    {
        Unconstrained: ProofRules(_vectors, _named),
        Stochastic: ProofRules(_distributions, _named),
        Supported: ProofRules(_distributions, _supports),
        Sparse: ProofRules(_few_successors, _sizes, _sparse_member, one_pair=True),
        Deterministic: ProofRules(_vertices, _named, _vertex, columns=True),
    },
)
"""By class, its `ProofRules`; what the checker knows of a class stands in `tabular_inversion.checker`."""


def described(kernel_class: KernelClass, agent: ExactAgentValues) -> dict[str, Any]:
    """Return the class as the checker reads it."""
    return PROOF_RULES.of(kernel_class).described(kernel_class, agent)


def verdict_certificate(verdict: Verdict) -> dict[str, Any]:
    """Return the certificate of an exact verdict.

    Raises
    ------
    InputError
        If the verdict is not exact, or not about values.
    """
    agent = getattr(verdict.question, "agent", None)
    if not isinstance(agent, ExactAgentValues):
        raise InputError(
            f"a verdict of evidence {verdict.evidence.name.lower()} has no certificate; ask "
            "identify(agent, kernel_class, exact=True), or --exact."
        )
    maker = RowProofs(agent, verdict.kernel_class, uniform=verdict.scope == "uniform")
    pair = _own_pair(verdict)
    rows = []
    for i, row in enumerate(agent.row_index.tolist()):
        state, action = divmod(row, agent.n_actions)
        status = Status(int(verdict.row_status[state, action]))
        entry: dict[str, Any] = {"state": state, "action": action, "status": status.name}
        if status is Status.NOT_IDENTIFIED and maker.uniform and maker.rules.one_pair:
            entry["proof"] = maker.shared("own", pair)
        elif status is not Status.UNDECIDED:
            entry["proof"] = maker.prove(i, status)
            if status is Status.IDENTIFIED and not maker.uniform:
                entry["member"] = sparse(maker.member(i))
        rows.append(entry)
    return {
        "format": "tabular-inversion certificate",
        "version": 1,
        "claim": "verdict",
        "class": described(verdict.kernel_class, agent),
        "scope": verdict.scope,
        "status": verdict.status.name,
        "agent": shown(agent),
        "rows": rows,
        "proofs": maker.proofs,
    }


def _own_pair(verdict: Verdict) -> dict[str, Any]:
    """Return the pair that the verdict carries."""
    if verdict.witness is None:
        return {}
    return {"kind": "pair", "first": sparse(verdict.witness.first), "second": sparse(verdict.witness.second)}
