"""An unmodified @sentry/browser on a page of another origin, in a real Chromium: its errors are issues with stacks."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.server import Server
from tests.browser.conftest import log_in
from tests.support.api import Api
from tests.support.chaos import until
from tests.support.clients import bundle, require_clients

PAGE = """<!doctype html><title>Shop</title>
<button id="uncaught">pay</button><button id="rejection">charge</button><button id="handled">look</button>
<script>window.catchall = %s</script><script src="/page.js"></script>
"""
VISIBLE_MS = 10_000


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a web shop, and its address: another origin than catchall's."""
    require_clients()
    folder = tmp_path_factory.mktemp("shop")
    bundle("page.js", folder / "page.js")
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An installation for these tests alone: the other pages' one must not get new issues."""
    with Server(tmp_path_factory.mktemp("own")) as running:
        running.wait_for("/readyz")
        yield running


@pytest.fixture(scope="module")
def api(own: Server) -> Api:
    return Api(own, "browser")


@pytest.fixture(scope="module")
def ada(own: Server, chromium: Browser) -> Iterator[Page]:
    """Somebody who is logged in there."""
    page = log_in(own, chromium)
    yield page
    page.context.close()


def click(chromium: Browser, shop: tuple[Path, str], button: str, options: dict[str, Any]) -> list[tuple[str, str]]:
    """Open the shop's page and press a button; the requests that went to other origins, with their methods."""
    folder, url = shop
    (folder / "index.html").write_text(PAGE % json.dumps(options))
    page = chromium.new_page()
    sent: list[tuple[str, str]] = []
    page.on("request", lambda request: sent.append((request.method, request.url)) if url not in request.url else None)
    page.goto(url)
    page.wait_for_selector("body[data-ready=yes]")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "sentry" not in url):
        page.click(f"#{button}")
    page.close()
    return sent


def preflight(server: Server, project: dict[str, Any], origin: str) -> int:
    """What a page of this origin is told before it sends."""
    url = f"{server.url}/api/{project['id']}/envelope/?sentry_key={project['key']}"
    try:
        with urlopen(Request(url, method="OPTIONS", headers={"Origin": origin}), timeout=10) as answer:
            status: int = answer.status
            return status
    except HTTPError as error:
        return error.code


def event_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    (event,) = found
    return event


@pytest.mark.parametrize(
    ("button", "error_type", "function", "handled"),
    [
        ("uncaught", "TypeError", "priceOf", False),
        ("rejection", "RangeError", "chargeCard", False),
        ("handled", "TypeError", "priceOf", True),
    ],
)
def test_errors_of_a_page_are_issues(
    own: Server,
    chromium: Browser,
    shop: tuple[Path, str],
    api: Api,
    ada: Page,
    button: str,
    error_type: str,
    function: str,
    handled: bool,
) -> None:
    project = own.create_project(f"page {button}")
    click(chromium, shop, button, {"dsn": project["dsn"]})
    event = event_of(api.events(project["id"], 1))
    frame = event["stack_trace"][-1]
    assert (event["error_type"], event["handled"], event["platform"]) == (error_type, handled, "javascript")
    assert frame["function"] == function and frame["lineno"] > 1 and frame["colno"] > 0
    assert frame["filename"].endswith("/page.js")
    assert "Chrome" in event["device_context"]["browser"]
    assert event["device_context"]["route"] == "/"
    assert event["http_context"]["url"].startswith(shop[1])
    assert "ui.click" in [one["category"] for one in event["breadcrumbs"]]
    assert event["client"]["name"] == "sentry.javascript.browser"
    if handled:
        assert event["tags"]["region"] == "eu-1" and len(event["user_id"]) == 16
    ada.goto(f"{own.url}/issues/{event['issue_id']}/")
    expect(ada.get_by_role("heading", level=1)).to_contain_text(error_type)
    expect(ada.get_by_text(function).first).to_be_visible(timeout=VISIBLE_MS)


def test_a_tunnel_takes_the_same_errors(own: Server, chromium: Browser, shop: tuple[Path, str], api: Api) -> None:
    project = own.create_project("tunnelled")
    sent = click(chromium, shop, "uncaught", {"dsn": project["dsn"], "tunnel": f"{own.url}/tunnel"})
    assert event_of(api.events(project["id"], 1))["error_type"] == "TypeError"
    assert {url for _, url in sent} == {f"{own.url}/tunnel"}


def test_a_page_that_may_not_use_the_key_is_refused_and_counted(
    own: Server, chromium: Browser, shop: tuple[Path, str], api: Api
) -> None:
    project = own.create_project("restricted")
    (key,) = api.get(f"/projects/{project['id']}/keys")["keys"]
    api.patch(f"/projects/{project['id']}/keys/{key['key_id']}", {"origins": ["https://shop.example.com"]})
    folder, url = shop
    until(lambda: preflight(own, project, url) == 403, "intake knows the new rule")
    before = own.ledger()["requests"]["accepted"]
    page = chromium.new_page()
    (folder / "index.html").write_text(PAGE % json.dumps({"dsn": project["dsn"]}))
    page.goto(url)
    page.wait_for_selector("body[data-ready=yes]")
    with page.expect_response(lambda answer: answer.request.method == "POST") as refused:
        page.click("#uncaught")
    assert refused.value.status == 403
    page.close()
    own.drain()
    assert own.ledger()["requests"]["accepted"] == before
    assert api.get("/events", project_id=project["id"])["events"] == []
