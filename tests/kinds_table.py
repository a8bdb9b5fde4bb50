"""Every public function of every room, one good call of each, and the wrong kinds that replace its arguments."""

from __future__ import annotations

import contextlib
import enum
import importlib
import inspect
import io
import pathlib
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from tabular_inversion import (
    MDP,
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    TabularInversionError,
    Unconstrained,
    exact,
    identify,
    invert,
    solve,
    value_equivalence,
)
from tabular_inversion.discounts import certified_discounts, exceptional_discounts
from tabular_inversion.environments import MOUNTAIN_CAR, Axis, Environment, Grid
from tabular_inversion.identifiability import AdvantageValues
from tabular_inversion.learning import QLearner, Simulator
from tabular_inversion.sufficiency import assess, compare, minimal

ROOMS = (
    "",
    "atlas",
    "bellman",
    "diagnosis",
    "discounts",
    "environments",
    "equivalence",
    "error_bounds",
    "exact",
    "identifiability",
    "interop",
    "learning",
    "linear_systems",
    "plotting",
    "recovery",
    "sufficiency",
)
WORLD = MDP([[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]], discount=0.5)
GOALS = Goals([[1.0, 0.0], [0.0, 1.0]])
UNIFORM = np.full((2, 2), 0.5)
ATLAS = pathlib.Path(__file__).parent.parent / "docs" / "atlas" / "connected-3.jsonl.xz"


@cache
def good() -> dict[str, Any]:
    """Return a good value for each name of a parameter, or for the name of its kind."""
    agent = solve(WORLD, GOALS)
    exact_world, exact_goals = exact.ExactMDP.from_float(WORLD), exact.ExactGoals.from_float(GOALS)
    return {
        "MDP": WORLD,
        "Goals": GOALS,
        "AgentValues": agent,
        "AdvantageValues": AdvantageValues.of(WORLD, Goals([[0.0, 1.0]])),
        "KernelClass": Stochastic(),
        "Supported": Supported.of(WORLD),
        "ExactMDP": exact_world,
        "ExactGoals": exact_goals,
        "ExactAgentValues": exact.solve(exact_world, exact_goals),
        "Inversion": invert(agent, Stochastic()),
        "Verdict": identify(agent, Stochastic()),
        "ValueEquivalence": value_equivalence(agent, Stochastic()),
        "Fraction": Fraction(1, 2),
        "world": WORLD,
        "kernel": WORLD.kernel,
        "discount": 0.5,
        "policy": UNIFORM,
        "rewards": GOALS.rewards,
        "values": agent.right_hand_sides[:, :2],
        "test_matrix": agent.test_matrix,
        "matrix": np.eye(2),
        "prior": np.array([0.5, 0.5]),
        "row_index": np.array([0, 1]),
        "order": np.array([1, 0]),
        "states": [0, 1],
        "seed": 0,
        "noise": 0.0,
        "eps": 1e-3,
        "norm": 2.0,
        "n_states": 3,
        "n_goals": 2,
        "n_actions": 2,
    }


def public() -> dict[str, Any]:
    """Map the full name of each public function, constructor and public method of the rooms to the object."""
    found: dict[str, Any] = {}
    for room in ROOMS:
        module = importlib.import_module(f"tabular_inversion.{room}".rstrip("."))
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                found[f"{thing.__module__}.{name}"] = thing
            elif inspect.isclass(thing) and not issubclass(thing, (Exception, enum.Enum)):
                found[f"{thing.__module__}.{name}"] = thing
                for method, member in vars(thing).items():
                    bare = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
                    if inspect.isfunction(bare) and not method.startswith("_"):
                        found[f"{thing.__module__}.{name}.{method}"] = member
    return found


