"""`verify()` is a promise: honest results pass it, and whatever single field is changed, only a true result passes.

A changed object is a forgery unless it says something true: a question may be exchanged where the answer is the same,
and a certificate may be exchanged for another one that proves the same. Both are judged by `oracles`, not by `verify`.
In a `MinimalGoals` a proof may be dropped, which lowers the evidence with it, and a sufficient set may be exchanged for
another. No other weaker claim passes: not a lower rank, bound, evidence or multiplicity.
"""

import copy
import pickle
from collections import Counter
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from forge import Impostor, forgeries
from honest import CERTIFICATES, RESULTS, VERDICTS
from oracles import is_true
from scipy.sparse import issparse

from tabular_inversion.errors import InputError, WitnessError
from tabular_inversion.identifiability import Verdict
from tabular_inversion.kernel_classes import KernelClass
from tabular_inversion.records import Record, same

EVERYTHING = RESULTS | CERTIFICATES


def campaign(kind, seed, honest_ones, each):
    """Forge, and return counts: refused, accepted and true, accepted and false; raw errors are raised."""
    rng = np.random.default_rng(seed)
    counts, wrong = Counter(), []
    other = EVERYTHING[kind](rng)
    for _ in range(honest_ones):
        honest = EVERYTHING[kind](rng)
        honest.verify()
        counts["honest"] += 1
        for forgery in forgeries(honest, other, rng, each):
            if forgery.object is None:
                counts["no object"] += 1
                continue
            counts["forged"] += 1
            try:
                forgery.object.verify()
            except WitnessError as problem:
                counts["refused"] += 1
                counts["of more than one line"] += "\n" in str(problem)
                continue
            if is_true(kind, forgery.object):
                counts["true"] += 1
            else:
                wrong.append((forgery.path, forgery.how))
        other = honest
    return counts, wrong


@pytest.mark.parametrize("kind", EVERYTHING)
def test_forgeries(kind):
    counts, wrong = campaign(kind, seed=0, honest_ones=20 if kind in CERTIFICATES else 3, each=10)
    assert not wrong
    assert counts["refused"] > 5
    assert counts["of more than one line"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", EVERYTHING)
def test_many_forgeries(kind):
    total = Counter()
    for seed in range(1, 9):
        counts, wrong = campaign(kind, seed=seed, honest_ones=80 if kind in CERTIFICATES else 20, each=15)
        assert not wrong
        total += counts
    print(kind, dict(total))
    assert total["forged"] >= 750  # of 13 kinds together more than 10,000


@pytest.mark.parametrize("kind", EVERYTHING)
def test_honest_results_are_never_refused(kind):
    rng = np.random.default_rng(100)
    for _ in range(8):
        EVERYTHING[kind](rng).verify()


@pytest.mark.slow
@pytest.mark.parametrize("kind", EVERYTHING)
def test_thousands_of_honest_results_are_never_refused(kind):
    rng = np.random.default_rng(101)
    number = 5000 if kind == "float verdict" else 2000 if kind == "exact verdict" else 200
    for _ in range(number):
        EVERYTHING[kind](rng).verify()


@pytest.mark.parametrize("kind", EVERYTHING)
def test_copies_and_pickles_are_equal_read_only_and_verify(kind):
    rng = np.random.default_rng(7)
    for _ in range(2):
        honest = EVERYTHING[kind](rng)
        for twin in (copy.deepcopy(honest), pickle.loads(pickle.dumps(honest))):  # noqa: S301  our own
            assert twin == honest
            assert not writeable(twin, set())
            twin.verify()


def writeable(value, seen):
    """Find arrays that can be written to, in every field and in whatever a `Record` has remembered."""
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return [value] if value.flags.writeable else []
    if isinstance(value, tuple | list):
        return [found for item in value for found in writeable(item, seen)]
    if issparse(value):
        return writeable([value.data, value.indices, value.indptr], seen)
    if isinstance(value, KernelClass) or not is_dataclass(value):  # kernel classes have tests of their own
        return []
    names = {field.name for field in fields(value)}
    remembered = [kept for name, kept in vars(value).items() if name not in names and not is_dataclass(kept)]
    return writeable([getattr(value, name) for name in names] + (remembered if isinstance(value, Record) else []), seen)


@pytest.mark.parametrize("kind", EVERYTHING)
def test_results_are_read_only(kind):
    assert not writeable(EVERYTHING[kind](np.random.default_rng(8)), set())


@pytest.mark.parametrize("ending", ["npz", "json"])
@pytest.mark.parametrize("kind", VERDICTS)
def test_saved_verdicts_come_back_exactly_and_verify(kind, ending, tmp_path):
    rng = np.random.default_rng(9)
    for i in range(2):
        verdict = VERDICTS[kind](rng)
        verdict.save(tmp_path / f"{i}.{ending}")
        loaded = Verdict.load(tmp_path / f"{i}.{ending}")
        assert loaded == verdict
        assert not writeable(loaded, set())
        loaded.verify()


def test_the_campaign_notices_a_check_that_is_missing(monkeypatch):
    """A verdict whose `verify` looks at nothing lets forgeries through, and the judge says so."""
    monkeypatch.setattr(Verdict, "verify", lambda _: None)
    _, wrong = campaign("exact verdict", seed=0, honest_ones=3, each=10)
    assert len(wrong) > 10


def test_an_impostor_is_no_proof():
    rng = np.random.default_rng(3)
    while not (verdict := VERDICTS["exact verdict"](rng)).proofs:
        pass
    others = {name: getattr(verdict, name) for name in verdict.__dataclass_fields__ if name != "proofs"}
    proofs = (Impostor(verdict.proofs[0]), *verdict.proofs[1:])
    with pytest.raises(InputError, match=r"^proofs\[0\] is an Impostor; expected Proof\.$"):
        Verdict(**others, proofs=proofs)
    forged = Verdict(**others, proofs=verdict.proofs)
    object.__setattr__(forged, "proofs", proofs)  # past the constructor
    with pytest.raises(WitnessError, match="got Impostor"):
        forged.verify()
    assert same(forged.rank, verdict.rank)
