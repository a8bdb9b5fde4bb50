"""Certificates of exact answers: the checker accepts honest ones, no changed ones, and shares no code with deciders."""

import ast
import json
from fractions import Fraction
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import tabular_inversion
from tabular_inversion import (
    Deterministic,
    Goals,
    Sparse,
    Stochastic,
    Supported,
    Unconstrained,
    exact,
    identify,
    solve,
)
from tabular_inversion.certificates import certificates_of, signed, write_certificate
from tabular_inversion.checker import CertificateError, check, check_file
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.environments import chain, four_rooms, graph
from tabular_inversion.errors import InputError
from tabular_inversion.exact import ExactGoals, ExactMDP
from tabular_inversion.sufficiency import concrete, minimal

CHECKER = Path(tabular_inversion.__file__).parent / "checker"
K33 = graph(nx.complete_bipartite_graph(3, 3), discount=0.5)


def few_successors(rng):
    """Draw a verdict on rows of few successors that is proved by a tree: more states than the equations tell apart."""
    k = int(rng.integers(2, 5))
    goals = ExactGoals(rng.integers(-20, 21, (k, 6)), np.zeros((k, 6), int))  # so M is R, whatever the world
    q = np.empty((k, 6, 1), dtype=object)
    for s in range(6):
        first, second = rng.choice(6, 2, replace=False)
        q[:, s, 0] = (goals.rewards[:, first] + goals.rewards[:, second]) / 2
    if rng.random() < 0.3:
        q[0, 0, 0] += Fraction(1, 8)
    agent = exact.ExactAgentValues(q, goals, Fraction(1, 2))
    return identify(agent, Sparse(2), scope=("instance", "uniform")[rng.integers(2)])


def draw(rng):
    """Draw an exact verdict: all classes and scopes, masks, ties, given policies, wrong values, k != n."""
    n, m, k = int(rng.integers(1, 5)), int(rng.integers(1, 3)), int(rng.integers(1, 5))
    branching = int(rng.integers(1, n + 1))
    weights = rng.integers(1, 4, (n, m, n))
    weights = np.where(rng.random(weights.shape).argsort(axis=2).argsort(axis=2) < branching, weights, 0)
    available = np.ones((n, m), bool)
    available[:, 1:] = rng.random((n, m - 1)) < 0.7
    kernel = [
        [
            [Fraction(int(w), int(row.sum())) if free else Fraction(0) for w in row]
            for row, free in zip(*pair, strict=True)
        ]
        for pair in zip(weights, available, strict=True)
    ]
    world = ExactMDP(kernel, Fraction(int(rng.integers(0, 10)), 10), available)
    continuation = rng.integers(0, 2, (k, n)) if rng.random() < 0.4 else None
    goals = ExactGoals(rng.integers(-2, 3, (k, n)), continuation)
    if rng.random() < 0.5:
        agent = exact.solve(world, goals)
    else:
        even = [[Fraction(int(a), int(row.sum())) for a in row] for row in available]
        agent = exact.evaluate(world, goals, even)
    if rng.random() < 0.3:  # values that perhaps nothing explains
        q = np.array(agent.q)
        place = tuple(int(rng.integers(size)) for size in q.shape)
        if q[place] is not None:
            q[place] += Fraction(int(rng.integers(-2, 3)), 4)
        agent = exact.ExactAgentValues(q, agent.goals, agent.discount, agent.policy, agent.available)
    if rng.random() < 0.02:
        return few_successors(rng)
    classes = [Unconstrained(), Stochastic(), Supported(world.kernel != 0), Sparse(min(2, n)), Deterministic()]
    return identify(agent, classes[rng.integers(5)], scope=("instance", "uniform")[rng.integers(2)])


