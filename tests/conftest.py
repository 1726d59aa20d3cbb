"""What all tests share: profiles of hypothesis, the browser, and the rule that CI skips nothing."""

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from tools.browser import find_browser

ON_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# derandomize: CI runs the same examples each time, so that a red run can be repeated; people search for new ones
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=5_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if ON_CI else "dev"))


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The Chromium to drive. Without one the test is skipped, and fails on CI."""
    path = find_browser()
    if path is None:
        pytest.skip("no browser: install chromium or set CATCHALL_BROWSER")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop in the main thread, beside which no other can run."""
    items.sort(key=lambda item: "browser" in item.path.relative_to(item.config.rootpath).parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI a test that cannot run because a part is missing has failed: nobody reads the skips of a green run."""
    report = yield
    if ON_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped on CI: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself while it is imported."""
    report = yield
    if ON_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped on CI: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> object:
    return longrepr[2] if isinstance(longrepr, tuple) else longrepr