def call_of(name: str, thing: Any) -> tuple[Callable[..., Any], dict[str, Any]] | None:
    """Return what to call and its good arguments by name; None where no good call could be written."""
    owner = None
    if isinstance(thing, (classmethod, staticmethod)) or name.rsplit(".", 2)[1][:1].isupper():
        class_name, method = name.rsplit(".", 2)[1:]
        if not isinstance(thing, (classmethod, staticmethod)):
            owner = OWNERS[class_name]() if class_name in OWNERS else good().get(class_name)
            if owner is None:
                return None
            thing = getattr(owner, method)
        else:
            module = importlib.import_module(name.rsplit(".", 2)[0])
            thing = getattr(getattr(module, class_name), method)
    short = ".".join(name.rsplit(".", 2)[1:])
    last = name.rsplit(".", 1)[1]
    room = f"exact.bellman.{last}" if ".exact." in name else ""
    given = dict(GIVEN.get(room, GIVEN.get(short, GIVEN.get(last, {}))))
    taken = inspect.signature(thing).parameters
    given = {key: value for key, value in given.items() if key in taken}
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name in given:
            continue
        annotation = str(parameter.annotation)
        kinds = [kind for kind in re.findall(r"\w+", annotation) if kind in good()]
        if kinds and parameter.default is parameter.empty:
            given[parameter.name] = good()[kinds[0]]
        elif parameter.name in good() and parameter.default is parameter.empty:
            given[parameter.name] = good()[parameter.name]
        elif parameter.default is not parameter.empty:
            given[parameter.name] = parameter.default
        elif re.fullmatch("int", annotation):
            given[parameter.name] = 2
        elif re.fullmatch("float", annotation):
            given[parameter.name] = 0.5
        elif "PathLike" in annotation:
            given[parameter.name] = "/nonexistent/file.npz"
        else:
            return None
    return thing, given


@cache
def _discounts() -> Any:
    return exceptional_discounts(WORLD)


@cache
def _minimal() -> Any:
    return minimal(WORLD, GOALS, Stochastic())


@cache
def _assessed() -> Any:
    return assess(WORLD, GOALS, Stochastic())


GRID = Grid((Axis(0.0, 1.0, 3),))
FRACTIONS = np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]], dtype=object)
EXACT_POLICY = np.full((2, 2), Fraction(1, 2), dtype=object)
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="kinds"))
LINE = np.array([[0.0], [1.0]])

