"""What evaluation and policy iteration share: the Bellman update in M-space, its scale, and its reports.

Everything happens in the space of test matrices M = R + discount * C * V. Goal by goal, m = r + f V with
f = discount * c: Q = rho + P m, V follows from Q, and m must be what V makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tabular_inversion._typing import FloatArray, IntArray
from tabular_inversion.agent_values import SolverReport, state_values
from tabular_inversion.errors import ConvergenceError, InputError, ShapeError
from tabular_inversion.goals import Goals
from tabular_inversion.linear_systems.choice import check_method
from tabular_inversion.linear_systems.systems import largest
from tabular_inversion.mdp import MDP
from tabular_inversion.validation import check_kind, check_positive

_CHUNK_BYTES = 2**21
"""Goals are solved in runs whose Q-values take about this much, so that they stay in the processor's cache."""

_DENSE_CHUNK_BYTES = 2**24
"""The same for dense kernels, whose products want many goals at a time."""

TARGET = 1e-3
"""Solvers aim for this share of the tolerance, and accept the tolerance itself where rounding stops them."""

ROUNDING = float(4 * np.finfo(np.float64).eps)
"""No residual is asked to be smaller than this, relative to the scale of the values."""


def check_fit(mdp: MDP, goals: Goals, method: str, tolerance: float) -> None:
    """Raise unless goals, method and tolerance suit the world."""
    check_kind("mdp", mdp, MDP, InputError, "build one with MDP(kernel, discount)")
    check_kind("goals", goals, Goals, InputError, "build them with Goals(rewards) or Goals.indicator(n_states)")
    check_method(method)
    check_positive("tolerance", tolerance, InputError)
    if goals.n_states != mdp.n_states:
        raise ShapeError(f"goals are on {goals.n_states} states and the world has {mdp.n_states}; make them equal.")
    extra = goals.action_rewards
    if extra is not None and extra.shape[2] != mdp.n_actions:
        raise ShapeError(f"action_rewards are for {extra.shape[2]} actions and the world has {mdp.n_actions}.")


@dataclass(frozen=True, eq=False)
class Problem:
    """A world, and of some goals the rewards r (G, S), the continuation c (G, S) and rho (G, S, A)."""

    world: MDP
    rewards: FloatArray
    continuation: FloatArray
    action_rewards: FloatArray | None

    @classmethod
    def of(cls, world: MDP, goals: Goals) -> Problem:
        """Take the numbers of all goals."""
        return cls(world, goals.rewards, goals.continuation, goals.action_rewards)

    @cached_property
    def factors(self) -> FloatArray:
        """F = discount * c, rounded, shape (G, S)."""
        return self.world.discount * self.continuation

    def select(self, goals: slice | IntArray) -> Problem:
        """Return the problem of some goals."""
        extra = None if self.action_rewards is None else self.action_rewards[goals]
        return Problem(self.world, self.rewards[goals], self.continuation[goals], extra)

    def chunks(self) -> list[slice]:
        """Cut the goals into runs."""
        size = _CHUNK_BYTES if self.world.is_sparse else _DENSE_CHUNK_BYTES
        step = max(8, size // (8 * self.world.available.size))
        return [slice(start, start + step) for start in range(0, len(self.rewards), step)]

    def q_values(self, m: FloatArray) -> FloatArray:
        """Return Q = rho + P m, shape (G, S, A)."""
        q = self.world.expectation(m)
        if self.action_rewards is not None:
            q += self.action_rewards
        return q

    def change(
        self, q: FloatArray, m: FloatArray, *, policy: FloatArray | None = None, temperature: float | None = None
    ) -> FloatArray:
        """Return r + f V - m, shape (G, S): V follows from Q by a policy, by softmax, or by the maximum."""
        v = state_values(q, self.world.available, policy=policy, temperature=temperature)
        return self.rewards + self.factors * v - m

    def backup(self, m: FloatArray, policy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return Q = rho + P m and, for each goal, the largest change under a policy (S, A) or (G, S, A).

        Goals are taken in runs, so that Q is used while it is in the cache and no other large array is made.
        """
        q, residual = np.empty((*m.shape, self.world.n_actions)), np.empty(len(m))
        for goals in self.chunks():
            part = self.select(goals)
            values = part.q_values(m[goals])
            own = policy if policy.ndim == 2 else policy[goals]
            residual[goals] = largest(part.change(values, m[goals], policy=own))
            q[goals] = values
        return q, residual

    def without_future(self, policy: FloatArray) -> FloatArray:
        """Return r + f rho_pi, the right-hand sides of a policy's linear systems."""
        if self.action_rewards is None:
            return self.rewards
        return self.change(self.action_rewards, np.zeros_like(self.rewards), policy=policy)

    def scale(self, m: FloatArray, temperature: float | None = None) -> FloatArray:
        """Return max |m| + max |rho| + what entropy adds to V at once, for each goal: the scale of tolerances."""
        extra = self.action_rewards
        entropy = 0.0 if temperature is None else temperature * float(np.log(self.world.n_actions))
        return largest(m) + entropy + (0.0 if extra is None else np.abs(extra).max(axis=(1, 2)))


def missed(error: FloatArray, scale: FloatArray, tolerance: float, after: str) -> ConvergenceError:
    """Return the error that says by how much goals miss the tolerance."""
    relative = error / np.where(scale > 0, scale, 1.0)
    worst = int(np.argmax(np.where(np.isnan(relative), np.inf, relative)))
    return ConvergenceError(
        f"{int((~(relative <= tolerance)).sum())} goals miss the tolerance {tolerance:g} after {after}: the error of "
        f"values is proved to be at most {relative[worst]:.3g} of their scale (goal {worst}); raise the tolerance or "
        "max_iterations, or lower the discount."
    )


def merge(reports: list[SolverReport]) -> SolverReport:
    """Return one report for goals solved apart, in order: all ways, the most iterations, the largest residual."""
    ways = {way: None for report in reports for way in report.method.split(", ") if way}
    proofs = [report.policy_proved for report in reports]
    return SolverReport(
        ", ".join(ways),
        max(report.iterations for report in reports),
        max(report.residual for report in reports),
        converged=all(report.converged for report in reports),
        goal_errors=_joined([report.goal_errors for report in reports]),
        goal_residuals=_joined([report.goal_residuals for report in reports]),
        policy_proved=None if None in proofs else all(proofs),
    )


def _joined(parts: list[tuple[float, ...] | None]) -> tuple[float, ...] | None:
    known = [part for part in parts if part is not None]
    return sum(known, ()) if len(known) == len(parts) else None


def report_of(
    method: str, iterations: int, residual: FloatArray, error: FloatArray, policy_proved: bool | None = None
) -> SolverReport:
    """Return the report of values whose residuals and proved errors, one for each goal, are within the tolerance."""
    errors, residuals = tuple(error.tolist()), tuple(residual.tolist())
    return SolverReport(method, iterations, float(residual.max()), True, errors, residuals, policy_proved)


def join(parts: list[tuple[FloatArray, SolverReport]]) -> tuple[FloatArray, SolverReport]:
    """Put the Q-values of runs of goals together again, read-only (so `AgentValues` need not copy), with one report."""
    values = [q for q, _ in parts]
    q = values[0] if len(values) == 1 else np.concatenate(values)
    q.flags.writeable = False
    return q, merge([report for _, report in parts])


def shown_of(mdp: MDP) -> dict[str, Any]:
    """Return what an agent in a world shows of it: which actions there are, names, and where states lie."""
    names = {"state_names": mdp.state_names, "action_names": mdp.action_names, "coordinates": mdp.coordinates}
    return {"available": mdp.available, **names}
