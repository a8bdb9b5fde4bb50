"""The command line as a process: encodings, closed and full outputs, full disks, Ctrl-C, JSON and nothing else."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from tabular_inversion import MDP
from tabular_inversion.cli import identify, main
from tabular_inversion.environments import chain

COMMAND = [sys.executable, "-m", "tabular_inversion"]
STRANGE = "Zürich → 東京 [/red] :x: [bold]"
ONE = ("identify", "chain:3", "--goals", "generic:3")


def run(*arguments, output=subprocess.PIPE, encoding="utf-8", **more):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "MPLBACKEND": "agg"}
    done = subprocess.run([*COMMAND, *map(str, arguments)], stdout=output, stderr=subprocess.PIPE, check=False,
                          env=environment, timeout=120, **more)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def assert_one_line(error):
    lines = error.decode(errors="replace").splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")


@pytest.fixture(scope="module")
def strange_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("world") / "world.json"
    world = chain(3)
    MDP(world.kernel, 0.9, state_names=[STRANGE, "b,c", "d"], action_names=world.action_names).save(path)
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_that_the_terminal_has_no_letters_for_are_shown(strange_world, encoding):
    status, out, err = run(
        "goals", strange_world, "--class", "stochastic", "--goals", "indicator:b,c", encoding=encoding
    )
    assert (status, err) == (0, b"")
    shown = STRANGE.encode(encoding, errors="backslashreplace").decode(encoding)
    joined = "".join(character for character in out.decode(encoding) if character not in "| \n")
    assert shown.replace(" ", "") in joined


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_errors_name_what_the_terminal_has_no_letters_for(encoding):
    status, out, err = run("identify", "日本", encoding=encoding)
    assert (status, out) == (2, b"")
    assert_one_line(err)
    assert rb"\u65e5\u672c" in err


def test_a_full_standard_output_is_one_line():
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        for arguments in ((*ONE, "--json"), ("--help",)):
            status, _, err = run(*arguments, output=full)
            assert status == 2
            assert_one_line(err)
            assert b"standard output" in err


def test_a_reader_that_has_gone_ends_the_command_without_a_word():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        status, _, err = run(*ONE, output=writing)
    finally:
        os.close(writing)
    assert (status, err) == (141, b"")


def test_a_closed_standard_output_is_one_line():
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *ONE], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert_one_line(done.stderr)


def test_a_closed_standard_error_changes_no_answer():
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, *ONE, "--json"], stdout=subprocess.PIPE,
                          check=False)  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "IDENTIFIED"


WRITERS = {
    "invert -o": ("invert", "random:n=40,m=2", "--goals", "generic:40", "-o", "world.npz"),
    "goals --plot": ("goals", "chain:3", "--plot", "picture.png"),
    "discounts --plot": ("discounts", "graph:K2", "--plot", "picture.svg"),
    "identify --certificate": (*ONE, "--exact", "--certificate", "proof.json"),
    "verify --json": ("verify", "P1", "--workers", "1", "--json", "report.json"),
    "verify --html": ("verify", "P1", "--workers", "1", "--html", "report.html"),
    "reproduce --out": ("reproduce", "errors", "--out", "run"),
}


@pytest.fixture
def here(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a new folder; return its status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tabular-inversion", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err.encode()

    return call


@pytest.fixture
def full_disk():
    """Let no file grow beyond a few bytes, as on a full disk; a write then fails with an error of the system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS.keys())
def test_a_full_disk_is_one_line_after_the_answer_and_nothing_half_written(here, arguments, tmp_path):
    status, out, err = here(*arguments)
    assert status == 2
    assert_one_line(err)
    assert out or arguments[0] == "reproduce"
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "settings.json"] == []


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS.keys())
def test_a_folder_that_cannot_be_written_to_is_one_line(here, arguments):
    status, _, err = here(*arguments[:-1], f"/proc/{arguments[-1]}")
    assert status == 2
    assert_one_line(err)


def test_an_older_file_survives_a_full_disk(here, tmp_path, full_disk):
    old = tmp_path / "picture.png"
    old.write_bytes(b"old")
    status, _, _ = here("goals", "chain:3", "--plot", "picture.png")
    assert (status, old.read_bytes()) == (2, b"old")