OWNERS: dict[str, Callable[[], Any]] = {
    "Assessment": _assessed,
    "Comparison": lambda: compare({"both": GOALS}, WORLD),
    "Axis": lambda: Axis(0.0, 1.0, 3),
    "ContinuousSystem": lambda: MOUNTAIN_CAR,
    "CertifiedDiscounts": lambda: certified_discounts(WORLD),
    "Deterministic": Deterministic,
    "ExactRank": lambda: exact.rank(FRACTIONS),
    "ExceptionalDiscounts": _discounts,
    "Feasibility": lambda: exact.find_nonnegative_solution(FRACTIONS, FRACTIONS[0]),
    "Goals": lambda: GOALS,
    "Grid": lambda: GRID,
    "KernelClass": Stochastic,
    "MDP": lambda: WORLD,
    "MinimalGoals": _minimal,
    "QLearner": lambda: QLearner(Simulator(WORLD), GOALS, 0.5, seed=0),
    "Simulator": lambda: Simulator(WORLD),
    "Sparse": lambda: Sparse(2),
    "Unconstrained": Unconstrained,
}
GIVEN: dict[str, dict[str, Any]] = {
    "AgentValues": {"q": good()["AgentValues"].q, "goals": GOALS, "discount": 0.5},
    "Assessment.check": {"agent": good()["AgentValues"]},
    "Assessment.why": {"state": 0, "action": 0},
    "Axis": {"low": 0.0, "high": 1.0, "points": 3},
    "Diagnosis": {"residual": 0.0, "consistent": True, "explanations": (), "silent": False, "free": 1},
    "Environment": {"name": "a world", "mdp": WORLD},
    "ExactGoals": {"rewards": FRACTIONS},
    "ExactMDP": {"kernel": good()["ExactMDP"].kernel, "discount": Fraction(1, 2)},
    "Grid": {"axes": (Axis(0.0, 1.0, 3),)},
    "Grid.interpolation": {"points": [[0.5]]},
    "MDP.expectation": {"values": np.zeros((1, 2))},
    "MDP.load": {"path": FOLDER / "world.npz"},
    "Goals.load": {"path": FOLDER / "goals.npz"},
    "QLearner": {"simulator": Simulator(WORLD), "goals": GOALS},
    "QLearner.run": {"steps": 3},
    "Simulator.step": {"states": np.array([0]), "actions": np.array([0])},
    "Supported": {"support": np.ones((2, 2, 2), bool)},
    "ValueEquivalence.determined_functionals": {"weights": [[1.0, 0.0]]},
    "ValueEquivalence.vertices": {"state": 0, "action": 0},
    "ValueEquivalence.extreme_kernel": {"weights": [1.0, 0.0], "largest": True},
    "ValueEquivalence.functional_bounds": {"weights": [[1.0, 0.0]]},
    "Verdict.row": {"state": 0, "action": 0},
    "ExceptionalDiscounts.matrix": {"point": Fraction(1, 3)},
    "ValueEquivalence.contains": {"kernel": WORLD},
    "chain": {"n": 3},
    "compare": {"goal_sets": {"both": GOALS}},
    "plot_comparison": {"comparison": compare({"both": GOALS}, WORLD)},
    "check_forward": {"kernel": WORLD.kernel},
    "corners": {"points": np.array([[0.5]]), "method": "kuhn"},
    "refused": {"points": np.array([[0.5]])},
    "from_function": {"function": lambda s: float(s), "states": [0, 1]},
    "expectation": {"functions": np.zeros((1, 2))},
    "from_networkx": {"graph": WORLD.to_networkx()},
    "from_gymnasium": {"environment": None},
    "from_quantecon": {"program": None},
    "from_stormpy": {"model": None},
    "from_dataframe": {"frame": None},
    "goals": {"task": "goal"},
    "interpolated_mdp": {"step": lambda x, _a: x, "grid": GRID, "n_actions": 1},
    "plot_discounts": {"discounts": exceptional_discounts(WORLD), "result": exceptional_discounts(WORLD)},
    "kernel": {"row_index": np.arange(4), "available": np.ones((2, 2), bool)},
    "indistinguishable_kernels": {"exceptional": exceptional_discounts(WORLD), "discount": Fraction(1, 3)},
    "as_fraction": {"value": Fraction(1, 2)},
    "ball": {"coordinates": LINE, "centres": LINE, "radius": 0.5},
    "column_matching": {"matrix": np.eye(2), "values": np.eye(2)},
    "contains": {"rows": np.eye(2)},
    "determinant": {"matrix": FRACTIONS},
    "discounts_needed": {"goals": Goals([[0.0, 1.0]]), "policy": EXACT_POLICY},
    "enumerate_environment": {"environment": None},
    "evaluate": {"policy": UNIFORM},
    "exact.bellman.evaluate": {"policy": EXACT_POLICY},
    "find_nonnegative_solution": {"matrix": FRACTIONS, "right_hand_side": FRACTIONS[0]},
    "find_recession_vector": {"matrix": FRACTIONS},
    "fraction_array": {"values": [["1/2", "1/3"]]},
    "from_dict": {"table": {0: {0: [(1.0, 0, 1.0, False)]}}},
    "from_mdptoolbox": {"transitions": np.array([np.eye(2)]), "reward": np.ones((2, 1))},
    "from_transitions": {
        "state": [0, 1],
        "action": [0, 0],
        "next_state": [1, 0],
        "probability": [1.0, 1.0],
    },
    "AdvantageValues": {"shows": "advantages", "policy": None, "discounts": (Fraction(1, 2),)},
    "AdvantageValues.of": {"policy": EXACT_POLICY, "discounts": (Fraction(1, 2),)},
    "AdvantageValues.agent": {"discount": Fraction(1, 2), "world": good()["ExactMDP"]},
    "AdvantageValues.shown": {"world": good()["ExactMDP"]},
    "identify_from_policies": {"known": np.zeros((2, 2), bool)},
    "GoalFamily.gaussian": {"coordinates": LINE, "n_goals": 1},
    "parametric": {"rewards": lambda x: [1, x], "parameters": [Fraction(1), Fraction(2)], "n_goals": 1},
    "drawn": {"rng": np.random.default_rng(0)},
    "gaussian": {"coordinates": LINE, "centres": LINE, "width": 0.5},
    "graph": {"networkx_graph": nx.complete_graph(3)},
    "indicator": {"states": [0, 1]},
    "learning_curve": {"learner": QLearner(Simulator(WORLD), GOALS, 0.5, seed=0), "steps": [1, 2], "measures": {}},
    "atlas_entry": {"graph6": "Bw"},
    "connected_graphs": {"n_nodes": 3},
    "check_complete": {"graphs": ["BW", "Bw"], "n_nodes": 3},
    "read_atlas": {"path": ATLAS},
    "atlas_counts": {"path": ATLAS},
    "write_atlas": {"n_nodes": 3, "folder": FOLDER},
    "linkage": {"world": WORLD, "goals": GOALS, "sources": [0]},
    "negative_type": {"metric": 1 - np.eye(3, dtype=int)},
    "modular_test_matrix": {"policy": EXACT_POLICY},
    "most": {"n_states": 3},
    "named_graph": {"text": "petersen"},
    "null_space": {"matrix": FRACTIONS},
    "parse_environment": {"text": "chain:3"},
    "parse_goals": {"text": "indicator", "environment": Environment("a world", WORLD)},
    "plot_error": {"coordinates": LINE},
    "plot_kernel": {"coordinates": LINE, "state": 0},
    "plot_recovery": {"coordinates": LINE},
    "plot_values": {"coordinates": LINE},
    "rank": {"matrix": FRACTIONS},
    "reacher": {"n": 3},
    "mountain_car": {"n": 3},
    "mdp": {"n": 3},
    "robust": {"goals": Goals([[1.0, 0.0]])},
    "save": {"path": FOLDER / "saved.npz"},
    "select": {"goals": [0]},
    "select_goals": {"goals": [0]},
    "solve_linear": {"matrix": FRACTIONS, "right_hand_sides": FRACTIONS},
    "supported_rows": {"matrix": np.eye(2), "values": np.eye(2), "support": csr_array(np.ones((2, 2), bool))},
    "write_prism": {"path": FOLDER / "world.tra"},
}


