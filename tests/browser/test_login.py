"""In and out, as a person does it."""

from tests.browser.conftest import EMAIL, PASSWORD, link_of


def test_somebody_without_a_session_logs_in_and_comes_where_they_wanted(server, chromium, login):
    page = chromium.new_page(base_url=server.url)
    page.goto("/ledger/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "The e-mail address or the password is not right."
    assert page.get_by_label("E-mail address").input_value() == EMAIL
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/ledger/")
    page.get_by_role("button", name="Log out").first.click()
    page.wait_for_url("**/login/")
    page.goto("/issues/")
    assert "/login/" in page.url
    page.context.close()


def test_a_link_works_once(server, chromium, login):
    link = link_of(server)
    page = chromium.new_page()
    page.goto(link)
    page.get_by_label("E-mail address").fill("grace@example.org")
    page.get_by_label("Password").fill("short")
    page.evaluate("document.forms[0].noValidate = true")
    page.get_by_role("button", name="Log in").click()
    assert "too short" in page.locator("#note-password").inner_text()
    page.get_by_label("Password").fill("another plain sentence")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/issues/")
    page.goto(link)
    assert page.get_by_role("heading", level=1).inner_text() == "This link does not work any more"
    page.context.close()
