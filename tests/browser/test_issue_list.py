"""The list under the hand of somebody who knows its keys, and while events arrive."""

import json
import time
import urllib.request
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.support.stories import envelope

LIVE_MS = 12_000


def titles(page: Page) -> list[str]:
    return page.locator(".issues .row-title b").all_inner_texts()


def send(server, project: int, key: int, title: str) -> None:
    """One event to intake, as a client does."""
    at = time.time()
    event = {
        "event_id": uuid.uuid4().hex,
        "timestamp": at,
        "level": "error",
        "platform": "python",
        "exception": {"values": [{"type": title, "value": "sent by a test"}]},
    }
    url = f"{server.url}/api/{project}/envelope/?sentry_key={key:032x}"
    with urllib.request.urlopen(
        urllib.request.Request(url, data=envelope(event, at), method="POST"), timeout=10
    ) as answer:
        assert json.loads(answer.read())["id"] == event["event_id"]


@pytest.fixture
def quiet(open_page):
    """A list that nothing moves: a story that ended days ago."""
    return open_page("/issues/?project=importer&range=30d")


def test_rows_are_walked_opened_and_come_back_to(page):
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row].is-current")).to_have_count(1)
    second = titles(page)[1]
    assert page.locator("[data-row].is-current b").inner_text() == second
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/issues/*/")
    page.go_back()
    page.wait_for_url("**/issues/")
    assert second in titles(page)


def test_a_filter_goes_into_the_address_and_back_takes_it_out(page):
    before = titles(page)
    page.locator("select[name=project]").select_option("importer")
    expect(page.locator(".issues .row-title b")).to_have_count(2)
    assert "project=importer" in page.url
    page.keyboard.press("/")
    page.keyboard.type("codec")
    page.keyboard.press("Enter")
    expect(page.locator(".issues .row-title b")).to_have_count(1)
    assert "q=codec" in page.url
    page.go_back()
    page.wait_for_url("**project=importer**")
    expect(page.locator(".issues .row-title b")).to_have_count(2)
    page.goto("/issues/")
    assert set(titles(page)) >= set(before)


def test_a_row_is_resolved_by_a_key_and_put_back_by_another(quiet):
    before = titles(quiet)
    quiet.keyboard.press("j")
    quiet.keyboard.press("e")
    expect(quiet.locator(".toast")).to_contain_text("resolved")
    expect(quiet.locator(".issues .row-title b")).to_have_count(len(before) - 1)
    quiet.keyboard.press("u")
    expect(quiet.locator(".issues .row-title b")).to_have_count(len(before))
    assert titles(quiet) == before
    expect(quiet.locator(".toast")).to_contain_text("put back")


def test_undo_works_from_the_moment_it_is_shown(quiet):
    """A key pressed just when the toast appears is no bare form: that once sent the browser away to a refusal."""
    before = titles(quiet)
    quiet.evaluate(
        """new MutationObserver((_, self) => {
            const undo = document.querySelector("[data-undo]");
            if (undo) { self.disconnect(); undo.click(); }
        }).observe(document.getElementById("toasts").parentNode, {childList: true, subtree: true})"""
    )
    quiet.keyboard.press("j")
    quiet.keyboard.press("e")
    expect(quiet.locator(".toast")).to_contain_text("put back")
    assert titles(quiet) == before
    assert "/undo/" not in quiet.url


def test_several_rows_are_ticked_and_ignored_together(quiet):
    before = titles(quiet)
    quiet.keyboard.press("j")
    quiet.keyboard.press("x")
    quiet.keyboard.press("j")
    quiet.keyboard.press("x")
    expect(quiet.locator("[data-bulk-count]")).to_have_text("2 selected")
    quiet.get_by_role("button", name="Ignore").click()
    expect(quiet.locator(".empty h2")).to_be_visible()
    expect(quiet.locator(".toast")).to_contain_text("2 issues ignored")
    quiet.get_by_role("button", name="Undo").click()
    expect(quiet.locator(".issues .row-title b")).to_have_count(len(before))


def test_a_toast_goes_by_itself(open_page):
    page = open_page("/issues/?project=importer&range=30d")
    page.clock.install()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_be_visible()
    page.clock.run_for(9_500)
    expect(page.locator(".toast")).to_be_visible()
    page.clock.run_for(1_000)
    expect(page.locator(".toast")).to_have_count(0)
    page.goto("/issues/?project=importer&range=30d&state=resolved")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".toast")).to_contain_text("reopened")


def test_new_issues_come_in_by_themselves_where_nobody_reads(open_page, server):
    page = open_page("/issues/?project=web-shop")
    count = len(titles(page))
    send(server, 2, 1, "FreshError")
    expect(page.locator(".issues .row-title b").first).to_have_text("FreshError", timeout=LIVE_MS)
    assert len(titles(page)) == count + 1


def test_new_issues_are_announced_to_somebody_who_reads_and_do_not_move_the_rows(open_page, server):
    page = open_page("/issues/?project=web-shop")
    page.keyboard.press("j")
    before = titles(page)
    send(server, 2, 1, "AnnouncedError")
    chip = page.locator("#live .chip-live")
    expect(chip).to_contain_text("new", timeout=LIVE_MS)
    assert titles(page) == before
    chip.click()
    expect(page.locator(".issues .row-title b").first).to_have_text("AnnouncedError")


def test_a_range_is_brushed_on_the_chart(page):
    box = page.locator(".trend-box svg.trend").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url("**since=*until=*")
    page.get_by_role("link", name="Clear the range").click()
    page.wait_for_url("**/issues/**")
    assert "since" not in page.url


def test_keys_do_nothing_to_somebody_who_types(quiet):
    search = quiet.get_by_label("Search words")
    search.click()
    quiet.keyboard.type("jex/?")
    assert search.input_value() == "jex/?"
    expect(quiet.locator("[data-row].is-current")).to_have_count(0)
    quiet.keyboard.press("Escape")
    quiet.keyboard.press("j")
    expect(quiet.locator("[data-row].is-current")).to_have_count(1)


def test_without_scripts_everything_still_works(open_page):
    page = open_page("/issues/?project=importer&range=30d", scripts=False)
    before = titles(page)
    page.locator(".issues input[name=issue]").first.check()
    page.get_by_role("button", name="Resolve").click()
    assert len(titles(page)) == len(before) - 1
    assert "project=importer" in page.url
    page.locator(".tabs a[href*='state=resolved']").click()
    page.locator(".issues input[name=issue]").first.check()
    page.get_by_role("button", name="Reopen").click()
    page.goto("/issues/?project=importer&range=30d")
    assert sorted(titles(page)) == sorted(before)
