"""The laboratory's pages, written once, and the browser that shows them."""

import shutil

import pytest

from proofs_checks.laboratory import write_laboratory

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    return write_laboratory(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture(scope="session")
def browser():
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        shown = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield shown
        shown.close()
