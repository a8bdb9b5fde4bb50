"""T5a: rows with N known successors are identified by N - 1 generic goals, and never by N - 2."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from proofs_checks import instances
from proofs_checks.statement import Check, Counterexample, Statement, Tally
from tabular_inversion import Goals, Supported, bellman, environments, exact, identify, invert
from tabular_inversion.identifiability import Status


def check_exact(rng: np.random.Generator, instances_wanted: int, missing: int = 1) -> Tally:
    """Optimal rational agents, N = 2 to 4: [M;1] on each support has rank N with N - 1 goals, less with N - 2.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of instances.
    instances_wanted : int
        How many worlds.
    missing : int
        The statement says that N - 1 goals suffice; a test passes 2 here, and the check must fail.
    """
    tally = Tally()
    for _ in range(instances_wanted):
        branching = int(rng.integers(2, 5))
        n = branching + int(rng.integers(0, 3))
        world = instances.world(rng, n, int(rng.integers(1, 3)), branching=branching)
        m = exact.solve(world, instances.generic_goals(rng, branching, n)).test_matrix
        ones = np.full((1, n), m[0, 0] / m[0, 0])
        supports = world.kernel.reshape(-1, n) > 0

        def lowest_and_highest(goals: int, m=m, ones=ones, supports=supports) -> tuple[int, int]:  # type: ignore[no-untyped-def]
            system = np.concatenate([m[:goals], ones])
            ranks = [exact.rank(system[:, support]).rank for support in supports]
            return min(ranks), max(ranks)

        enough, fewer = lowest_and_highest(branching - missing), lowest_and_highest(branching - 2)
        holds = enough[0] == branching and fewer[1] < branching
        tally.add(holds, 0.0, f"N={branching}: ranks {enough} and {fewer}")
    return tally


def check_numeric(rng: np.random.Generator, instances_wanted: int) -> Tally:
    """Sparse worlds with 300 states and N = 4: three generic goals give back all rows."""
    tally = Tally()
    for _ in range(instances_wanted):
        mdp = environments.random_mdp(300, 2, branching=4, discount=0.9, seed=rng)
        agent = bellman.solve(mdp, Goals.generic(300, 3, seed=rng))
        result = invert(agent, Supported.of(mdp))
        error = result.max_error(mdp) / result.condition
        fine = error < 1e-12 and result.verdict.status in {Status.IDENTIFIED, Status.UNDECIDED}
        tally.add(fine, error, repr(result))
    return tally


def two_goals_missing() -> bool:
    """N = 3 and one goal: a witness on the known support."""
    mdp = environments.random_mdp(8, 2, branching=3, discount=0.9, seed=4)
    verdict = identify(bellman.solve(mdp, Goals.generic(8, 1, seed=4)), Supported.of(mdp))
    return verdict.status is Status.NOT_IDENTIFIED and verdict.rows_identified == 0 and verdict.witness is not None


def wrong_support() -> bool:
    """A support that misses a successor: no row on it explains the values."""
    mdp = environments.random_mdp(8, 1, branching=3, discount=0.9, seed=5)
    rows = mdp.support.toarray()
    rows[0, np.flatnonzero(rows[0])[0]] = False
    agent = bellman.solve(mdp, Goals.generic(8, 3, seed=5))
    return identify(agent, Supported(csr_array(rows))).row(0, 0) is Status.INCONSISTENT


STATEMENT = Statement(
    id="T5a",
    title="Local worlds with known support",
    latex=r"|\mathrm{supp}\,P(s,a)| \le N \text{ known, almost every } R: "
    r"\quad k \ge N-1 \text{ identifies}, \quad k \le N-2 \text{ does not}",
    plain="If each row is known to reach at most N given states, N - 1 generic goals determine it, "
    "however large the world.",
    source="Theorem 5 of arXiv 2606.21173, finite form",
    hypotheses=("the support is known", "the rewards are generic", "k >= N - 1"),
    checks=(
        Check("exact", "optimal agents in rational worlds with N = 2 to 4", check_exact, 25),
        Check("numeric", "sparse worlds with 300 states and N = 4", check_numeric, 5),
    ),
    counterexamples=(
        Counterexample("k >= N - 1", "N = 3, one goal: a witness on the support", two_goals_missing),
        Counterexample("the support is known", "a support that misses a successor explains nothing", wrong_support),
    ),
)
