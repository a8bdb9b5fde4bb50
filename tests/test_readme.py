"""README's two commands, its example and its picture. The example itself runs as a doctest."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line for line in README.splitlines() if line.startswith("python3 -m venv ")]


def test_there_are_two_commands_and_each_is_one_line() -> None:
    assert len(COMMANDS) == 2
    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert [block.strip() for block in blocks] == COMMANDS


def test_the_first_runs_the_main_job_and_the_second_the_tests() -> None:
    assert COMMANDS[0].endswith(".venv/bin/tabular-inversion verify")
    assert ".venv/bin/python -m pytest" in COMMANDS[1]


def test_continuous_integration_takes_both_commands_from_here() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert """mapfile -t commands < <(grep '^python3 -m venv ' "$root/README.md")\n""" in script
    for number in range(2):
        assert f'bash -euo pipefail -c "${{commands[{number}]}}"\n' in script


def test_the_example_is_about_fifteen_lines() -> None:
    (example,) = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    assert 10 <= len(example.strip().splitlines()) <= 16


def test_pictures_exist_and_are_small() -> None:
    paths = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert paths
    for path in paths:
        picture = (ROOT / path).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 300_000
