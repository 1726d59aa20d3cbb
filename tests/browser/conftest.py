"""A running installation full of stories, and a real Chromium that is logged in to it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.server import Server
from tests.support.filled import fill

EMAIL, PASSWORD = "ada@example.org", "a long and plain sentence"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder drive a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pages")
    fill(folder / "data", share=float(os.environ.get("CATCHALL_STORIES_SHARE", "0.3")))
    with Server(folder, {"CATCHALL_DEVELOPMENT": "1"}) as running:
        running.wait_for("/-/health")
        yield running


@pytest.fixture(scope="session")
def chromium(browser_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(browser_path))
        yield browser
        browser.close()


def link_of(server: Server) -> str:
    """A one-time link, as the command line prints it, on the address that the tests use."""
    printed = server.command("login-link").decode().strip()
    return server.url + "/" + printed.split("/", 3)[3]


def log_in(server: Server, chromium: Browser) -> Page:
    """The first start as a person lives it: open the printed link, choose a password."""
    page = chromium.new_page()
    page.goto(link_of(server))
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/issues/")
    return page


@pytest.fixture(scope="session")
def login(server: Server, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ada's cookies, in a file."""
    state = tmp_path_factory.mktemp("login") / "state.json"
    page = log_in(server, chromium)
    page.context.storage_state(path=state)
    page.context.close()
    return str(state)


Opener = Callable[..., Page]


@pytest.fixture
def open_page(server: Server, chromium: Browser, login: str) -> Iterator[Opener]:
    """Opens a page as Ada; whatever it complains about in the console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opener(
        path: str, *, size: dict[str, int] = DESKTOP, scheme: str = "light", scripts: bool = True, missing: bool = False
    ) -> Page:
        context = chromium.new_context(
            base_url=server.url,
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            storage_state=login,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _only_ours(request.url, server.url, complaints))
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == (404 if missing else 200)
        if missing:
            complaints.clear()  # the browser says of itself that the page is missing
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not complaints


def _only_ours(url: str, ours: str, complaints: list[str]) -> None:
    if not url.startswith(ours + "/"):
        complaints.append(f"a request to somebody else: {url}")


@pytest.fixture
def page(open_page: Opener) -> Page:
    """The issue list."""
    return open_page("/issues/")
