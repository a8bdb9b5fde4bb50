"""README's two commands, its example and its picture. The example itself runs as a doctest."""

import importlib.machinery
import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import pytest

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


def readme_table() -> Any:
    """Load the script that runs the table and the quickstart in the environment of README's first command."""
    path = str(ROOT / ".ci" / "readme_table")
    loader = importlib.machinery.SourceFileLoader("readme_table", path)
    specification = importlib.util.spec_from_loader("readme_table", loader)
    assert specification is not None
    script: Any = importlib.util.module_from_spec(specification)
    loader.exec_module(script)
    return script


def test_every_row_is_a_command_that_stands_in_the_help() -> None:
    rows = readme_table().table_commands(README)
    assert len(rows) == len(re.findall(r"^\| `", README, re.MULTILINE))
    assert {row.split()[1] for row in rows} == {
        "verify", "identify", "check", "invert", "diagnose", "goals", "discounts", "reproduce"
    }  # fmt: skip


def test_continuous_integration_runs_the_table_after_the_first_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    first = script.index('bash -euo pipefail -c "${commands[0]}"')
    assert first < script.index(".venv/bin/python .ci/readme_table\n") < script.index('"${commands[1]}"\n')
    assert os.access(ROOT / ".ci" / "readme_table", os.X_OK)


def test_the_quickstart_has_cells_and_commands() -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text()
    script = readme_table()
    assert len(script.page_cells(page)) == page.count("{code-cell} python") > 10
    assert len(script.page_commands(page)) == 3
    assert not any("%" in cell.split("\n")[0] for cell in script.page_cells(page))


@pytest.mark.parametrize("row", ["tabular-inversion verify [ID ...]", "rm -r report.html"])
def test_a_row_that_is_no_command_is_not_passed_over(row: str) -> None:
    with pytest.raises(SystemExit, match="no command as it stands"):
        readme_table().table_commands(f"| `{row}` | what? |\n")


def test_a_command_that_fails_or_says_nothing_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("false", "true"):
        with pytest.raises(SystemExit, match=f"failed: {command}"):
            readme_table().run(command)
    assert readme_table().run("echo yes") == "yes\n"
    capsys.readouterr()
