"""How far noise in the values moves the recovered kernel: measured errors under the bounds T2b and T3d.

The published agents have one noise level each, and an unknown one. Here it is drawn: uniform in [-eps, eps] in every
value, over noise, goals, discount and worlds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tabular_inversion._typing import FloatArray
from tabular_inversion.bellman import evaluate, solve
from tabular_inversion.environments import four_rooms, random_mdp
from tabular_inversion.error_bounds.bounds import separation_radius
from tabular_inversion.experiments.run_folder import Comparison, RunFolder
from tabular_inversion.goals import Goals
from tabular_inversion.inversion import invert
from tabular_inversion.kernel_classes import Deterministic, Stochastic
from tabular_inversion.kinds import checked
from tabular_inversion.policies import uniform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EFFORTS = {"quick": (4, 12), "standard": (10, 20), "full": (30, 40)}
"""Random worlds for each point, and how many states they have."""

NOISE = 1e-4
"""The noise where it is not what varies."""

LEVELS = np.logspace(-8, -2, 7)
DISCOUNTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
SHARES = np.array([0.25, 0.5, 0.9, 0.99, 1.5, 2.0, 4.0, 8.0, 16.0])
"""Noise in units of the separation radius."""

COLUMNS = ("eps", "goals", "discount", "measured", "bound", "sigma")


@checked
def reproduce(
    path: str | os.PathLike[str],
    *,
    effort: str = "quick",
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunFolder:
    """Measure errors of recovered kernels under noise, and draw the bounds on top of them.

    Parameters
    ----------
    path : path-like
        The folder to write; a run that was interrupted there goes on.
    effort : {"quick", "standard", "full"}
        How many worlds, and how large.
    seed : int
        Of worlds and noise.
    progress : callable
        Called with the stages done and their number.

    Returns
    -------
    RunFolder
        With ``results.json``, ``report.html``, ``figures/errors`` and ``data/``.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = reproduce(f"{place}/run", effort="quick")
    ...     facts = json.loads((folder.path / "results.json").read_text())["facts"]
    >>> facts["measured errors above their bound"]
    0
    """
    worlds, n = EFFORTS[effort]
    folder = RunFolder(path, "errors", {"effort": effort, "seed": seed})
    settings: dict[str, list[tuple[float, int, float]]] = {
        "noise": [(eps, goals, 0.9) for eps in LEVELS.tolist() for goals in (n, 4 * n)],
        "goals": [(NOISE, goals, 0.9) for goals in (n - 1, n, n + 2, 2 * n, 4 * n, 8 * n)],
        "discount": [(NOISE, 2 * n, discount) for discount in DISCOUNTS],
    }
    tables: dict[str, FloatArray] = {}
    for done, (name, points) in enumerate(settings.items()):
        progress(done, len(settings) + 1)
        found = folder.stage(name, partial(_measure, points, n, worlds, [seed, done]))
        tables[name] = found["table"]
        folder.table(name, dict(zip(COLUMNS, found["table"].T, strict=True)))
    progress(len(settings), len(settings) + 1)
    matching = folder.stage("matching", partial(_match, worlds, [seed, len(settings)]))["table"]
    folder.table("matching", dict(zip(("goals", "share", "wrong"), matching.T, strict=True)))
    folder.figure(
        "errors",
        draw(tables, matching),
        "Above: the largest error of a recovered row (2-norm, points) and the bound T3d of the same world and noise "
        "(dashes). Bottom left: all of these runs, error over noise against 1 / sigma. Bottom right: matching columns "
        "on deterministic FourRooms; below the separation radius (T2b) no row is ever wrong.",
    )
    everything = np.concatenate(list(tables.values()))
    below = matching[matching[:, 1] < 1.0]
    folder.finish(
        [
            Comparison("median of bound / measured error", float(np.median(everything[:, 4] / everything[:, 3]))),
            Comparison("smallest bound / measured error", float((everything[:, 4] / everything[:, 3]).min())),
            Comparison("slope of log error against log noise", _slope(tables["noise"])),
            Comparison("rows matched wrongly below the radius", float(below[:, 2].sum())),
        ],
        differences=["The published study has trained agents, whose noise is not known; here it is drawn."],
        facts={
            "runs": len(everything),
            "measured errors above their bound": int((everything[:, 3] > everything[:, 4]).sum()),
            "states": n,
        },
    )
    progress(len(settings) + 1, len(settings) + 1)
    return folder


def _measure(
    points: list[tuple[float, int, float]], n_states: int, worlds: int, seed: list[int]
) -> dict[str, FloatArray]:
    """Return a row (eps, goals, discount, measured, bound, sigma) for each point and world."""
    rows = []
    for place, (eps, goals, discount) in enumerate(points):
        for world in range(worlds):
            rng = np.random.default_rng([*seed, place, world])
            mdp = random_mdp(n_states, 2, discount=discount, seed=rng)
            agent = evaluate(mdp, Goals.generic(n_states, goals, seed=rng), uniform(mdp.available))
            noisy = agent.with_noise(eps, seed=rng)
            found = invert(noisy, Stochastic(), noise=eps)
            measured = float(np.linalg.norm(found.toarray() - mdp.toarray(), axis=2).max())
            bound = found.error_bound(eps, norm=2, noise_norm=np.inf).overall
            centred = noisy.test_matrix - noisy.test_matrix.mean(axis=1, keepdims=True)
            sigma = float(np.linalg.svd(centred, compute_uv=False)[n_states - 2])
            rows.append((eps, goals, discount, measured, bound, sigma))
    return {"table": np.array(rows, dtype=float)}


def _match(worlds: int, seed: list[int]) -> dict[str, FloatArray]:
    """Return a row (goals, noise over radius, share of rows matched wrongly) for each point."""
    mdp = four_rooms("deterministic")
    truth = mdp.toarray()
    rows = []
    for goals in (1, 2, 4):
        for world in range(worlds):
            rng = np.random.default_rng([*seed, goals, world])
            agent = solve(mdp, Goals.generic(mdp.n_states, goals, seed=rng))
            radius = separation_radius(agent)
            for share in SHARES.tolist():
                kernel = invert(agent.with_noise(share * radius, seed=rng), Deterministic()).to_mdp().toarray()
                rows.append((goals, share, float((kernel != truth).any(axis=2).mean())))
    return {"table": np.array(rows, dtype=float)}


def _slope(table: FloatArray) -> float:
    """Return the slope of the logarithms of error against noise, by least squares."""
    return float(np.polyfit(np.log(table[:, 0]), np.log(table[:, 3]), 1)[0])


def draw(tables: dict[str, FloatArray], matching: FloatArray) -> Figure:
    """Return the figure of the study.

    Parameters
    ----------
    tables : dict of numpy.ndarray
        ``"noise"``, ``"goals"`` and ``"discount"``, with columns eps, goals, discount, measured, bound, sigma.
    matching : numpy.ndarray
        Columns goals, noise over radius, share of rows matched wrongly.

    Examples
    --------
    >>> rows = np.array([[1e-4, 5, 0.9, 1e-3, 2e-3, 0.1], [1e-3, 5, 0.9, 1e-2, 2e-2, 0.1]])
    >>> figure = draw({"noise": rows, "goals": rows, "discount": rows}, np.array([[1, 0.5, 0.0], [1, 2.0, 0.1]]))
    >>> len(figure.axes)
    5
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    panels = figure.subplots(2, 3)
    for axes, (name, column, label) in zip(
        panels.flat, (("noise", 0, "noise"), ("goals", 1, "goals"), ("discount", 2, "discount")), strict=False
    ):
        table = tables[name]
        groups = np.unique(table[:, 1]) if name == "noise" else [None]
        for i, group in enumerate(groups):
            rows = table if group is None else table[table[:, 1] == group]
            shown = f"{group:.0f} goals" if group is not None else "measured"
            axes.plot(rows[:, column], rows[:, 3], ".", color=f"C{i}", alpha=0.6, label=shown)
            axes.plot(rows[:, column], rows[:, 4], "_", color=f"C{i}", label="bound T3d" if i == 0 else None)
        axes.set(yscale="log", xlabel=label, ylabel="largest error of a row", title=f"error against {label}")
        axes.set_xscale("linear" if name == "discount" else "log")
        axes.legend()
    _draw_conditioning(panels[1, 0], np.concatenate(list(tables.values())))
    _draw_matching(panels[1, 1], matching)
    panels[1, 2].remove()
    return figure


def _draw_conditioning(axes: Any, rows: FloatArray) -> None:
    axes.loglog(1.0 / rows[:, 5], rows[:, 3] / rows[:, 0], ".", alpha=0.5, label="measured")
    axes.loglog(1.0 / rows[:, 5], rows[:, 4] / rows[:, 0], "_", alpha=0.5, label="bound T3d")
    axes.set(xlabel="1 / sigma on sum-zero vectors", ylabel="error / noise", title="error against conditioning")
    axes.legend()


def _draw_matching(axes: Any, rows: FloatArray) -> None:
    for i, goals in enumerate(np.unique(rows[:, 0])):
        own = rows[rows[:, 0] == goals]
        places = np.unique(own[:, 1])
        wrong = [own[own[:, 1] == place, 2].mean() for place in places]
        axes.plot(places, wrong, "o-", color=f"C{i}", label=f"{goals:.0f} goal{'s' if goals > 1 else ''}")
    axes.axvline(1.0, color="black", linewidth=1, linestyle="--", label="radius T2b")
    axes.set(xscale="log", xlabel="noise / separation radius", ylabel="share of rows wrong", title="matching columns")
    axes.legend()
