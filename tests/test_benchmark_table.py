"""The kept table of benchmarks: a slow entry is reported, the page is that of the stored numbers."""

import importlib.util
import json
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "benchmarks" / "table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("kept_table", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_entry_that_has_become_slow_is_reported(table):
    slow = table.Entry("nap", "a short one", lambda: (lambda: time.sleep(0.1), lambda: time.sleep(1e-4), (1.0, 1.0)))
    found = table.measure([slow], rounds=1)
    assert found["nap"]["ratio"] > 5
    (line,) = table.regressions(found, {"nap": {"ratio": 1.0}})
    assert line.startswith("nap: ")
    assert table.regressions({"nap": {"ratio": 1.49}}, {"nap": {"ratio": 1.0}}) == []
    assert table.regressions(found, {}) == []


def test_the_page_is_that_of_the_stored_table(table):
    stored = json.loads(table.STORED.read_text())
    assert table.PAGE.read_text() == table.page(stored["entries"], stored["machine"])
    assert set(stored["entries"]) == {entry.name for entry in table.ENTRIES}
