"""A plugin of pytest: keep a third of all tests, chosen by their names alone, so that a new test moves no other one."""

from __future__ import annotations

import zlib

import pytest


def in_the_third(name: str) -> bool:
    """Say whether the test of this name is in the third that is kept."""
    return zlib.crc32(name.encode()) % 3 == 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other two thirds, and say how many tests that are."""
    kept = [item for item in items if in_the_third(item.nodeid)]
    config.hook.pytest_deselected(items=[item for item in items if not in_the_third(item.nodeid)])
    items[:] = kept
