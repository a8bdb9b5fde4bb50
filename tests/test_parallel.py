"""Tasks over processes: order, progress, errors, and workers that do not outlive the process that started them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tabular_inversion.errors import InputError
from tabular_inversion.parallel import run_tasks

SLEEPERS = """
import os, sys, time
from pathlib import Path
from tabular_inversion.parallel import run_tasks

def sleep(place):
    Path(place).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    run_tasks([(sleep, f"{sys.argv[1]}/{i}.pid") for i in range(2)], workers=2)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    noted = {}
    tasks = [(abs, -3), (len, "ab"), (abs, 1)]
    assert run_tasks(tasks, workers=workers, progress=noted.__setitem__) == [3, 2, 1]
    assert noted == {0: 3, 1: 2, 2: 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_is_raised(workers):
    with pytest.raises(TypeError, match="bad operand"):
        run_tasks([(abs, 1), (abs, "x")], workers=workers)


def test_there_is_at_least_one_worker():
    with pytest.raises(InputError, match="workers is 0"):
        run_tasks([], workers=0)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("nothing happened within a minute")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    places = [tmp_path / f"{i}.pid" for i in range(2)]
    parent = subprocess.Popen([sys.executable, script, tmp_path])
    try:
        wait_until(lambda: all(place.exists() and place.read_text() for place in places))
    finally:
        parent.kill()
        parent.wait()
    workers = [int(place.read_text()) for place in places]
    wait_until(lambda: not any(map(alive, workers)))