def wrong_kinds() -> dict[str, Any]:
    """Return the wrong kinds by name."""
    return {
        "None": None,
        "a string": "no such thing",
        "an int": 7,
        "nan": float("nan"),
        "an object": object(),
        "an MDP": WORLD,
        "a class": Deterministic,
        "strings": ["a", "b"],
        "a cube": np.zeros((1, 2, 1)),
        "an exact world": good()["ExactMDP"],
        "a path": pathlib.Path("/nonexistent/nothing.npz"),
        "a negative": -1,
        "a float": 0.37,
        "a dict": {"a": 1},
    }


def outcome(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Call, and say "" for an answer or an error of the package; otherwise what leaked."""
    with warnings.catch_warnings(record=True) as leaked, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            result = function(**arguments)
            if inspect.isgenerator(result):
                next(result, None)
        except TabularInversionError as error:
            if "\n" in str(error):
                return f"an error of more than one line: {error}"
        except Exception as error:  # noqa: BLE001 the point of the test
            return f"{type(error).__name__}: {str(error)[:100]}"
    return f"warning: {leaked[0].message}"[:100] if leaked else ""


def cases() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Yield each public name with what to call and good arguments."""
    for name, thing in sorted(public().items()):
        found = call_of(name, thing)
        if found is not None:
            yield name, *found
