"""The issue page under hand and eye."""

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def issue(open_page) -> Page:
    page = open_page("/issues/?q=charge")
    page.locator(".row-title").first.click()
    page.wait_for_url("**/issues/*/")
    return page


def test_the_page_begins_with_the_fault(issue):
    fault = issue.locator("#exception-0 .frame[open]")
    expect(fault).to_have_count(1)
    expect(fault.locator(".frame-function")).to_have_text("pay")
    expect(fault.locator(".line-fault code")).to_contain_text("raise PaymentError")
    box = fault.locator(".line-fault").bounding_box()
    assert box
    assert box["y"] < 900, "the faulty line is not on the first screen"


def test_library_frames_unfold(issue):
    folded = issue.locator("#exception-1 .folded").first
    expect(folded.locator(".frame").first).to_be_hidden()
    folded.locator("summary").first.click()
    expect(folded.locator(".frame").first).to_be_visible()


def test_frames_are_walked_and_opened_by_keys(issue):
    issue.keyboard.press("j")
    issue.keyboard.press("j")
    assert issue.evaluate("document.activeElement.querySelector('.frame-function').textContent") == "checkout"
    issue.keyboard.press("Enter")
    expect(issue.locator("#exception-0 .frame[open]")).to_have_count(2)
    issue.keyboard.press("k")
    assert issue.evaluate("document.activeElement.querySelector('.frame-function').textContent") == "pay"


def test_events_are_walked_by_keys(issue):
    first = issue.url
    issue.keyboard.press("[")
    issue.wait_for_url("**/events/*/")
    older = issue.url
    issue.keyboard.press("[")
    issue.wait_for_url(lambda url: url != older)
    issue.keyboard.press("]")
    issue.wait_for_url(older)
    assert older.startswith(first)


def test_resolving_is_undone_within_ten_seconds(issue):
    issue.keyboard.press("e")
    expect(issue.locator(".issue-head .state")).to_have_text("resolved")
    expect(issue.locator("#activity li").first).to_contain_text("by ada@example.org")
    issue.get_by_role("button", name="Undo").click()
    expect(issue.locator(".issue-head .state")).to_have_text("unresolved")
    expect(issue.locator("#activity li").first).to_contain_text("undone")
    issue.get_by_role("button", name="Ignore").click()
    expect(issue.locator(".issue-head .state")).to_have_text("ignored")
    issue.get_by_role("button", name="Reopen").click()
    expect(issue.locator(".issue-head .state")).to_have_text("unresolved")


def test_tags_are_counted_and_lead_to_their_events(issue):
    facet = issue.locator(".facet", has_text="plan")
    facet.locator("summary").click()
    expect(facet.locator(".share-count").first).to_be_visible()
    count = facet.locator(".share-count").first.inner_text()
    facet.locator("td a").first.click()
    issue.wait_for_url("**/events/?tag=plan**")
    expect(issue.locator(".list-note")).to_contain_text(f"{count} events with plan:")


def test_the_time_line_ends_in_the_error(issue):
    expect(issue.locator(".crumbs .crumb").last).to_contain_text("PaymentError")
    expect(issue.locator(".crumbs .crumb").last).to_contain_text("could not charge order")


def test_times_are_told_in_the_readers_zone_too(issue):
    title = issue.locator(".event-which time").get_attribute("title")
    assert title
    assert " UTC\n" in title


def test_an_id_is_copied(issue):
    issue.context.grant_permissions(["clipboard-read", "clipboard-write"])
    issue.get_by_title("Copy the event's id").click()
    expect(issue.locator(".toast")).to_have_text("Copied")
    assert len(issue.evaluate("navigator.clipboard.readText()")) == 32
