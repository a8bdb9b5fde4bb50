"""The checker extracted from Coq and the plain one agree, on honest certificates and on changed ones."""

import numpy as np
import pytest
from test_certificates import changed, draw

from proofs_checks.extracted_checker import NOT_RUN, available, compiled, is_covered, run
from tabular_inversion.certificates import certificates_of, signed
from tabular_inversion.checker import CertificateError, check

pytestmark = pytest.mark.skipif(not available(), reason=f"the extracted checker was {NOT_RUN}")


def accepts(checker, certificate):
    try:
        checker(certificate)
    except (CertificateError, LookupError, TypeError, AttributeError, ArithmeticError, ValueError):
        return False
    return True


def test_both_checkers_agree_on_two_hundred_certificates():
    rng, kinds, answers, count = np.random.default_rng(7), set(), [], 0
    with compiled() as program:
        while count < 200:
            [certificate] = certificates_of(draw(rng))
            if not is_covered(certificate):
                continue
            count += 1
            kinds |= {proof["kind"] for proof in certificate["proofs"]}
            assert accepts(check, certificate)
            assert accepts(lambda c: run(program, c), certificate), certificate
            forged, place = changed(certificate, rng)
            forged = signed(forged)
            try:
                if not is_covered(forged):
                    continue
            except (LookupError, TypeError):
                continue
            answers.append(accepts(check, forged))
            assert accepts(lambda c: run(program, c), forged) == answers[-1], place
    assert kinds == {"unique", "pair", "farkas"}
    assert set(answers) == {True, False}
    assert len(answers) > 160