def leaves(tree, path=()):
    """Yield the place of every text and number of a certificate."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, part in parts:
        if isinstance(part, dict | list):
            yield from leaves(part, (*path, name))
        else:
            yield (*path, name)


def changed(certificate, rng):
    """Return the certificate with one entry changed, and its place."""
    copy = json.loads(json.dumps(certificate))
    places = [place for place in leaves(copy) if place[0] not in ("format", "version", "digest")]
    place = places[int(rng.integers(len(places)))]
    inside = copy
    for name in place[:-1]:
        inside = inside[name]
    old = inside[place[-1]]
    statuses = ["IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT"]
    if isinstance(old, bool):
        new = not old
    elif isinstance(old, int):
        new = old + int(rng.choice([-1, 1]))
    elif old in statuses:
        new = statuses[(statuses.index(old) + int(rng.integers(1, 3))) % 3]
    elif isinstance(old, str):
        try:
            new = str(Fraction(old) + int(rng.choice([-1, 1])))
        except ValueError:
            new = "stochastic" if old != "stochastic" else "unconstrained"
    else:
        new = 1
    inside[place[-1]] = new
    return copy, place


def flat(proof):
    """Yield a proof and, if it is a tree, all that it is made of."""
    yield proof
    for branch in ("without", "with"):
        if branch in proof:
            yield from flat(proof[branch])


def agent_of(certificate):
    """Read back what a certificate says that an agent shows."""
    shown = certificate["agent"]
    goals = ExactGoals(shown["rewards"], shown["continuation"], shown["action_rewards"])
    policy = None if shown["policy"] is None else exact.fraction_array(shown["policy"])
    return exact.ExactAgentValues(shown["q"], goals, shown["discount"], policy, shown["available"])


def class_of(certificate):
    named = certificate["class"]
    if named["name"] == "supported":
        n = len(named["support"])
        mask = np.array([[np.isin(np.arange(n), row) for row in rows] for rows in named["support"]])
        return Supported(mask)
    simple = {"unconstrained": Unconstrained(), "stochastic": Stochastic(), "deterministic": Deterministic()}
    return simple.get(named["name"]) or Sparse(max(1, named["successors"]))


def campaign(count, seed):
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(count):
        verdict = draw(rng)
        [certificate] = certificates_of(verdict)
        text = check(certificate)
        seen |= {(row["status"], certificate["class"]["name"], certificate["scope"]) for row in certificate["rows"]}
        assert verdict.status.name in text
        forged, place = changed(certificate, rng)
        with pytest.raises(CertificateError, match="digest"):
            check(forged)
        resigned = signed(forged)
        try:
            check(resigned)
        except CertificateError:
            continue
        # What the checker accepts although an entry changed has to be true of the changed agent.
        again = identify(agent_of(resigned), class_of(resigned), scope=resigned["scope"])
        for row in resigned["rows"]:
            if row["status"] != "UNDECIDED":
                assert again.row(row["state"], row["action"]).name == row["status"], place
    return seen


def test_honest_certificates_are_accepted_and_changed_ones_are_not():
    seen = campaign(250, seed=0)
    assert {status for status, _, _ in seen} >= {"IDENTIFIED", "NOT_IDENTIFIED", "INCONSISTENT"}
    assert {name for _, name, _ in seen} == {"unconstrained", "stochastic", "supported", "sparse", "deterministic"}


@pytest.mark.slow
def test_ten_thousand_certificates():
    for seed in range(10):
        campaign(1000, seed=100 + seed)


@pytest.mark.parametrize("kernel_class", [Deterministic(), Sparse(2), Stochastic()], ids=lambda k: k.name)
def test_smallest_sets_and_their_bounds(kernel_class):
    found = minimal(chain(6), Goals.indicator(6), kernel_class)
    [certificate] = certificates_of(found)
    assert check(certificate).startswith(f"{found.size} goals suffice")
    assert "no smaller set does" in check(certificate)
    for wrong in ({"lower_bound": found.size + 1}, {"goals": certificate["goals"][1:]}, {"given": [99]}):
        with pytest.raises(CertificateError):
            check(signed(certificate | wrong))


def test_the_smallest_set_of_four_rooms():
    world = four_rooms("windy")
    [certificate] = certificates_of(minimal(world, Goals.indicator(68), Supported.of(world)))
    assert check(certificate) == "2 goals suffice among supported kernels, and no smaller set does"


@pytest.mark.parametrize(("parts", "shown"), [((3, 3), "[M;1]"), ((3, 2), "M")])
def test_exceptional_discounts_at_a_rational_and_an_irrational_root(parts, shown):
    found = exceptional_discounts(graph(nx.complete_bipartite_graph(*parts)))
    [certificate] = certificates_of(found)
    assert check(certificate).endswith(f"the columns of {shown} are dependent")
    rng = np.random.default_rng(0)
    accepted = []
    for _ in range(150):
        forged, place = changed(certificate, rng)
        try:
            check(signed(forged))
        except CertificateError:
            continue
        accepted.append(place)
    # A wider interval, and rewards, rows and policies that no goal's optimal way touches, leave the claim true.
    assert all(place[0] in ("interval", "optimal", "with_ones", "world", "polynomial") for place in accepted), accepted


def test_rows_with_the_same_successors_have_trees_of_their_own():
    goals = ExactGoals([[0, 1, 2, 5], [0, 1, 4, 3]], np.zeros((2, 4), int))
    shares = [Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(3, 4)]
    q = np.empty((2, 4, 1), dtype=object)
    for s, share in enumerate(shares):
        q[:, s, 0] = share * goals.rewards[:, 1] + (1 - share) * goals.rewards[:, 3]
    verdict = identify(exact.ExactAgentValues(q, goals, Fraction(1, 2)), Sparse(2))
    [certificate] = certificates_of(verdict)
    assert check(certificate).startswith(verdict.status.name)


def test_k33_is_not_identified_and_the_two_rows_say_so():
    [certificate] = certificates_of(concrete(K33, Goals.indicator(6), Stochastic(), policy="optimal"))
    assert check(certificate).startswith("NOT_IDENTIFIED among stochastic kernels, uniform scope")
    pair = certificate["proofs"][0]
    pair["second"] = pair["first"]
    with pytest.raises(CertificateError, match="pair: equal rows"):
        check(signed(certificate))


def test_files_hold_one_or_several_and_what_is_wrong_is_one_line(tmp_path):
    path = tmp_path / "certificate.json"
    write_certificate(exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3))), path)
    assert len(check_file(path)) == 1
    for text, message in [
        ("[]", "holds no certificate"),
        ("{", "is no JSON"),
        ("{}", "no certificate"),
        ("7", "no cert"),
    ]:
        path.write_text(text)
        with pytest.raises(CertificateError, match=message):
            check_file(path)


def test_floats_have_no_certificate():
    with pytest.raises(InputError, match="exact"):
        certificates_of(identify(solve(chain(3), Goals.indicator(3)), Stochastic()))
    with pytest.raises(InputError, match="expected Verdict or MinimalGoals"):
        certificates_of(chain(3))
    with pytest.raises(InputError, match="no discount"):
        certificates_of(exceptional_discounts(graph(nx.path_graph(3))))


def test_the_checker_shares_no_module_with_the_deciders_and_is_short():
    for path in CHECKER.glob("*.py"):
        source = path.read_text()
        assert len(source.splitlines()) <= 150, path.name
        for node in ast.walk(ast.parse(source)):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not any(name.startswith(("numpy", "flint", "scipy", "sympy")) for name in names), path.name
                inside = [name for name in names if name.startswith("tabular_inversion")]
                assert all(name.startswith("tabular_inversion.checker") for name in inside), path.name
