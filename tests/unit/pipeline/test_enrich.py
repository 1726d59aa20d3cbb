"""Step 3: what follows from headers, addresses and releases."""

import pytest

from catchall.core.event import DeviceContext, EventDraft, HttpContext, Process
from catchall.pipeline.steps.enrich import enrich, path_of
from tests.unit.pipeline.drafts import CONTEXT, draft

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"
)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def enriched(headers: dict[str, str] | None = None, url: str = "", **fields: object) -> EventDraft:
    event = draft(message="x", http_context=HttpContext(url=url, headers=headers or {}), **fields)
    enrich(event, CONTEXT)
    return event


def test_the_user_agent_tells_browser_and_system():
    event = enriched({"user-AGENT": CHROME})
    assert event.device_context == DeviceContext(browser="Chrome 129", os="Windows 10")


def test_what_the_client_said_itself_stays():
    event = enriched({"User-Agent": CHROME}, device_context=DeviceContext(os="Linux 6.1.0"))
    assert event.device_context == DeviceContext(browser="Chrome 129", os="Linux 6.1.0")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"X-Request-Id": " abc-1 "}, "abc-1"),
        ({"X-Correlation-ID": "c-2"}, "c-2"),
        ({"X-Correlation-ID": "c-2", "x-request-id": "r-1"}, "r-1"),
        ({"Host": "x"}, ""),
    ],
)
def test_the_request_id_is_in_a_header(headers, request_id):
    assert enriched(headers).request_id == request_id


def test_or_in_a_tag():
    assert enriched(tags={"request_id": "t-3"}).request_id == "t-3"
    assert enriched({"X-Request-Id": "h-1"}, request_id="own").request_id == "own"


@pytest.mark.parametrize(
    ("headers", "ids"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, (TRACE, SPAN)),
        ({"Sentry-Trace": f"{TRACE}-{SPAN}-1"}, (TRACE, SPAN)),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, ("", SPAN)),
        ({"traceparent": "broken"}, ("", "")),
        ({"traceparent": TRACE}, (TRACE, "")),
    ],
)
def test_trace_headers(headers, ids):
    event = enriched(headers)
    assert (event.trace_id, event.span_id) == ids


def test_the_clients_trace_wins():
    assert enriched({"traceparent": f"00-{TRACE}-{SPAN}-01"}, trace_id="a" * 32).trace_id == "a" * 32


def test_a_browsers_route_is_the_path_of_its_page():
    event = enriched(url="https://shop.example.com/cart/7?x=1#y", platform="javascript")
    assert event.device_context is not None
    assert event.device_context.route == "/cart/7"
    assert enriched(url="https://shop.example.com/cart/7", platform="python").device_context is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.b/c/d?x=1#f", "/c/d"),
        ("/x/y?z", "/x/y"),
        ("https://a.b", ""),
        ("https://a.b/", "/"),
        ("https://a.b?x=/y", ""),
        ("/", "/"),
        ("", ""),
        ("http://[broken", ""),
        ("://?#", ""),
    ],
)
def test_paths_of_addresses(url, path):
    assert path_of(url) == path


def test_tags_do_not_repeat_fields():
    event = enriched(
        environment="staging",
        release_version="shop@2",
        tags={"environment": "staging", "release": "shop@1", "level": "error", "region": "eu"},
        level="error",
        dist="77",
    )
    assert event.tags == {"release": "shop@1", "region": "eu", "dist": "77"}


def test_only_listed_environment_variables_are_kept():
    event = enriched(process=Process(environment={"NODE_ENV": "production", "DATABASE_URL": "postgres://u:p@h/db"}))
    assert event.process is not None
    assert event.process.environment == {"NODE_ENV": "production"}
