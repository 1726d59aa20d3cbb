"""From an empty project to its first event, and the life of its keys and dead letters."""

import json

from playwright.sync_api import expect

from tests.browser.test_issue_list import LIVE_MS, send


def test_the_wait_for_the_first_event_turns_into_a_link(open_page, server):
    page = open_page("/projects/new/")
    page.get_by_label("Name").fill("Delivery")
    page.get_by_text("Python", exact=True).click()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/projects/delivery/setup/")
    expect(page.locator("#waiting")).to_contain_text("Waiting for the first event")
    dsn = page.locator("#dsn").inner_text()
    assert dsn in page.locator("#code").inner_text()
    key, project = int(dsn.split("//")[1].split("@")[0], 16), int(dsn.rsplit("/", 1)[1])
    send(server, project, key, "FirstError")
    expect(page.locator("#waiting")).to_contain_text("Events arrive", timeout=LIVE_MS)
    page.get_by_role("link", name="Open it").click()
    page.wait_for_url("**/issues/*/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("FirstError")


def test_the_languages_are_a_click_away(open_page):
    page = open_page("/projects/mobile-app/setup/")
    for name, mark in (("Go", "sentry.Init"), ("Java", "setDsn"), ("Node.js", "require"), ("Browser", "import * as")):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("#code")).to_contain_text(mark)


def test_a_disabled_key_is_refused_within_a_second(open_page, server):
    made = json.loads(server.command("project", "create", "Keys", "--json"))
    page = open_page("/projects/keys/settings/")
    page.get_by_label("In use").uncheck()
    page.get_by_role("button", name="Save key").click()
    expect(page.locator(".message")).to_contain_text("Key saved")
    expect(page.locator(".key summary")).to_contain_text("disabled")

    def refused() -> bool:
        import urllib.error

        try:
            send(server, made["id"], int(made["key"], 16), "TooLate")
        except urllib.error.HTTPError as error:
            return error.code == 403
        return False

    page.wait_for_function("() => true")
    for _ in range(50):
        if refused():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the key still works")


def test_a_dead_letter_is_replayed_and_another_discarded(open_page):
    page = open_page("/dead-letters/")
    rows = page.locator("[data-row]")
    count = rows.count()
    rows.first.locator("[data-opens-row]").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".message")).to_contain_text("1 dead letter discarded")
    page.goto("/dead-letters/")
    expect(rows).to_have_count(count - 1)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".message")).to_contain_text("1 dead letter will be tried again")


def test_the_ledger_counts_what_was_refused(open_page, server):
    page = open_page("/ledger/")
    expect(page.locator(".balance")).to_contain_text("Balanced.")
    expect(page.get_by_role("heading", name="Checkout API")).to_be_visible()
