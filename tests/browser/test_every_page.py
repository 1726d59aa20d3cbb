"""Every page, light and dark, wide and on a phone: accessible, within its width, without a word in the console.

The pictures are for people: `CATCHALL_PICTURES=DIR` keeps them there.
"""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "frontend/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TARGETS = "button, select, summary, input:not([type=hidden]), .nav, .button, .tabs a"
PAGES = {
    "issues": "/issues/",
    "issues-nothing": "/issues/?q=nosuchword",
    "issue": "issue",
    "events": "issue events/",
    "json": "issue json",
    "projects": "/projects/",
    "project-new": "/projects/new/",
    "setup-waiting": "/projects/mobile-app/setup/",
    "setup-done": "/projects/checkout-api/setup/?platform=go",
    "settings": "/projects/checkout-api/settings/",
    "ledger": "/ledger/",
    "dead-letters": "/dead-letters/",
    "dead-letters-none": "/dead-letters/?state=discarded",
    "dead-letter": "/dead-letters/1/",
    "account": "/account/",
    "components": "/-/components",
    "missing": "/nothing",
}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("CATCHALL_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def an_issue(server) -> dict[str, str]:
    import json

    for line in server.command("issues", "--json").splitlines():
        issue = json.loads(line)
        if issue["error_type"] == "PaymentError":
            return issue
    raise AssertionError("no issue of this story")


def address(name: str, issue: dict[str, str]) -> str:
    what = PAGES[name]
    here = f"/issues/{issue['issue_id']}/"
    if what == "issue json":
        return f"{here}events/{issue['last_event_id']}/json/"
    if what in ("issue", "issue events/"):
        return here + what.removeprefix("issue").strip()
    return what


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits(open_page, an_issue, pictures, name, size, scheme):
    page = open_page(address(name, an_issue), size=size, scheme=scheme, missing=name == "missing")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=pictures / f"{name}-{'wide' if size is DESKTOP else 'phone'}-{scheme}.png")
    page.evaluate(AXE)
    found = page.evaluate("standards => axe.run({runOnly: standards})", STANDARDS)
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, "the page scrolls sideways"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_targets_are_large_enough(open_page, an_issue, size):
    """At least 24 px each way (WCAG 2.2, 2.5.8); links within a line of text are excepted."""
    small = """selector => [...document.querySelectorAll(selector)]
        .filter(one => one.checkVisibility() && !one.closest('.tick, .check, .choices'))
        .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
        .filter(([_, box]) => box.width > 1 && (box.height < 24 || box.width < 24)).map(([text]) => text)"""
    for name in ("issues", "issue", "settings", "account"):
        assert open_page(address(name, an_issue), size=size).evaluate(small, TARGETS) == [], name


def test_the_theme_is_chosen_and_kept(open_page):
    page = open_page("/issues/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    switch = page.locator(".side-wide [data-theme-switch]")
    switch.click()
    assert page.evaluate(ground) == light
    switch.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    assert page.locator("html").get_attribute("data-theme") == "dark"
    switch.click()
    assert page.evaluate(ground) == light


def test_the_menu_opens_on_a_phone(open_page):
    page = open_page("/issues/", size=PHONE)
    page.get_by_label("Menu").click()
    page.locator(".side-menu").get_by_role("link", name="Ledger").click()
    page.wait_for_url("**/ledger/")


def test_the_keyboard_is_explained(open_page):
    page = open_page("/issues/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


@pytest.mark.parametrize(
    ("keys", "path"), [("gi", "/issues/"), ("gp", "/projects/"), ("gl", "/ledger/"), ("gd", "/dead-letters/")]
)
def test_two_keys_go_places(open_page, keys, path):
    page = open_page("/account/")
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(f"**{path}")
