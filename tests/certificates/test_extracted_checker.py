"""The checker extracted from Coq and the plain one agree, on honest certificates and on changed ones."""

import networkx as nx
import numpy as np
import pytest
from test_certificates import changed, draw, flat

from proofs_checks.extracted_checker import NOT_RUN, NotCoveredError, available, compiled, run
from tabular_inversion import Goals, Sparse
from tabular_inversion.certificates import certificates_of, signed
from tabular_inversion.checker import CertificateError, check
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
    except (CertificateError, LookupError, TypeError, AttributeError, ArithmeticError, ValueError):
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
    agree(program, 250, seed=7)


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
