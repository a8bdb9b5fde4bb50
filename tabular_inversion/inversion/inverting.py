"""`invert`: from an agent's values to a kernel, with a verdict on whether it is the only one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tabular_inversion._typing import BoolArray, IntArray
from tabular_inversion.agent_values import AgentValues
from tabular_inversion.agent_values.noise import is_noisy
from tabular_inversion.agent_values.parts import read_rows
from tabular_inversion.agent_values.reading import check_noise
from tabular_inversion.errors import InputError
from tabular_inversion.identifiability.asked import ValuesQuestion
from tabular_inversion.identifiability.judge import decide, verdict_of, with_noise
from tabular_inversion.identifiability.patterns import settled
from tabular_inversion.identifiability.pieces import Judged, ready
from tabular_inversion.identifiability.sharing import Options, decide_elsewhere, prior_of
from tabular_inversion.identifiability.verdict import Verdict
from tabular_inversion.identifiability.weighing import recovered
from tabular_inversion.inversion.result import Inversion, inversion_of
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.kinds import checked
from tabular_inversion.records import sealed
from tabular_inversion.recovery.by_class import check_options
from tabular_inversion.recovery.regularised import check_counts, regularised_rows
from tabular_inversion.recovery.result import Recovery
from tabular_inversion.recovery.uncertainty import noise_of


@checked
def invert(
    agent: AgentValues,
    kernel_class: KernelClass,
    *,
    prior: ArrayLike | None = None,
    norm: float = np.inf,
    noise: float | ArrayLike | str | None = None,
    weights: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    executor: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> Inversion:
    """Read the kernel out of an agent's values.

    Parameters
    ----------
    agent : AgentValues
        Q-values with their goals, discount and policy; never the kernel.
    kernel_class : KernelClass
        `Unconstrained` (closed form, T1), `Stochastic` (least squares in the simplex), `Supported` (the same on known
        supports, all rows at once), `Sparse` (exact search over supports) or `Deterministic` (column matching, T2).
    prior : array_like, shape (S,) or (rows, S), optional
        Where the values leave freedom, the nearest kernel to this one is taken; uniform rows when omitted. Where there
        is noise, a prior that is given also counts beside the values, in every direction as much as minimises the
        largest expected error: see the notes.
    norm : float
        For `Deterministic`: the norm over goals in which columns are matched, 1, 2 or infinity.
    noise : float, array_like (G, S, A), "float32" or "float16", optional
        How far each Q-value may be from the truth, at least 0: decides what counts as inconsistent. What the agent says
        (`AgentValues.noise`) when omitted. Beside a prior it is the standard deviation of each value.
    weights : array_like, shape (S, A), optional
        How many transitions each row was learned from, for classes that take a prior: rows are averaged with the prior
        by as much as so many draws leave open. A row of none is the prior.
    rows : array_like, optional
        The rows to recover, bool (S, A) or numbers s*A + a; all when omitted. The others are NaN in a dense kernel and
        empty in a sparse one; `Inversion.merge` puts different rows together.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Who recovers: rows are cut into pieces as `identify` does it, and the result is the same bit for bit whoever
        does the work. A worker that is lost costs time only.
    progress : callable, optional
        ``progress(done, total)`` during long searches; with an executor, of rows, and at least every second.

    Returns
    -------
    Inversion
        With the kernel, residuals, rank, condition and a verdict at instance scope. Values that no kernel of the
        class explains get the status INCONSISTENT, the nearest rows, and their residuals.

    Raises
    ------
    InputError
        If the prior, norm, noise or a weight is out of range, a row does not exist, the class does not fit the agent,
        or an executor is given where rows are drawn to a prior by all of them together.

    Notes
    -----
    Without noise, and where no prior is given, rows are least squares, for which `Inversion.error_bound` holds. With
    noise and a prior P0 they minimise ``|W (M p - q)|^2 + |p - P0|^2 / t^2`` in the class, W the reciprocal noise of
    each equation: of all linear rules the one with the least largest error over ``|p - P0| <= t`` (Donoho 1994), where
    t, one for all rows, is the likeliest (empirical Bayes, Morris 1983). A prior that the values contradict makes t
    large and has no weight left. Weights add Stein's average (Efron and Morris 1973). Errors that goals share, such
    as those of Q-learning, are not independent: take the noise from `tabular_inversion.ensembles`.

    Examples
    --------
    >>> import numpy as np
    >>> from tabular_inversion import Goals, MDP, Stochastic, solve
    >>> world = MDP([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.9)
    >>> agent = solve(world, Goals.generic(2, 2, seed=0))
    >>> result = invert(agent, Stochastic())
    >>> result.verdict.status.name, result.max_error(world) < 1e-12
    ('IDENTIFIED', True)
    """
    check_options(kernel_class, prior=prior if weights is None else (), norm=norm)
    stated = noise_of(agent, None if noise is None else check_noise(noise, agent.q.shape, InputError))
    counts = None if weights is None else check_counts(weights, agent)
    drawn = counts is not None or (prior is not None and is_noisy(stated))
    left = None if rows is None else read_rows(rows, agent.available)
    noisy, question = with_noise(agent, stated), ValuesQuestion(agent, kernel_class, "instance", stated)
    if executor is not None:
        if drawn:
            raise InputError("how far rows are drawn to a prior is decided by all of them: leave the executor out.")
        return _by_executor(question, noisy, left, executor, progress, Options(prior, float(norm)))
    judged: list[Judged] = []
    found: list[tuple[IntArray, Recovery]] = []
    pulls = np.full(agent.available.size, np.nan)
    if prior is None and norm == np.inf and not drawn:
        first, left = settled(noisy, kernel_class, left, "instance", exactly=True)
        if first is not None and first.recovery is not None:
            judged, found = [first], [(first.ready.part.places, first.recovery)]
    for each in ready(noisy, kernel_class, left) if left is None or left.any() else []:
        start = prior_of(prior, each.part.places, len(agent.row_index))
        # The verdict is about the values alone: it must not depend on which of several rows a prior or a norm prefers.
        one, best = recovered(each, kernel_class, start, norm, progress)
        if drawn:
            best, pulls[each.part.agent.row_index] = regularised_rows(
                each.part.agent, each.system.test_matrix, kernel_class, best,
                prior=None if start is None else np.asarray(start, float),
                counts=None if counts is None else counts[each.part.places],
            )  # fmt: skip
        judged.append(one)
        found.append((each.part.places, best))
    verdict = decide(question, judged, whole=rows is None)
    pull = sealed(pulls.reshape(agent.available.shape)) if drawn else None
    return inversion_of(agent, found, verdict, float(norm), pull)


def _by_executor(
    question: ValuesQuestion,
    noisy: AgentValues,
    mask: BoolArray | None,
    executor: Any,
    progress: Callable[[int, int], None] | None,
    options: Options,
) -> Inversion:
    prepared = ready(noisy, question.kernel_class, mask)
    pieces = decide_elsewhere(prepared, question, executor, progress, options)
    whole = mask is None and len(pieces) == 1
    verdicts = [verdict_of(question, [one.decided], [one.system], whole=whole) for one in pieces]
    verdict = verdicts[0] if len(verdicts) == 1 else Verdict.merge(verdicts)
    found = [(one.decided.places, one.rows) for one in pieces if one.rows is not None]
    agent: Any = question.agent
    return inversion_of(agent, found, verdict, options.norm)