NOISY = """
import os, sys
from tabular_inversion.cli import identify, main
def noisy(*arguments, **options):
    os.write(1, b"a solver in C speaks\\n")
    print("and a library", file=sys.__stdout__)
    return answer(*arguments, **options)
answer, identify.answer = identify.answer, noisy
sys.argv[1:] = ["identify", "chain:3", "--json"]
main()
"""


def test_json_is_json_and_nothing_else_also_when_a_solver_prints():
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "IDENTIFIED"
    assert b"a solver in C speaks" in done.stderr


def interrupt(arguments, delay, *, group=True):
    """Start a command as a terminal does, send Ctrl-C after a while, and return status and both outputs."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)  # fmt: skip
    time.sleep(delay)
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    start = time.monotonic()
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err, time.monotonic() - start


def ready_to_be_interrupted():
    """Return how long Python itself takes to come to our first line: before that it alone decides what is said."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import tabular_inversion.cli"], check=True)
    return 1.5 * (time.monotonic() - start) + 0.1


LONG = ("verify", "--workers", "2")
INTERRUPTED = [(LONG, 0.3, True), (LONG, 4.0, True), pytest.param(LONG, 4.0, False, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("arguments", "delay", "group"), INTERRUPTED)
def test_ctrl_c_is_one_word_and_130(arguments, delay, group):
    status, out, err, seconds = interrupt(arguments, ready_to_be_interrupted() + delay, group=group)
    assert (status, out, err) == (130, b"", b"interrupted\n")
    assert seconds < 30


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [LONG, ("verify", "--workers", "1"), ("goals", "fourrooms:teleport"),
                                       ("reproduce", "fourrooms"), ("discounts", "graph:petersen")],
                         ids=lambda arguments: arguments[0])  # fmt: skip
def test_ctrl_c_at_any_time(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ready = ready_to_be_interrupted()
    for step in range(12):
        status, _, err, _ = interrupt(arguments, ready + 0.13 * step)
        if status != 0:  # it may have been quicker
            assert (status, err) == (130, b"interrupted\n"), (step, err)


def test_a_library_that_hides_an_interrupt_does_not_change_the_status(monkeypatch, capsys):
    def hidden(*_arguments, **_options):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as problem:
            raise ImportError("numpy could not be imported") from problem

    monkeypatch.setattr(identify, "answer", hidden)
    monkeypatch.setattr(sys, "argv", ["tabular-inversion", "identify", "chain:3"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err) == (130, "interrupted\n")


FROM_A_TEXT = """
import signal, sys
from tabular_inversion.cli import identify, main
def interrupted(*_arguments, **_options):
    exec("import signal; signal.raise_signal(signal.SIGINT)")
identify.answer = interrupted
sys.argv[1:] = ["identify", "chain:3"]
main()
"""


def test_ctrl_c_in_code_that_is_run_from_a_text_ends_with_130(tmp_path):
    """``python -m`` remembers such an interrupt, although it was caught, and would end by the signal itself."""
    (tmp_path / "from_a_text.py").write_text(FROM_A_TEXT)
    found = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(found)}
    done = subprocess.run([sys.executable, "-m", "from_a_text"], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


def test_an_error_that_nobody_foresaw_is_not_hidden(monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(identify, "answer", broken)
    monkeypatch.setattr(sys, "argv", ["tabular-inversion", "identify", "chain:3"])
    with pytest.raises(ZeroDivisionError, match="a fault of ours"):
        main()


def test_help_imports_neither_numpy_nor_a_room():
    code = ("import sys; from tabular_inversion.cli.process import run; "
            "[run([*command.split(), '--help']) for command in ('', 'verify', 'identify', 'invert', 'discounts', "
            "'goals', 'check', 'reproduce')]; print(*sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tabular_inversion.cli.app" in loaded
    assert not {"numpy", "scipy", "networkx", "sympy", "flint", "matplotlib"} & loaded
    light = ("errors", "cli", *(f"cli.{name}" for name in ("app", "names", "options", "plugs", "process")))
    ours = {name for name in loaded if name.startswith("tabular_inversion.")}
    assert ours <= {f"tabular_inversion.{name}" for name in light}
