"""Records: read-only through and through, compared by value, on disk without a loss."""

import copy
import pickle
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabular_inversion import Goals, Stochastic, Verdict, identify, solve, storage
from tabular_inversion.environments import chain
from tabular_inversion.errors import FileFormatError, WitnessError
from tabular_inversion.record_files import load_record, save_record
from tabular_inversion.records import Record, promise, same


@dataclass(frozen=True, eq=False)
class Inner(Record):
    values: Any


@dataclass(frozen=True, eq=False)
class Outer(Record):
    parts: tuple[Inner, ...]
    table: Any
    name: str = "x"


def outer() -> Outer:
    return Outer((Inner(np.array([1.0, np.nan])), Inner(csr_array(np.eye(2, dtype=bool)))), np.arange(3))


def arrays_of(value: Outer) -> list[Any]:
    sparse = value.parts[1].values
    return [value.parts[0].values, sparse.data, sparse.indices, sparse.indptr, value.table]


@pytest.mark.parametrize("way", [lambda x: x, copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301
def test_no_array_can_be_written_to(way: Any) -> None:
    twin = way(outer())
    assert twin == outer()
    for array in arrays_of(twin):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[-1]


def test_the_callers_own_array_is_copied_and_stays_writeable() -> None:
    given = np.array([1, 2, 3])
    record = Inner(given)
    given[0] = 9
    assert record.values.tolist() == [1, 2, 3]
    view = np.arange(6).reshape(2, 3)
    kept = Inner(view[0])
    view[0, 0] = 9
    assert kept.values.tolist() == [0, 1, 2]


DIFFERENT = [
    (1, 1.0),
    (1, True),
    (1, 2),
    (0.0, np.nan),
    ("a", "b"),
    (None, 0),
    ((1, 2), (1, 2, 3)),
    ({"a": 1}, {"a": 2}),
    (Fraction(1, 2), 0.5),
    (np.array([1, 2]), np.array([1, 3])),
    (np.array([1, 2]), np.array([1.0, 2.0])),
    (np.array([1, 2]), np.array([[1, 2]])),
    (np.array([Fraction(1)], object), np.array([1], object)),
    (csr_array([[0, 1]]), csr_array([[1, 0]])),
    (Inner(1), Inner(2)),
    (Inner(np.arange(2)), Outer((), np.arange(2))),
]


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_different_values_are_told_apart(first: Any, second: Any) -> None:
    assert not same(first, second)
    assert not same(Inner(first), Inner(second))
    assert same(first, copy.deepcopy(first))
    assert same(Inner(second), Inner(copy.deepcopy(second)))


def test_records_have_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(outer())


@pytest.mark.parametrize("problem", [ValueError, TypeError, KeyError, ZeroDivisionError, FileFormatError, WitnessError])
def test_a_promise_breaks_with_one_kind_of_error(problem: type[Exception]) -> None:
    class Claim:
        @promise
        def verify(self) -> None:
            raise problem("broken")

    with pytest.raises(WitnessError, match="broken"):
        Claim().verify()


def test_what_is_no_such_error_goes_through() -> None:
    class Claim:
        @promise
        def verify(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Claim().verify()


@pytest.fixture
def verdict() -> Verdict:
    return identify(solve(chain(3), Goals.generic(3, 1, seed=0)), Stochastic())


def test_a_file_makes_only_the_classes_of_the_table(tmp_path: Any, verdict: Verdict) -> None:
    path = tmp_path / "record.json"
    for foreign in (Inner(1), outer()):
        save_record(path, "verdict", foreign)
        with pytest.raises(FileFormatError, match="which no file of this package holds"):
            Verdict.load(path)
    storage.write(path, "verdict", {}, {"record": {"class": "os.system", "fields": {"command": "true"}}})
    with pytest.raises(FileFormatError, match=r"os\.system"):
        Verdict.load(path)
    save_record(path, "verdict", verdict.question)
    with pytest.raises(FileFormatError, match="holds a ValuesQuestion, no Verdict"):
        Verdict.load(path)
    with pytest.raises(FileFormatError, match="cannot be written"):
        save_record(path, "verdict", Inner(object()))


def test_numbers_come_back_exactly(tmp_path: Any) -> None:
    from tabular_inversion.exact import Feasibility, fraction_array

    for ending in ("json", "npz"):
        path = tmp_path / f"record.{ending}"
        stored = Feasibility(fraction_array([[Fraction(1, 3), 2], [0, -(10**40)]]), None)
        save_record(path, "certificate", stored)
        assert load_record(path, "certificate", type(stored)) == stored


def test_an_altered_file_is_refused_or_its_verdict_does_not_verify(tmp_path: Any, verdict: Verdict) -> None:
    path = tmp_path / "verdict.json"
    verdict.save(path)
    text = path.read_text()
    path.write_text(text.replace('"rank": 2', '"rank": 3'))
    with pytest.raises(FileFormatError, match="checksum"):
        Verdict.load(path)
    arrays, metadata = {}, {"record": None}
    path.write_text(text)
    found, meta = storage.read(path, "verdict")
    arrays, metadata = dict(found), dict(meta)
    metadata["record"]["fields"]["rank"] = 3
    storage.write(path, "verdict", arrays, metadata)
    with pytest.raises(WitnessError, match="rank"):
        Verdict.load(path).verify()
