"""Solver calls: nothing they print reaches standard output, and nothing that others print is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from tabular_inversion.highs import integer_program, linear_program

SOURCES = Path(__file__).parent.parent / "tabular_inversion"

NOISY = """
import ctypes, sys, threading, time
from tabular_inversion import highs

libc = ctypes.CDLL(None)
def loud(costs, **program):
    for _ in range(50):
        libc.printf(b"from C\\n")
        libc.puts(b"from C")
        time.sleep(0.0005)
    if SCREAM:
        raise ValueError("a solver that fails")
highs._milp = highs._linprog = loud
def work(call):
    try:
        call([1.0])
    except ValueError:
        pass
calls = [highs.integer_program, highs.linear_program] * 3
threads = [threading.Thread(target=work, args=(call,)) for call in calls]
for thread in threads:
    thread.start()
for number in range(100):
    print(f"answer {number}", flush=True)
    time.sleep(0.0005)
for thread in threads:
    thread.join()
libc.printf(b"afterwards\\n")
libc.fflush(None)
"""


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="C's stream cannot be exchanged elsewhere")
@pytest.mark.parametrize("fails", [False, True])
def test_threads_print_while_solvers_run_and_solvers_print_nothing(fails):
    script = f"SCREAM = {fails}\n" + NOISY
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = [f"answer {number}" for number in range(100)] + ["afterwards"]
    assert found.stdout.split("\n") == [*expected, ""]
    assert found.stderr == ""


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="C's stream cannot be exchanged elsewhere")
def test_without_the_silence_the_same_solvers_would_be_heard():
    script = "SCREAM = False\nfrom contextlib import nullcontext\n" + NOISY.replace(
        "highs._milp =", "highs._SILENCE.kept = nullcontext\nhighs._milp ="
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "from C" in found.stdout


def test_no_other_module_calls_a_solver():
    others = [path for path in SOURCES.rglob("*.py") if path.name != "highs.py"]
    callers = [
        path.name
        for path in others
        if any(f"import {name}" in line or f", {name}" in line
               for line in path.read_text(encoding="utf-8").splitlines() if "scipy.optimize" in line
               for name in ("linprog", "milp"))
    ]  # fmt: skip
    assert len(others) > 100
    assert callers == []


def test_results_are_those_of_scipy():
    assert linear_program([1.0], bounds=(2.0, 3.0)).fun == 2.0
    assert integer_program([-1.0], bounds=(0.0, 2.5), integrality=1).fun == -2.0
