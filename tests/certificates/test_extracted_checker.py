"""The checker extracted from Coq and the plain one agree, on honest certificates and on changed ones."""

from contextlib import nullcontext

import networkx as nx
import numpy as np
import pytest
from test_certificates import changed, draw, flat

from proofs_checks import extracted_checker
from proofs_checks.extracted_checker import NOT_RUN, NotCoveredError, available, compiled, run
from tabular_inversion import Deterministic, Goals, Sparse, Stochastic, exact, identify
from tabular_inversion.certificates import certificates_of, signed, write_certificate
from tabular_inversion.checker import CertificateError, check
from tabular_inversion.cli import check as command
from tabular_inversion.cli.plugs import plugged
from tabular_inversion.discounts import exceptional_discounts
from tabular_inversion.environments import chain, graph
from tabular_inversion.sufficiency import minimal

pytestmark = pytest.mark.skipif(not available(), reason=f"the extracted checker was {NOT_RUN}")
KINDS = {"unique", "pair", "farkas", "apart", "columns", "branch"}


@pytest.fixture(scope="module")
def program():
    with compiled() as path:
        yield path


def accepts(checker, certificate):
    try:
        checker(certificate)
    except CertificateError:
        return False
    return True


def agree(program, count, seed):
    """Compare both checkers on honest certificates, which they accept, and on changed ones."""
    rng, kinds, answers = np.random.default_rng(seed), set(), []
    for _ in range(count):
        [certificate] = certificates_of(draw(rng))
        kinds |= {proof["kind"] for whole in certificate["proofs"] for proof in flat(whole)}
        assert accepts(check, certificate)
        assert accepts(lambda c: run(program, c), certificate), certificate
        forged, place = changed(certificate, rng)
        forged = signed(forged)
        answers.append(accepts(check, forged))
        assert accepts(lambda c: run(program, c), forged) == answers[-1], place
    assert kinds == KINDS
    assert set(answers) == {True, False}


def test_both_checkers_agree_on_honest_and_on_changed_certificates(program):
    agree(program, 150, seed=7)


@pytest.mark.slow
def test_both_checkers_agree_on_the_whole_test_set(program):
    for seed in range(10):
        agree(program, 1000, seed=100 + seed)


def test_what_is_not_covered_is_said(program):
    [certificate] = certificates_of(minimal(chain(5), Goals.indicator(5), Sparse(2)))
    assert run(program, certificate).endswith("that the goals suffice is checked, the bound from below is not")
    with pytest.raises(CertificateError, match="goals: they do not suffice"):
        run(program, signed(certificate | {"rows": [{**certificate["rows"][0], "status": "NOT_IDENTIFIED"}]}))
    [root] = certificates_of(exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3))))
    with pytest.raises(NotCoveredError, match="discounts at a root are not"):
        run(program, root)
    with pytest.raises(CertificateError, match="digest"):
        run(program, certificate | {"goals": []})


@pytest.mark.parametrize("option", ["extracted", "both"])
def test_the_command_says_which_checker_accepted(program, monkeypatch, tmp_path, option):
    monkeypatch.setattr(extracted_checker, "compiled", lambda: nullcontext(program))
    assert plugged("check") is extracted_checker
    found = minimal(chain(4), Goals.indicator(4), Stochastic())
    root = exceptional_discounts(graph(nx.complete_bipartite_graph(3, 3)))
    verdict = identify(exact.solve(exact.ExactMDP.from_float(chain(3)), exact.ExactGoals([[0, 1, 2]])), Deterministic())
    places = []
    for number, result in enumerate((verdict, found, root)):
        places.append(tmp_path / f"{number}.json")
        write_certificate(result, places[-1])
    answer = command.answer(places, option)
    both = option == "both"
    names = ["plain", "extracted"] if both else ["extracted"]
    assert [one["checkers"] for one in answer["files"]] == [[names], [names], [["plain"]] if both else []]
    assert [one["holds"] for one in answer["files"]] == [True, True, both]
    assert "6 rows by theorems of Checker.v" in answer["files"][0]["claims"][0]
    assert "the bound from below is not" in answer["files"][1]["claims"][0]
    said = answer["files"][2]["claims"][0] if both else answer["files"][2]["problem"]
    assert "discounts at a root are not" in said
    places[0].write_text(places[0].read_text().replace('"IDENTIFIED"', '"INCONSISTENT"'))
    assert command.answer(places[:1], option)["files"][0]["problem"] == "digest: the content was changed"
